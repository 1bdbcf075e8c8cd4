//! `docs/ports.md` is complete, and its examples hold.
//!
//! What the parser knows is asked of the parser: it names all keys when it refuses
//! one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use port_engine::{
    Error, Gate, Layout, PORT_FILE, Port, PortSource, Ports, SUITE_FILE, Support, Upstream, apply,
};
use semver::Version;

/// A block of code of the document.
struct Block {
    /// The heading that it stands below.
    heading: String,
    /// The file that it is, where the line before names one.
    path: Option<String>,
    text: String,
}

/// The document, taken apart.
#[derive(Default)]
struct Reference {
    blocks: Vec<Block>,
    /// The words in the first column of the tables, by heading and the table's number
    /// below it.
    tables: Vec<(String, BTreeSet<String>)>,
}

impl Reference {
    fn read() -> Reference {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ports.md");
        let text = fs::read_to_string(path).unwrap();
        let mut reference = Reference::default();
        let mut heading = String::new();
        let mut path = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix('#') {
                heading = name.trim_start_matches('#').replace('`', "");
                heading = heading.trim().to_string();
            } else if line.starts_with("```") {
                let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                reference.blocks.push(Block {
                    heading: heading.clone(),
                    path: path.take(),
                    text: text.join("\n") + "\n",
                });
            } else if line.starts_with("|---") {
                reference.tables.push((heading.clone(), BTreeSet::new()));
            } else if let Some(row) = line.strip_prefix("| `") {
                let cell = row.split(" | ").next().unwrap();
                let words = cell.split('`').step_by(2).map(str::to_string);
                let words = words.filter(|word| !word.is_empty());
                reference.tables.last_mut().unwrap().1.extend(words);
            }
            let words: Vec<&str> = line.split('`').collect();
            match words.as_slice() {
                ["", file, ""] => path = Some((*file).to_string()),
                [""] => {}
                _ => path = None,
            }
        }
        reference
    }

    /// The files below a folder of the document.
    fn files(&self, folder: &str) -> BTreeMap<String, String> {
        let blocks = self.blocks.iter().filter_map(|block| {
            let inner = block.path.as_ref()?.strip_prefix(folder)?;
            Some((inner.to_string(), block.text.clone()))
        });
        blocks.collect()
    }

    /// The examples of rules, which are no file of their own.
    fn rules(&self) -> Vec<(&str, &str)> {
        let blocks = self.blocks.iter();
        let rules = blocks.filter(|b| b.path.is_none() && b.text.starts_with("[[rule]]"));
        rules
            .map(|b| (b.heading.as_str(), b.text.as_str()))
            .collect()
    }

    /// The words of the only table below a heading, or of the `nth`.
    fn table(&self, heading: &str, nth: usize) -> &BTreeSet<String> {
        let mut tables = self.tables.iter().filter(|(name, _)| name == heading);
        match tables.nth(nth) {
            Some((_, words)) => words,
            None => panic!("no table {nth} below `{heading}`"),
        }
    }

    /// The port of the document, with these rules and a file of ours instead of one.
    fn port(&self, rules: &str, extra: &[(&str, String)]) -> Result<Port, Error> {
        let mut files = self.files("ports/pond/");
        files.get_mut(PORT_FILE).unwrap().push_str(rules);
        for (path, text) in extra {
            files.insert((*path).to_string(), text.clone());
        }
        Port::load(&PortSource {
            label: "ports/pond".into(),
            files: files
                .into_iter()
                .map(|(path, text)| (path, Cow::Owned(text.into_bytes())))
                .collect(),
        })
    }

    fn support(&self) -> Support {
        let mut files = self.files("shims/");
        for (path, text) in self.files("pond-host/") {
            files.insert(format!("pond-host/{path}"), text);
        }
        Support::from_files(files).unwrap()
    }
}

/// The words that an error quotes, without the first: that is what it refuses.
fn quoted<T>(result: Result<T, Error>) -> BTreeSet<String> {
    let Err(Error::Other(error)) = result else {
        panic!("it was not refused");
    };
    let text = format!("{error:#}");
    let at = text
        .find("`zzz`")
        .unwrap_or_else(|| panic!("not about the key: {text}"));
    // The next line tells where the key is.
    let list = text[at + "`zzz`".len()..].lines().next().unwrap();
    let words: BTreeSet<String> = list
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_string)
        .collect();
    assert!(!words.is_empty(), "{text}");
    words
}

