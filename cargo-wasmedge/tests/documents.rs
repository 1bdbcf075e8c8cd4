//! The documents say what holds: their generated parts are up to date, what they
//! show as a program is a program that is tested, and their links lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_wasmedge::config::{self, Layer};
use snapbox::{Data, assert_data_eq};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn read(path: &str) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All documents, relative to the repository.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = ["", "docs", "deploy", "cargo-wasmedge", "examples"]
        .map(|folder| repository().join(folder))
        .to_vec();
    folders.extend(examples());
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let path = path.strip_prefix(repository()).unwrap();
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The folders of the apps in `examples`.
fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("examples")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders
        .filter(|path| path.join("Cargo.toml").is_file())
        .collect()
}

/// Everything between `<!-- generated: NAME -->` and `<!-- end -->` replaced by the
/// part of that name.
fn with_parts(text: &str, parts: &[(&str, String)]) -> String {
    let mut text = text.to_owned();
    for (name, part) in parts {
        let start = format!("<!-- generated: {name} -->\n");
        let (front, rest) = text.split_once(&start).expect(&start);
        let (_, back) = rest.split_once("<!-- end -->").expect("an end");
        text = format!("{front}{start}{part}<!-- end -->{back}");
    }
    text
}

/// `SNAPSHOTS=overwrite cargo test -p cargo-wasmedge --test documents` writes them.
#[test]
fn the_settings_page_is_what_the_table_says() {
    let page = with_parts(&read("docs/settings.md"), &config::reference());
    let path = repository().join("docs/settings.md");
    assert_data_eq!(page, Data::read_from(&path, None).raw());
}

#[test]
fn the_environment_page_is_what_the_table_says() {
    let page = with_parts(&read("docs/environment.md"), &[config::environment()]);
    let path = repository().join("docs/environment.md");
    assert_data_eq!(page, Data::read_from(&path, None).raw());
}

#[test]
fn the_migration_page_has_the_forks_of_the_table() {
    let table = cargo_wasmedge::resolve::leftovers::table();
    let page = with_parts(&read("docs/migration.md"), &[table]);
    let path = repository().join("docs/migration.md");
    assert_data_eq!(page, Data::read_from(&path, None).raw());
}

#[test]
fn manifests_in_the_documents_have_known_keys_and_values() {
    let mut seen = 0;
    for document in documents() {
        for block in blocks(&read(&document), "toml") {
            for root in ["package", "workspace"] {
                let read = Layer::from_manifest(&block, root, Path::new("/app/Cargo.toml"));
                let (layer, unknown) = read.unwrap_or_else(|error| panic!("{document}: {error:?}"));
                assert!(unknown.is_empty(), "{document}: {}", unknown[0]);
                seen += usize::from(layer != Layer::default());
            }
        }
    }
    assert!(seen >= config::SETTINGS.len(), "only {seen} examples");
}

/// So that none is forgotten in `config/variables.rs`.
#[test]
fn every_variable_in_the_sources_is_documented() {
    let page = read("docs/settings.md");
    let names = variables_in(&repository().join("cargo-wasmedge/src"));
    assert!(names.contains("CARGO_WASMEDGE_HOME"), "{names:?}");
    for name in names {
        // Set by the build script for the compiler, not read when the command runs.
        if name != "CARGO_WASMEDGE_ENGINE_HASH" {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}

/// Strings of the form `"CARGO_WASMEDGE_NAME"`.
fn variables_in(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in walkdir::WalkDir::new(folder) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for part in text.split("\"CARGO_WASMEDGE_").skip(1) {
                let name: String = part
                    .chars()
                    .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                    .collect();
                if part[name.len()..].starts_with('"') {
                    names.insert(format!("CARGO_WASMEDGE_{name}"));
                }
            }
        }
    }
    names
}

/// `tests-integration/tests/acceptance.rs` runs that file, natively and under WasmEdge.
#[test]
fn the_server_in_the_readme_is_the_one_that_is_tested() {
    let program = read("tests-integration/apps/readme/src/main.rs");
    let shown = blocks(&read("README.md"), "rust");
    assert_eq!(shown, [program]);
}

