//! A crate on its way from upstream to ported: carrying out one rule after the other.

use anyhow::{Context as _, anyhow};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use semver::Version;
use toml_edit::DocumentMut;

use super::error::{Fault, Miss, places};
use super::matches::{Count, Matches};
use super::ported::{Layout, Place};
use super::rules::{
    Action, CfgRule, DependencyRule, EditRule, FacadeRule, FeatureRule, OwnFileRule, Rule, Text,
};
use super::source::PortSource;
use super::support::Support;
use super::tally::Tally;
use super::target::P1;
use super::tokens::{lex_pattern, may_hold};
use super::tree::Tree;
use super::{cfg, edit, manifest, modules};

/// The crate, and what its rules may look at.
pub(super) struct Work<'a> {
    pub files: Tree,
    /// `Cargo.toml`, which `files` holds as upstream wrote it.
    pub document: DocumentMut,
    /// The library's root module.
    pub lib: String,
    /// The port's own files.
    pub source: &'a PortSource,
    pub version: &'a Version,
    pub support: &'a Support,
    pub layout: Layout,
}

impl Work<'_> {
    /// Carries out one rule; gives the places.
    pub fn carry_out(&mut self, rule: &Rule) -> Result<Vec<Place>, Fault> {
        match &rule.action {
            Action::Cfg(rule) => self.cfg(rule),
            Action::Edit(rule) => self.edit(rule),
            Action::OwnFile(rule) => self.own_file(rule),
            Action::Append { file, text } => {
                let text = match text {
                    Text::Inline(text) => text.clone(),
                    Text::From(from) => utf8(from, self.source.file(from)?)?.to_string(),
                };
                self.append(file, &text)
            }
            Action::Facade(rule) => self.facade(rule),
            Action::Dependency(rule) => self.dependency(rule),
            Action::Feature(rule) => self.feature(rule),
        }
    }

    fn expected(&self, matches: &Matches, file: &str) -> Result<Count, Fault> {
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
        let bytes = self.files.get(file).ok_or_else(|| no_file(file))?;
        Ok(utf8(file, bytes)?)
    }

    fn cfg(&mut self, rule: &CfgRule) -> Result<Vec<Place>, Fault> {
        let files = rule.files.join(", ");
        let globs = glob_set(&rule.files)?;
        let predicate = lex_pattern(&rule.predicate).context("in the key `predicate`")?;
        let mut all = Tally::default();
        let mut texts = Vec::new();
        let candidates = self.files.iter().filter(|(file, bytes)| {
            globs.is_match(file)
                && *file != manifest::FILE
                && std::str::from_utf8(bytes).is_ok_and(|text| may_hold(text, &predicate))
        });
        for (file, bytes) in candidates {
            let text = utf8(file, bytes)?;
            if let Some(text) = cfg::switch(rule, &predicate, file, text, &mut all)? {
                texts.push((file.clone(), text.into_bytes()));
            }
        }
        self.files.extend(texts);
        if globs.is_match(manifest::FILE) && rule.items.is_empty() {
            let count = manifest::switch_cfg(&mut self.document, &predicate, &rule.becomes)
                .context(manifest::FILE)?;
            all.add(manifest::FILE, None, count);
        }
        let expected = self.expected(&rule.matches, &files)?;
        all.check(&files, &rule.items, expected)
    }

    fn edit(&mut self, rule: &EditRule) -> Result<Vec<Place>, Fault> {
        let label = rule.files.join(", ");
        let expected = self.expected(&rule.matches, &label)?;
        let mut all = Tally::default();
        for file in self.named(&rule.files, expected)? {
            let text = edit::carry_out(rule, &file, self.text(&file)?, &mut all)?;
            self.files.insert(file, text.into_bytes());
        }
        all.check(&label, &rule.items, expected)
    }

    /// The files that globs name; each has to name one, unless the rule may find nothing.
    fn named(&self, globs: &[String], expected: Count) -> Result<Vec<String>, Fault> {
        for glob in globs {
            let one = glob_set(std::slice::from_ref(glob))?;
            if !expected.allows(0) && !self.files.keys().any(|file| one.is_match(file)) {
                return Err(no_file(glob).into());
            }
        }
        let set = glob_set(globs)?;
        let names = self.files.keys().filter(|file| set.is_match(file));
        Ok(names.cloned().collect())
    }

    fn own_file(&mut self, rule: &OwnFileRule) -> Result<Vec<Place>, Fault> {
        let source = self.source;
        let mut done = Vec::new();
        for (from, bytes) in source.named(&rule.from) {
            let file = match from.strip_prefix(&rule.from) {
                None | Some("") => rule.file.clone(),
                Some(inner) => format!("{}{inner}", rule.file),
            };
            if self.files.contains_key(&file) != rule.replaces {
                let (expected, found) = if rule.replaces {
                    ("an upstream file to replace", "no such file")
                } else {
                    ("no upstream file of that name", "one")
                };
                return Err(Fault::Miss(Miss {
                    file,
                    item: None,
                    expected: expected.into(),
                    found: found.into(),
                }));
            }
            done.extend(one(&file));
            self.files.insert(file, bytes.to_vec());
        }
        if let Some(module) = &rule.module {
            let file = &rule.file;
            let parent = modules::parent(file, &self.lib, |path| self.files.contains_key(path))?;
            done.extend(self.append(&parent, &modules::declaration(file, module))?);
        }
        Ok(done)
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
        if !expected.allows(roots.len()) {
            return Err(Fault::Miss(Miss {
                file: files,
                item: None,
                expected: expected.to_string(),
                found: places(roots.len()),
            }));
        }
        for root in roots {
            done.extend(self.append(&root, &line)?);
        }
        Ok(done)
    }

    fn dependency(&mut self, rule: &DependencyRule) -> Result<Vec<Place>, Fault> {
        let is_ours = self.support.contains(&rule.krate);
        if is_ours == rule.version.is_some() {
            let known: Vec<&str> = self.support.packages().collect();
            return Err(Fault::Other(anyhow!(
                "`version` is needed for every crate but the support crates, which are: {}",
                known.join(", ")
            )));
        }
        let path = is_ours.then(|| self.support.path_from_port(self.layout, &rule.krate));
        manifest::add_dependency(&mut self.document, rule, path.as_deref())
            .context(manifest::FILE)?;
        Ok(one(manifest::FILE))
    }

    fn feature(&mut self, rule: &FeatureRule) -> Result<Vec<Place>, Fault> {
        let expected = self.expected(&rule.matches, manifest::FILE)?;
        let count = manifest::add_features(&mut self.document, &rule.target, &rule.adds)?;
        if !expected.allows(count) {
            return Err(Fault::Miss(Miss {
                file: manifest::FILE.into(),
                item: Some(rule.target.to_string()),
                expected: expected.to_string(),
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

fn no_file(file: &str) -> Miss {
    Miss {
        file: file.to_string(),
        item: None,
        expected: "the file".into(),
        found: "no such file".into(),
    }
}

fn utf8<'a>(file: &str, bytes: &'a [u8]) -> anyhow::Result<&'a str> {
    std::str::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))
}

pub(super) fn glob_set(globs: &[String]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        // `*` stops at `/`, `**` does not.
        let glob = GlobBuilder::new(glob).literal_separator(true).build();
        set.add(glob.context("in the key `files`")?);
    }
    set.build().context("in the key `files`")
}
