//! The table of docs/supported.md: what the ports say that they cover, and what of it was
//! built.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::port::{Port, Ports};
use semver::{Comparator, Op, Version, VersionReq};

use crate::app::Used;

/// The page, in the checkout.
pub(crate) const PAGE: &str = "docs/supported.md";

const HEAD: &str = "| crate | releases | built |\n|---|---|---|\n";

/// What was built of a crate, as the page says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Built(String);

impl Built {
    /// `8: 1.51.0 to 1.54.1`; ported ones and those as published apart.
    pub(crate) fn of(releases: &[(Version, Used)]) -> Built {
        let part = |(wanted, note): (Used, &str)| {
            let mut part = releases.iter().filter(|(_, used)| *used == wanted);
            let ((first, _), count) = (part.clone().next()?, part.clone().count());
            let (last, _) = part.next_back()?;
            Some(match count {
                1 => format!("{first}{note}"),
                _ => format!("{count}: {first} to {last}{note}"),
            })
        };
        let parts = [(Used::Ported, ""), (Used::AsPublished, ", as published")];
        let parts: Vec<String> = parts.into_iter().filter_map(part).collect();
        Built(parts.join("; "))
    }
}

/// Compares the page with what the ports say.
///
/// # Errors
/// They differ: the rows are named.
pub(crate) fn check(page: &Path, ports: &Ports) -> Result<()> {
    let text = read(page)?;
    let (_, rows, _) = parts(&text)?;
    let said: BTreeMap<&str, &str> = rows
        .lines()
        .filter_map(cells)
        .map(|c| (c[0], c[1]))
        .collect();
    let wanted: BTreeMap<&str, String> = ports.iter().map(|p| (p.krate(), claim(p))).collect();
    for (name, claim) in &wanted {
        ensure!(
            said.get(name) == Some(&claim.as_str()),
            "{PAGE} has `{}` for {name}, whose port covers `{claim}`",
            said.get(name).unwrap_or(&"nothing"),
        );
    }
    let stale = said.keys().find(|name| !wanted.contains_key(*name));
    ensure!(
        stale.is_none(),
        "{PAGE} has {}, which has no port",
        stale.unwrap_or(&"")
    );
    Ok(())
}

/// Writes the table. Of a crate that was not built the page keeps what it says.
///
/// # Errors
/// The page cannot be read or written, or has no table.
pub(crate) fn write(page: &Path, ports: &Ports, built: &BTreeMap<String, Built>) -> Result<()> {
    let text = read(page)?;
    let (before, rows, after) = parts(&text)?;
    let kept: BTreeMap<&str, &str> = rows
        .lines()
        .filter_map(cells)
        .map(|cells| (cells[0], cells.get(2).copied().unwrap_or_default()))
        .collect();
    let mut new = format!("{before}{HEAD}");
    for port in ports.iter() {
        let name = port.krate();
        let built = built.get(name).map(|built| built.0.as_str());
        let built = built.or(kept.get(name).copied()).unwrap_or_default();
        new += &format!("| {name} | {} | {built} |\n", claim(port));
    }
    new += after;
    fs::write(page, new).with_context(|| format!("cannot write {}", page.display()))
}

fn read(page: &Path) -> Result<String> {
    fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))
}

/// What is before the table, its rows, and what is behind it.
fn parts(text: &str) -> Result<(&str, &str, &str)> {
    let start = text
        .find("| crate |")
        .context("the page has no table of crates")?;
    let table = &text[start..];
    let end = table.find("\n\n").map_or(table.len(), |at| at + 1);
    let rows = table[..end].splitn(3, '\n').nth(2).unwrap_or_default();
    Ok((&text[..start], rows, &table[end..]))
}

fn cells(row: &str) -> Option<Vec<&str>> {
    let inner = row.strip_prefix("| ")?.strip_suffix(" |")?;
    Some(inner.split(" | ").collect())
}

/// `0.7 from 0.7.16, 0.8; others as published`
fn claim(port: &Port) -> String {
    let all: Vec<String> = port.requirements().iter().map(covered).collect();
    let others = if port.is_optional() {
        "; others as published"
    } else {
        ""
    };
    all.join(", ") + others
}

