//! The cargo configuration that puts ported crates in the place of upstream's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::port::Ported;

/// The keys of a `[patch.crates-io]` table with the package and the folder of
/// each. Of a package with several versions, all but the first get a key of
/// their own.
pub fn patch_table(ported: &[Ported]) -> BTreeMap<String, (String, PathBuf)> {
    let mut table = BTreeMap::new();
    for each in ported {
        let key = if table.contains_key(&each.name) {
            format!(
                "{}-{}",
                each.name,
                each.version.to_string().replace(['.', '+'], "-")
            )
        } else {
            each.name.clone()
        };
        table.insert(key, (each.name.clone(), each.dir.clone()));
    }
    table
}

/// The table as a cargo configuration file, with the paths as they are.
pub fn patch_config(patches: &BTreeMap<String, (String, PathBuf)>) -> String {
    let mut text = String::from("# Made by cargo-wasmedge.\n[patch.crates-io]\n");
    for (key, (package, dir)) in patches {
        let path = toml::Value::from(dir.to_string_lossy().into_owned());
        text += &match key == package {
            true => format!("{key} = {{ path = {path} }}\n"),
            false => format!("{key} = {{ path = {path}, package = \"{package}\" }}\n"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_versions_of_a_crate_get_keys_of_their_own() {
        let ported = |version: &str| Ported {
            name: "socket2".into(),
            version: version.parse().unwrap(),
            dir: format!("/a b/socket2-{version}").into(),
            input: String::new(),
            fresh: false,
            rules: Vec::new(),
        };
        let text = patch_config(&patch_table(&[ported("0.5.9"), ported("0.6.3")]));
        let parsed: toml::Table = text.parse().unwrap();
        let patches = &parsed["patch"]["crates-io"];
        assert_eq!(
            patches["socket2"]["path"].as_str(),
            Some("/a b/socket2-0.5.9")
        );
        assert_eq!(
            patches["socket2-0-6-3"]["package"].as_str(),
            Some("socket2")
        );
        assert_eq!(
            patches["socket2-0-6-3"]["path"].as_str(),
            Some("/a b/socket2-0.6.3")
        );
    }
}
