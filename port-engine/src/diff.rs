//! Upstream against ported, for people to read.

use std::collections::BTreeSet;
use std::path::Path;

use similar::TextDiff;

use super::error::Result;
use super::publish::STAMP;
use super::tree::read_tree;
use super::upstream::is_cargos;

/// A unified diff from the folder `upstream` to the folder `ported`, sorted by
/// file. Empty when they hold the same.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn diff(upstream: &Path, ported: &Path) -> Result<String> {
    let skip = |path: &str| is_cargos(path) || path == STAMP || path == "Cargo.lock";
    let old = read_tree(upstream, skip)?;
    let new = read_tree(ported, skip)?;
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut out = String::new();
    for path in paths {
        let (before, after) = (old.get(path), new.get(path));
        if before == after {
            continue;
        }
        let name = |side: &str, there: bool| match there {
            true => format!("{side}/{path}"),
            false => "/dev/null".to_string(),
        };
        let (a, b) = (name("a", before.is_some()), name("b", after.is_some()));
        let text =
            |bytes: Option<&Vec<u8>>| String::from_utf8(bytes.cloned().unwrap_or_default()).ok();
        match (text(before), text(after)) {
            (Some(before), Some(after)) => {
                let diff = TextDiff::from_lines(&before, &after);
                out.push_str(
                    &diff
                        .unified_diff()
                        .context_radius(3)
                        .header(&a, &b)
                        .to_string(),
                );
            }
            _ => out.push_str(&format!("Binary files {a} and {b} differ\n")),
        }
    }
    Ok(out)
}
