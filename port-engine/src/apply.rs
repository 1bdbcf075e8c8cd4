//! Carrying out a port.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use toml_edit::DocumentMut;

use super::error::{Error, Fault, Mismatch, Miss, Result, places};
use super::ported::{HASH_SHOWN, Layout, Place, Ported, RuleReport};
use super::publish::{Stamp, publish};
use super::rules::{
    Action, CfgRule, DependencyRule, EditRule, FacadeRule, FeatureRule, Matches, Rule, Text,
};
use super::source::Port;
use super::support::Support;
use super::target::P1;
use super::tokens::{Edit, bytes, edited, lex, lex_pattern, may_hold};
use super::tree::{Hash, Tree};
use super::upstream::Upstream;
use super::{cfg, edit, manifest, notice};

/// Hash of this engine's sources, made by the build script: a ported crate
/// made by another engine is not up to date.
const ENGINE: &str = env!("PORT_ENGINE_HASH");

/// Makes the ported crate in the folder `out`, unless it is there already.
///
/// The support crates are put beside it where the port depends on them. Whether
/// the port covers the version is the caller's to ask ([`Port::supports`]):
/// trying a newer release is how support for it is added.
///
/// # Errors
/// [`Error::Mismatch`] when a rule does not find what it states; [`Error::Other`]
/// for I/O, for a malformed port, for a file that is not lexable as Rust, and
/// for a folder in the way that is not ours.
pub fn apply(
    port: &Port,
    upstream: &Upstream,
    support: &Support,
    out: &Path,
    layout: Layout,
) -> Result<Ported> {
    if port.krate() != upstream.name {
        let other = anyhow!("the port of {} is not for {}", port.krate(), upstream.name);
        return Err(other.into());
    }
    let tree = upstream.read()?;
    let rules = port.rules_for(&upstream.version);
    let input = input_hash(port, &rules, upstream, &tree, support, layout)?;
    let dir = out.join(match layout {
        Layout::Cache => format!(
            "{}-{}-{}",
            upstream.name,
            upstream.version,
            &input[..HASH_SHOWN]
        ),
        Layout::Vendor => upstream.name.clone(),
    });
    if rules.iter().any(|rule| needs_support(rule)) {
        support.unpack(out, layout)?;
    }
    let done = |stamp: Stamp, fresh| Ported {
        name: upstream.name.clone(),
        version: upstream.version.clone(),
        dir: dir.clone(),
        input: input.clone(),
        fresh,
        rules: stamp.rules,
    };
    if let Some(stamp) = Stamp::of(&dir).filter(|stamp| stamp.input == input) {
        return Ok(done(stamp, false));
    }
    let (files, reports) = ported_files(port, &rules, upstream, tree, support, layout)?;
    let stamp = publish(&dir, &files, &input, reports)?;
    Ok(done(stamp, true))
}

fn needs_support(rule: &Rule) -> bool {
    match &rule.action {
        Action::Facade(_) => true,
        Action::Dependency(dependency) => dependency.version.is_none(),
        _ => false,
    }
}

/// Everything that the output depends on.
fn input_hash(
    port: &Port,
    rules: &[&Rule],
    upstream: &Upstream,
    tree: &Tree,
    support: &Support,
    layout: Layout,
) -> anyhow::Result<String> {
    let mut hash = Hash::new();
    hash.part("engine", ENGINE.as_bytes());
    hash.part("layout", format!("{layout:?}").as_bytes());
    hash.part("support", support.hash().as_bytes());
    hash.part("name", upstream.name.as_bytes());
    hash.part("version", upstream.version.to_string().as_bytes());
    let checksum = upstream.checksum.as_deref().unwrap_or_default();
    hash.part("checksum", checksum.as_bytes());
    hash.tree(tree);
    let sources = rules.iter().filter_map(|rule| rule.action.source());
    for path in port.rule_files.iter().copied().chain(sources) {
        hash.part(path, port.source.file(path)?);
    }
    Ok(hash.hex())
}

/// The ported crate's files, in memory.
fn ported_files(
    port: &Port,
    rules: &[&Rule],
    upstream: &Upstream,
    original: Tree,
    support: &Support,
    layout: Layout,
) -> Result<(Tree, Vec<RuleReport>)> {
    let named = |what: &str| format!("{} {}: {what}", upstream.name, upstream.version);
    let document =
        manifest::parse(&original[manifest::FILE]).with_context(|| named(manifest::FILE))?;
    let mut work = Work {
        lib: manifest::lib_path(&document),
        files: original.clone(),
        document,
        port,
        version: &upstream.version,
        support,
        layout,
    };
    let mut reports = Vec::new();
    for rule in rules {
        let places = work.carry_out(rule).map_err(|fault| match fault {
            Fault::Miss(miss) => Error::Mismatch(Box::new(Mismatch {
                krate: upstream.name.clone(),
                version: upstream.version.clone(),
                dir: upstream.dir.clone(),
                rule: rule.name.clone(),
                file: miss.file,
                item: miss.item,
                expected: miss.expected,
                found: miss.found,
                altered: upstream.altered(&original),
            })),
            Fault::Other(error) => {
                Error::Other(error.context(named(&format!("rule `{}`", rule.name))))
            }
        })?;
        reports.push(RuleReport {
            name: rule.name.clone(),
            why: rule.why.clone(),
            places,
        });
    }
    manifest::normalise(&mut work.document);
    let Work {
        mut files,
        document,
        ..
    } = work;
    files.insert(manifest::FILE.into(), document.to_string().into_bytes());
    let text = notice::text(port, upstream, &reports);
    files.insert(notice::FILE.into(), text.into_bytes());
    Ok((files, reports))
}