fn rule(rest: &str) -> String {
    format!("\n[[rule]]\nname = 'x'\nwhy = 'x'\n{rest}\n")
}

fn kinds(reference: &Reference) -> BTreeSet<String> {
    quoted(reference.port(&rule("kind = 'zzz'"), &[]))
}

#[test]
fn every_key_of_every_kind_has_an_entry() {
    let reference = Reference::read();
    let kinds = kinds(&reference);
    assert!(kinds.contains("own-file"), "{kinds:?}");
    let common = reference.table("Every rule", 0);
    for kind in &kinds {
        let known = quoted(reference.port(&rule(&format!("kind = '{kind}'\nzzz = 1")), &[]));
        let documented: BTreeSet<String> =
            common.union(reference.table(kind, 0)).cloned().collect();
        assert_eq!(documented, known, "kind {kind}");
    }
}

#[test]
fn every_key_of_every_table_has_an_entry() {
    let reference = Reference::read();
    let head = "zzz = 1\n";
    assert_eq!(
        reference.table("[port]", 0),
        &quoted(reference.port(head, &[]))
    );

    let library = "[library]\nzzz = 1\n";
    assert_eq!(
        reference.table("[library]", 0),
        &quoted(reference.port(library, &[]))
    );
    let blocks = reference.blocks.iter();
    let mut examples = blocks.filter(|block| block.text.starts_with("[library]"));
    let example = &examples.next().unwrap().text;
    let port = reference.port(example, &[]).unwrap();
    assert!(port.library(&Version::new(1, 2, 3)).is_some());
    let evidence = "[evidence]\nzzz = 1\n";
    assert_eq!(
        reference.table("[evidence]", 0),
        &quoted(reference.port(evidence, &[]))
    );

    let suite = "[suite]\nzzz = 1\n".to_string();
    let port = reference.port("", &[(SUITE_FILE, suite)]).unwrap();
    assert_eq!(reference.table("suite.toml", 0), &quoted(port.suite()));

    let edit = rule("kind = 'edit'\nfile = 'a'\nreplace = { zzz = 1 }");
    assert_eq!(
        reference.table("edit", 1),
        &quoted(reference.port(&edit, &[]))
    );

    let cfg = "kind = 'cfg'\nfiles = []\npredicate = 'x'\nbecomes = 'y'\n";
    let counts = rule(&format!("{cfg}matches = [{{ zzz = 1 }}]"));
    assert_eq!(
        reference.table("Counting", 0),
        &quoted(reference.port(&counts, &[]))
    );

    let package = "[package]\nname = 'a'\nversion = '1.0.0'\n\
                   [package.metadata.port-support]\nzzz = 1\n";
    let refused = Support::from_files([("a/Cargo.toml", package)]);
    assert_eq!(reference.table("Support crates", 0), &quoted(refused));
}

#[test]
fn every_keyword_of_an_item_has_an_entry() {
    let reference = Reference::read();
    let edit = rule("kind = 'edit'\nfile = 'a'\nitem = 'zzz x'\nbody = ''");
    let Err(Error::Other(error)) = reference.port(&edit, &[]) else {
        panic!("it was not refused");
    };
    let text = format!("{error:#}");
    let (_, list) = text.split_once("none of: ").unwrap();
    let known: BTreeSet<String> = list.split(", ").map(str::to_string).collect();
    assert_eq!(reference.table("Items", 0), &known);
}

#[test]
fn every_kind_has_an_example() {
    let reference = Reference::read();
    let rules = reference.rules();
    for kind in kinds(&reference) {
        let examples = rules.iter().filter(|(heading, _)| *heading == kind);
        let texts: Vec<&str> = examples.map(|(_, text)| *text).collect();
        assert!(!texts.is_empty(), "no example of {kind}");
        let port = reference.port(&texts.concat(), &[]);
        port.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
    }
}

/// The crate of the document, as cargo unpacks one.
fn upstream(reference: &Reference, folder: &Path) -> Upstream {
    unpacked(reference, "pond", Version::new(1, 2, 3), folder)
}