/// A requirement as people say it: its minor releases, where there are a few.
fn covered(req: &VersionReq) -> String {
    match req.comparators.as_slice() {
        [one] if one.op == Op::Tilde && one.patch.is_none() => {
            let minor = one.minor.map(|minor| format!(".{minor}"));
            format!("{}{}", one.major, minor.unwrap_or_default())
        }
        [from, to] if from.op == Op::GreaterEq && to.op == Op::Less => range(from, to),
        _ => req.to_string(),
    }
}

fn range(from: &Comparator, to: &Comparator) -> String {
    let numbers = |c: &Comparator| (c.major, c.minor.unwrap_or(0), c.patch.unwrap_or(0));
    let (first, end) = (numbers(from), numbers(to));
    let shown = |name: String, is_whole: bool, start: String| match is_whole {
        true => name,
        false => format!("{name} from {start}"),
    };
    if (end.0, end.1, end.2) == (first.0 + 1, 0, 0) {
        let start = match first.2 {
            0 => format!("{}.{}", first.0, first.1),
            patch => format!("{}.{}.{patch}", first.0, first.1),
        };
        return shown(first.0.to_string(), (first.1, first.2) == (0, 0), start);
    }
    let one = |minor: u64| {
        let patch = if minor == first.1 { first.2 } else { 0 };
        let name = format!("{}.{minor}", first.0);
        shown(name.clone(), patch == 0, format!("{name}.{patch}"))
    };
    match first.0 == end.0 && end.2 == 0 && end.1 > first.1 {
        true => (first.1..end.1).map(one).collect::<Vec<_>>().join(", "),
        false => format!("{from}, {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports() -> Ports {
        Ports::from_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
    }

    #[test]
    fn the_page_says_what_the_ports_cover() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(PAGE);
        check(&page, &ports()).unwrap();
    }

    #[test]
    fn requirements_are_said_in_minor_releases() {
        for (req, said) in [
            (">=1.51.0, <1.55.0", "1.51, 1.52, 1.53, 1.54"),
            (">=0.7.16, <0.8.0", "0.7 from 0.7.16"),
            (">=0.6.3, <0.8.0", "0.6 from 0.6.3, 0.7"),
            (">=1.0.0, <2.0.0", "1"),
            (">=3.10.0, <4.0.0", "3 from 3.10"),
            (">=3.10.2, <4.0.0", "3 from 3.10.2"),
            ("~1.2", "1.2"),
            ("~1", "1"),
            (">=1.2.0, <1.2.5", ">=1.2.0, <1.2.5"),
            ("^1.2", "^1.2"),
        ] {
            assert_eq!(covered(&req.parse().unwrap()), said);
        }
    }

    #[test]
    fn a_row_says_what_was_built_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        let ports = ports();
        let rows: String = ports
            .iter()
            .map(|port| format!("| {} | old | 1: 0.1.0 |\n", port.krate()))
            .collect();
        fs::write(&page, format!("# A\n\n{HEAD}{rows}\nThe end.\n")).unwrap();
        assert!(check(&page, &ports).is_err());
        let built = [
            ("0.12.22", Used::Ported),
            ("0.12.28", Used::Ported),
            ("0.13.0", Used::AsPublished),
        ];
        let built = Built::of(&built.map(|(text, used)| (text.parse().unwrap(), used)));
        write(&page, &ports, &[("reqwest".to_owned(), built)].into()).unwrap();
        check(&page, &ports).unwrap();
        let text = fs::read_to_string(&page).unwrap();
        assert!(
            text.starts_with("# A\n\n| crate |") && text.ends_with("|\n\nThe end.\n"),
            "{text}"
        );
        assert!(
            text.contains(" | 2: 0.12.22 to 0.12.28; 0.13.0, as published |\n"),
            "{text}"
        );
        assert!(
            text.contains("| whoami | 2.1; others as published | 1: 0.1.0 |\n"),
            "{text}"
        );
        let stale = text.replace("| mio |", "| moi |");
        fs::write(&page, stale).unwrap();
        let error = check(&page, &ports).unwrap_err().to_string();
        assert!(error.contains("`nothing` for mio"), "{error}");
    }
}