/// A crate on its way from upstream to ported.
struct Work<'a> {
    files: Tree,
    document: DocumentMut,
    /// The library's root module.
    lib: String,
    port: &'a Port,
    version: &'a semver::Version,
    support: &'a Support,
    layout: Layout,
}

impl Work<'_> {
    fn carry_out(&mut self, rule: &Rule) -> Result<Vec<Place>, Fault> {
        match &rule.action {
            Action::Cfg(rule) => self.switch_cfg(rule),
            Action::Edit(rule) => self.edit(rule),
            Action::OwnFile {
                file,
                from,
                replaces,
            } => self.own_file(file, from, *replaces),
            Action::Append { file, text } => {
                let text = match text {
                    Text::Inline(text) => text.clone(),
                    Text::From(from) => utf8(from, self.port.source.file(from)?)?.to_string(),
                };
                self.append(file, &text)
            }
            Action::Facade(rule) => self.facade(rule),
            Action::Dependency(rule) => self.dependency(rule),
            Action::Feature(rule) => self.feature(rule),
        }
    }

    fn expected(&self, matches: &Matches, file: &str) -> Result<usize, Fault> {
        let missing = || Miss {
            file: file.to_string(),
            item: None,
            expected: format!("a count for version {} in `matches`", self.version),
            found: "none".into(),
        };
        let count = matches.for_version(self.version);
        Ok(count.ok_or_else(missing)?)
    }

    fn text(&self, file: &str) -> Result<&str, Fault> {
        let missing = || Miss {
            file: file.to_string(),
            item: None,
            expected: "the file".into(),
            found: "no such file".into(),
        };
        Ok(utf8(file, self.files.get(file).ok_or_else(missing)?)?)
    }

    fn switch_cfg(&mut self, rule: &CfgRule) -> Result<Vec<Place>, Fault> {
        let globs = glob_set(&rule.files)?;
        let predicate = lex_pattern(&rule.predicate).context("in the key `predicate`")?;
        let item = rule.item.as_ref().map(ToString::to_string);
        let mut changed: Vec<(Place, String)> = Vec::new();
        let candidates = self.files.iter().filter(|(file, bytes)| {
            globs.is_match(file)
                && *file != manifest::FILE
                && std::str::from_utf8(bytes).is_ok_and(|text| may_hold(text, &predicate))
        });
        for (file, bytes_of_file) in candidates {
            let text = utf8(file, bytes_of_file)?;
            let tokens = lex(text).with_context(|| file.clone())?;
            let scopes: Vec<_> = match &rule.item {
                None => std::iter::once(0..tokens.len()).collect(),
                Some(path) => path
                    .find(&tokens)
                    .map(|items| items.into_iter().map(|item| item.all).collect())
                    .unwrap_or_default(),
            };
            let mut found = Vec::new();
            for scope in scopes {
                for at in cfg::find(&tokens, scope, &predicate) {
                    if !found.contains(&at) {
                        found.push(at);
                    }
                }
            }
            if found.is_empty() {
                continue;
            }
            let place = Place {
                file: file.clone(),
                item: item.clone(),
                count: found.len(),
            };
            let edits = found
                .iter()
                .map(|at| Edit {
                    range: bytes(&tokens, at),
                    text: rule.becomes.clone(),
                })
                .collect();
            changed.push((place, edited(text, edits)));
        }
        let mut all = Vec::new();
        for (place, text) in changed {
            self.files.insert(place.file.clone(), text.into_bytes());
            all.push(place);
        }
        if globs.is_match(manifest::FILE) && rule.item.is_none() {
            let count = manifest::switch_cfg(&mut self.document, &predicate, &rule.becomes)
                .context(manifest::FILE)?;
            if count > 0 {
                all.push(Place {
                    file: manifest::FILE.into(),
                    item: None,
                    count,
                });
            }
        }
        let count: usize = all.iter().map(|place| place.count).sum();
        let files = rule.files.join(", ");
        let expected = self.expected(&rule.matches, &files)?;
        if count != expected {
            let list: Vec<String> = all
                .iter()
                .map(|place| format!("{} in {}", place.count, place.file))
                .collect();
            let mut found = places(count);
            if !list.is_empty() {
                found.push_str(&format!(" ({})", list.join(", ")));
            }
            return Err(Fault::Miss(Miss {
                file: files,
                item,
                expected: places(expected),
                found,
            }));
        }
        Ok(all)
    }

    fn edit(&mut self, rule: &EditRule) -> Result<Vec<Place>, Fault> {
        let expected = self.expected(&rule.matches, &rule.file)?;
        let (text, count) = edit::carry_out(rule, self.text(&rule.file)?, expected)?;
        self.files.insert(rule.file.clone(), text.into_bytes());
        Ok(vec![Place {
            file: rule.file.clone(),
            item: rule.item.as_ref().map(ToString::to_string),
            count,
        }])
    }

    fn own_file(&mut self, file: &str, from: &str, replaces: bool) -> Result<Vec<Place>, Fault> {
        if self.files.contains_key(file) != replaces {
            let (expected, found) = if replaces {
                ("an upstream file to replace", "no such file")
            } else {
                ("no upstream file of that name", "one")
            };
            return Err(Fault::Miss(Miss {
                file: file.to_string(),
                item: None,
                expected: expected.into(),
                found: found.into(),
            }));
        }
        let bytes = self.port.source.file(from)?.to_vec();
        self.files.insert(file.to_string(), bytes);
        Ok(one(file))
    }

    fn append(&mut self, file: &str, text: &str) -> Result<Vec<Place>, Fault> {
        if file == manifest::FILE {
            return Err(Fault::Other(anyhow!(
                "Cargo.toml is changed by rules of kind \"dependency\" and \"feature\""
            )));
        }
        let mut whole = self.text(file)?.to_string();
        if !whole.ends_with('\n') {
            whole.push('\n');
        }
        whole.push('\n');
        whole.push_str(text.trim_matches('\n'));
        whole.push('\n');
        self.files.insert(file.to_string(), whole.into_bytes());
        Ok(one(file))
    }

    fn facade(&mut self, rule: &FacadeRule) -> Result<Vec<Place>, Fault> {
        let package = self.support.facade(&rule.facade)?.to_string();
        let mut done = self.dependency(&DependencyRule {
            krate: package.clone(),
            version: None,
            features: Vec::new(),
            default_features: None,
            optional: false,
            dev: false,
        })?;
        let line = format!(
            "#[cfg({P1})]\n#[allow(unused_extern_crates)]\nextern crate {package} as {};",
            rule.facade
        );
        if rule.files.is_empty() {
            let lib = self.lib.clone();
            done.extend(self.append(&lib, &line)?);
            return Ok(done);
        }
        let globs = glob_set(&rule.files)?;
        let names = self.files.keys().filter(|file| globs.is_match(file));
        let roots: Vec<String> = names.cloned().collect();
        let files = rule.files.join(", ");
        let expected = self.expected(&rule.matches, &files)?;
        if roots.len() != expected {
            return Err(Fault::Miss(Miss {
                file: files,
                item: None,
                expected: places(expected),
                found: places(roots.len()),
            }));
        }
        for root in roots {
            done.extend(self.append(&root, &line)?);
        }
        Ok(done)
    }

    fn dependency(&mut self, rule: &DependencyRule) -> Result<Vec<Place>, Fault> {
        let path = match rule.version {
            Some(_) => None,
            None if self.support.contains(&rule.krate) => {
                Some(self.support.path_from_port(self.layout, &rule.krate))
            }
            None => {
                let known: Vec<&str> = self.support.packages().collect();
                return Err(Fault::Other(anyhow!(
                    "`{}` is no support crate, so it needs a `version`; support crates are: {}",
                    rule.krate,
                    known.join(", ")
                )));
            }
        };
        manifest::add_dependency(&mut self.document, rule, path.as_deref())
            .context(manifest::FILE)?;
        Ok(one(manifest::FILE))
    }

    fn feature(&mut self, rule: &FeatureRule) -> Result<Vec<Place>, Fault> {
        let expected = self.expected(&rule.matches, manifest::FILE)?;
        let count = manifest::add_features(&mut self.document, &rule.target, &rule.adds)?;
        if count != expected {
            return Err(Fault::Miss(Miss {
                file: manifest::FILE.into(),
                item: Some(rule.target.to_string()),
                expected: places(expected),
                found: places(count),
            }));
        }
        Ok(vec![Place {
            file: manifest::FILE.into(),
            item: Some(rule.target.to_string()),
            count,
        }])
    }
}

fn one(file: &str) -> Vec<Place> {
    vec![Place {
        file: file.to_string(),
        item: None,
        count: 1,
    }]
}

fn utf8<'a>(file: &str, bytes: &'a [u8]) -> anyhow::Result<&'a str> {
    std::str::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))
}

fn glob_set(globs: &[String]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        // `*` stops at `/`, `**` does not.
        let glob = GlobBuilder::new(glob).literal_separator(true).build();
        set.add(glob.context("in the key `files`")?);
    }
    set.build().context("in the key `files`")
}