/// A crate of the document, in a folder.
fn unpacked(reference: &Reference, name: &str, version: Version, folder: &Path) -> Upstream {
    for (path, text) in reference.files(&format!("{name}/")) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Upstream {
        name: name.into(),
        version,
        checksum: None,
        dir: folder.to_path_buf(),
    }
}

#[test]
fn the_port_by_evidence_finds_its_crate_and_applies() {
    let reference = Reference::read();
    let files = reference.files("ports/pages/").into_iter();
    let files = files.map(|(path, text)| (format!("ports/pages/{path}"), text.into_bytes()));
    let ports = Ports::from_files(files.map(|(path, text)| (path, Cow::Owned(text)))).unwrap();
    assert_eq!(ports.iter().count(), 0);
    let [port] = &Vec::from_iter(ports.by_evidence())[..] else {
        panic!("not one port by evidence");
    };
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("puddle");
    let upstream = unpacked(&reference, "puddle", Version::new(0, 3, 0), &folder);
    let gates = port.gates(&upstream).unwrap();
    let first = Gate {
        file: "src/lib.rs".into(),
        line: 1,
    };
    assert_eq!((gates.first, gates.unless), (Some(first), None));

    let mut ports = ports.clone();
    assert!(ports.is_free("puddle"));
    ports.take(port, &upstream.name, &upstream.version).unwrap();
    let port = ports.get("puddle").unwrap();
    assert!(port.has_native_dependencies(&upstream.version));
    // Nobody asked for another release.
    assert!(port.is_unchanged(&Version::new(0, 3, 1)));
    let out = temp.path().join("out");
    let ported = apply(port, &upstream, &reference.support(), &out, Layout::Vendor);
    let ported = ported.unwrap_or_else(|error| panic!("{error:?}"));
    let counts: Vec<usize> = ported.rules.iter().map(|rule| rule.count()).collect();
    assert_eq!(counts, [4]);
}

#[test]
fn the_examples_apply_to_the_crate_of_the_document() {
    let reference = Reference::read();
    let temp = tempfile::tempdir().unwrap();
    let upstream = upstream(&reference, &temp.path().join("pond"));
    let rules: Vec<&str> = reference.rules().iter().map(|(_, text)| *text).collect();
    let port = reference.port(&rules.join("\n"), &[]).unwrap();
    assert!(port.supports(&upstream.version));
    let out = temp.path().join("out");
    let (_, with_suite) = port.suite().unwrap().unwrap();
    let ported = apply(
        &with_suite,
        &upstream,
        &reference.support(),
        &out,
        Layout::Vendor,
    );
    let ported = ported.unwrap_or_else(|error| panic!("{error:?}"));
    let count = rules.concat().matches("[[rule]]").count();
    assert_eq!(ported.rules.len(), count + 1, "with that of the suite");

    // The order that the document tells.
    let kind_of = |name: &str| {
        let all = rules.concat();
        let (_, rest) = all.split_once(&format!("name = \"{name}\"")).unwrap();
        let (_, rest) = rest.split_once("kind = \"").unwrap();
        rest.split('"').next().unwrap().to_string()
    };
    let names = ported.rules.iter().map(|rule| rule.name.as_str());
    let mut order: Vec<String> = names
        .filter(|name| !name.starts_with("suite"))
        .map(kind_of)
        .collect();
    order.dedup();
    let order: Vec<&str> = order.iter().map(String::as_str).collect();
    assert_eq!(order[..4], ["cfg", "edit", "own-file", "append"]);
    let lib = fs::read_to_string(ported.dir.join("src/lib.rs")).unwrap();
    assert!(lib.contains("pub(crate) mod bank;"), "{lib}");
    assert!(lib.contains("extern crate pond_std as std;"), "{lib}");
}

#[test]
fn each_example_applies_by_itself() {
    let reference = Reference::read();
    for (heading, rules) in reference.rules() {
        let temp = tempfile::tempdir().unwrap();
        let upstream = upstream(&reference, &temp.path().join("pond"));
        let port = reference.port(rules, &[]).unwrap();
        let out = temp.path().join("out");
        let ported = apply(&port, &upstream, &reference.support(), &out, Layout::Vendor);
        ported.unwrap_or_else(|error| panic!("{heading}: {error:?}"));
    }
}
