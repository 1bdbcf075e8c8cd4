//! The manifest of a support crate, made to stand alone beside its siblings.

use anyhow::{Context as _, ensure};
use toml_edit::{DocumentMut, Item, value};

use super::manifest;

/// A manifest of some workspace as one that needs no workspace. Its dependencies
/// by path must be on support crates: `is_sibling` knows their packages, which lie
/// beside it afterwards.
pub(super) fn manifest(text: &str, is_sibling: impl Fn(&str) -> bool) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse()?;
    for key in ["dev-dependencies", "test", "bench", "lints"] {
        document.remove(key);
    }
    if let Some(examples) = document
        .get_mut("example")
        .and_then(Item::as_array_of_tables_mut)
    {
        // The others stay at home, as tests do.
        examples.retain(|example| {
            let path = example.get("path").and_then(Item::as_str);
            path.is_some_and(|path| path.starts_with("src/"))
        });
    }
    if let Some(package) = document.get_mut("package").and_then(Item::as_table_mut) {
        let inherited: Vec<String> = package
            .iter()
            .filter(|(_, item)| is_inherited(item))
            .map(|(key, _)| key.to_string())
            .collect();
        for key in inherited {
            ensure!(
                !matches!(key.as_str(), "version" | "edition"),
                "`{key}` has to be stated, not inherited: the crate is also used outside its workspace"
            );
            package.remove(&key);
        }
        // Paths out of the folder do not exist elsewhere, and a copy declares nothing.
        for key in ["readme", "license-file", "metadata"] {
            package.remove(key);
        }
        package.insert("publish", value(false));
    }
    let mut tables = vec![document.as_table_mut()];
    while let Some(table) = tables.pop() {
        for (key, item) in table.iter_mut() {
            match key.get() {
                "dependencies" | "build-dependencies" => dependencies(item, &is_sibling)?,
                "dev-dependencies" => *item = Item::None,
                _ => {}
            }
        }
        if let Some(targets) = table.get_mut("target").and_then(Item::as_table_mut) {
            tables.extend(
                targets
                    .iter_mut()
                    .filter_map(|(_, item)| item.as_table_mut()),
            );
        }
    }
    manifest::normalise(&mut document);
    Ok(document.to_string())
}

fn is_inherited(item: &Item) -> bool {
    item.as_table_like()
        .is_some_and(|table| table.contains_key("workspace"))
}

fn dependencies(item: &mut Item, is_sibling: &impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let Some(table) = item.as_table_like_mut() else {
        return Ok(());
    };
    for (key, dependency) in table.iter_mut() {
        let name = key.get().to_string();
        ensure!(
            !is_inherited(dependency),
            "the dependency `{name}` has to be stated, not inherited"
        );
        let Some(fields) = dependency
            .as_table_like_mut()
            .filter(|fields| fields.contains_key("path"))
        else {
            continue;
        };
        let package = fields.get("package").and_then(Item::as_str);
        let package = package.unwrap_or(&name).to_string();
        ensure!(
            is_sibling(&package),
            "the dependency `{package}` has a path, and is no support crate"
        );
        fields.insert("path", value(format!("../{package}")));
    }
    Ok(())
}

/// The key `package.NAME` of a manifest, which must be a string.
pub(super) fn package_key(document: &toml::Table, key: &str) -> anyhow::Result<String> {
    document
        .get("package")
        .and_then(|package| package.get(key)?.as_str())
        .map(str::to_string)
        .with_context(|| format!("`package.{key}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_are_found_by_their_package() {
        let text = "[package]\nname = 'a'\nversion = '1.0.0'\nlicense.workspace = true\n\
                    readme = '../README.md'\n[package.metadata.x]\ny = 1\n\
                    [dependencies]\nhost = { path = '../../deep/host', features = ['f'] }\nlog = '1'\n\
                    [target.'cfg(unix)'.dependencies]\nother = { package = 'host', path = '../h' }\n\
                    [target.'cfg(unix)'.dev-dependencies]\ngone = { path = '../gone' }\n\
                    [dev-dependencies]\ngone = { path = '../gone' }\n[lints]\nworkspace = true\n";
        let made = manifest(text, |package| package == "host").unwrap();
        let made: toml::Table = made.parse().unwrap();
        assert_eq!(
            made["dependencies"]["host"]["path"].as_str(),
            Some("../host")
        );
        assert_eq!(made["dependencies"]["log"].as_str(), Some("1"));
        let target = &made["target"]["cfg(unix)"];
        assert_eq!(
            target["dependencies"]["other"]["path"].as_str(),
            Some("../host")
        );
        assert!(target.get("dev-dependencies").is_none() && !made.contains_key("dev-dependencies"));
        let package = made["package"].as_table().unwrap();
        let keys: Vec<&String> = package.keys().collect();
        assert_eq!(keys, ["name", "publish", "version"]);
    }

    #[test]
    fn an_example_stays_where_its_file_does() {
        let text = "[package]\nname = 'a'\nversion = '1.0.0'\n\
                    [[example]]\nname = 'one'\npath = 'src/one.rs'\n\
                    [[example]]\nname = 'two'\n[[test]]\nname = 'three'\npath = 'src/3.rs'\n";
        let made: toml::Table = manifest(text, |_| false).unwrap().parse().unwrap();
        let examples = made["example"].as_array().unwrap();
        let names: Vec<_> = examples.iter().map(|each| each["name"].as_str()).collect();
        assert_eq!(names, [Some("one")]);
        assert!(!made.contains_key("test"));
    }

    #[test]
    fn what_cannot_stand_alone_is_refused() {
        let refused = |text: &str| manifest(text, |_| false).unwrap_err().to_string();
        let path = "[package]\nname = 'a'\n[dependencies]\nb = { path = '../b' }\n";
        assert!(
            refused(path).contains("`b` has a path"),
            "{}",
            refused(path)
        );
        let inherited = "[package]\nname = 'a'\nversion.workspace = true\n";
        assert!(refused(inherited).contains("`version`"));
        let dependency = "[package]\nname = 'a'\n[dependencies]\nb.workspace = true\n";
        assert!(refused(dependency).contains("`b` has to be stated"));
    }
}