/// `cargo xtask compat` runs that file, natively and under WasmEdge.
#[test]
fn the_program_that_can_be_watched_is_the_one_that_is_tested() {
    let program = read("examples/watched/src/main.rs");
    assert_eq!(blocks(&read("docs/watch.md"), "rust"), [program]);
}

/// `cargo xtask compat` runs those files, natively and under WasmEdge.
#[test]
fn the_apps_of_the_ten_minutes_are_those_that_are_tested() {
    let page = read("docs/ten-minutes.md");
    let programs = [
        "tests-integration/apps/readme",
        "examples/api",
        "examples/https-client",
    ];
    let sources = programs.map(|app| read(&format!("{app}/src/main.rs")));
    assert_eq!(blocks(&page, "rust"), sources);
    let typed: Vec<_> = page.split("$ cargo new ").skip(1).map(added).collect();
    let tested = programs.map(|app| {
        let manifest: toml::Table = read(&format!("{app}/Cargo.toml")).parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        let entries = dependencies.iter();
        entries
            .map(|(name, entry)| {
                let features = entry.get("features").and_then(toml::Value::as_array);
                let features = features.into_iter().flatten();
                let features = features.map(|feature| feature.as_str().unwrap().to_owned());
                (name.clone(), features.collect())
            })
            .collect()
    });
    assert_eq!(typed, tested);
}

/// What the commands `cargo add` in a text add, with its features.
fn added(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut added = BTreeMap::new();
    for line in text.lines() {
        let Some(words) = line.strip_prefix("$ cargo add ") else {
            continue;
        };
        let (names, features) = words.split_once(" --features ").unwrap_or((words, ""));
        let features = features.split(',').filter(|feature| !feature.is_empty());
        let features: BTreeSet<_> = features.map(str::to_owned).collect();
        for name in names.split_whitespace() {
            added.insert(name.to_owned(), features.clone());
        }
    }
    added
}

/// mdBook leaves out what its table of contents lacks, and says nothing.
#[test]
fn the_book_has_every_page() {
    let linked: BTreeSet<_> = links(&read("docs/SUMMARY.md"))
        .into_iter()
        .map(|page| format!("docs/{page}"))
        .collect();
    let pages: BTreeSet<_> = documents()
        .into_iter()
        .filter(|page| page.starts_with("docs/") && page != "docs/SUMMARY.md")
        .collect();
    assert_eq!(linked, pages);
}

#[test]
fn every_example_is_listed_and_has_its_commands() {
    let list = read("docs/examples.md");
    for folder in examples() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let link = format!("(../examples/{name})");
        assert!(list.contains(&link), "docs/examples.md has no {name}");
        let readme = read(&format!("examples/{name}/README.md"));
        assert!(readme.contains("cargo wasmedge run"), "{name}");
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut broken = Vec::new();
    for document in documents() {
        for link in links(&read(&document)) {
            if !link.starts_with("https://") && !leads_somewhere(&document, &link) {
                broken.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

fn leads_somewhere(document: &str, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let document = repository().join(document);
    let target = match file {
        "" => document,
        file => document.parent().unwrap().join(file),
    };
    match heading {
        "" => target.exists(),
        heading => fs::read_to_string(&target)
            .is_ok_and(|text| headings(&text).any(|known| known == heading)),
    }
}

/// The code blocks of a kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut within = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), within) {
            (Some(_), Some(_)) => within = None,
            (Some(opened), None) => {
                within = Some(opened == kind);
                if opened == kind {
                    found.push(String::new());
                }
            }
            (None, Some(true)) => *found.last_mut().unwrap() += &format!("{line}\n"),
            (None, _) => {}
        }
    }
    found
}

/// What `[text](link)` and `[name]: link` lead to, outside of code blocks.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut within = false;
    for line in text.lines() {
        if line.starts_with("```") {
            within = !within;
        }
        if within {
            continue;
        }
        for part in line.split("](").skip(1) {
            found.push(part.split(')').next().unwrap().to_owned());
        }
        if line.starts_with('[')
            && let Some((_, link)) = line.split_once("]: ")
        {
            found.push(link.to_owned());
        }
    }
    found
}

/// The anchors of a document's headings, as GitHub makes them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter_map(|c| match c {
                    ' ' => Some('-'),
                    c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                    _ => None,
                })
                .collect()
        })
}
