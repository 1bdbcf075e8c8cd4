//! Carrying out a port.

use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::error::{Error, Fault, Mismatch, Result};
use super::ported::{HASH_SHOWN, Layout, Ported, RuleReport};
use super::publish::{Stamp, publish};
use super::rules::{Action, Rule};
use super::source::Port;
use super::support::Support;
use super::tree::{Hash, Tree};
use super::upstream::Upstream;
use super::work::Work;
use super::{checkout, lints, manifest, notice};

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
    let input = input_hash(port, &rules, upstream, &tree, support, layout);
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
) -> String {
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
        for (path, bytes) in port.source.named(path) {
            hash.part(path, bytes);
        }
    }
    hash.hex()
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
    let mut document =
        manifest::parse(&original[manifest::FILE]).with_context(|| named(manifest::FILE))?;
    if upstream.checksum.is_none() {
        checkout::stand_alone(&mut document, &upstream.dir)
            .with_context(|| named(manifest::FILE))?;
    }
    let mut work = Work {
        lib: manifest::lib_path(&document),
        files: original.clone(),
        document,
        source: &port.source,
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
        lib,
        ..
    } = work;
    files.insert(manifest::FILE.into(), document.to_string().into_bytes());
    // What cannot be read as Rust is the compiler's to tell of.
    if let Some(root) = files.get_mut(&lib)
        && let Ok(text) = std::str::from_utf8(root)
        && let Ok(Some(allowed)) = lints::allowed(text)
    {
        *root = allowed.into_bytes();
    }
    let text = notice::text(port, upstream, &reports);
    files.insert(notice::FILE.into(), text.into_bytes());
    Ok((files, reports))
}
