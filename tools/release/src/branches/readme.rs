//! The first page of a branch, with the table that an app needs.

use semver::Version;

use super::pins::line;

/// Where the branches are. What is below it is a folder or an address of git's.
const ADDRESS: &str = env!("CARGO_PKG_REPOSITORY");

/// A ported crate, or one of ours that stands in for a published one.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) version: Version,
    /// Its folder, which is also its key in the table.
    pub(super) folder: String,
}

/// The page. `own` are our own crates that the ported ones depend on.
pub(super) fn text(branch: &str, rows: &[Row], own: &[&str]) -> String {
    let mut list = String::new();
    for row in rows {
        let is_ours = own.contains(&row.name.as_str());
        let what = match is_ours {
            true => "ours, with the published one's API".to_owned(),
            false => format!("[what was changed]({}/WASMEDGE-PORT.md)", row.folder),
        };
        list += &format!(
            "| [{} {}]({}) | {what} |\n",
            row.name, row.version, row.folder
        );
    }
    format!(
        "# Crates ported to WasmEdge\n\n\
         For apps that are built with plain cargo for `wasm32-wasip1`. Made by `cargo xtask\n\
         release`; nothing here is written by hand. Each crate is what upstream published on every\n\
         other target. It keeps its licence: the file, or, where upstream published none, what\n\
         its Cargo.toml says.\n\n\
         In the `Cargo.toml` of the workspace's root, the lines of the crates that the app has\n\
         (`cargo tree` names them; cargo warns of a line too many):\n\n\
         ```toml\n{}```\n\n\
         | crate | |\n|---|---|\n{list}\n\
         Beside them are our own crates that they depend on: {}.\n",
        table(branch, rows, ADDRESS),
        own.join(", ")
    )
}

/// The table for an app's manifest, with the branches at `address`.
pub(super) fn table(branch: &str, rows: &[Row], address: &str) -> String {
    let mut table = String::from("[patch.crates-io]\n");
    for row in rows {
        let source = format!("git = \"{address}\", branch = \"{branch}\"");
        let lines = rows.iter().filter(|other| other.name == row.name).count();
        table += &match lines {
            1 => format!("{} = {{ {source} }}\n", row.name),
            // cargo has to be told which of them is meant.
            _ => format!(
                "{} = {{ package = \"{}\", version = \"{}\", {source} }}\n",
                row.folder.replace('.', "-"),
                row.name,
                requirement(&row.version)
            ),
        };
    }
    table
}

/// `0.5` for 0.5.10: the line that cargo takes for compatible.
fn requirement(version: &Version) -> String {
    let first = line(version);
    match (first.major, first.minor) {
        (0, 0) => first.to_string(),
        (0, minor) => format!("0.{minor}"),
        (major, _) => major.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_line_of_a_crate() {
        let row = |name: &str, version: &str, folder: &str| Row {
            name: name.to_owned(),
            version: version.parse().unwrap(),
            folder: folder.to_owned(),
        };
        let rows = [
            row("socket2", "0.5.10", "socket2-0.5"),
            row("socket2", "0.6.5", "socket2"),
            row("tokio", "1.54.1", "tokio"),
        ];
        let table: toml::Table = table("tokio-1.54", &rows, "file:///r").parse().unwrap();
        let patch = table["patch"]["crates-io"].as_table().unwrap();
        let keys: Vec<&str> = patch.keys().map(String::as_str).collect();
        assert_eq!(keys, ["socket2", "socket2-0-5", "tokio"]);
        assert_eq!(patch["socket2-0-5"]["package"].as_str(), Some("socket2"));
        assert_eq!(patch["socket2-0-5"]["version"].as_str(), Some("0.5"));
        assert_eq!(patch["socket2"]["version"].as_str(), Some("0.6"));
        assert_eq!(patch["tokio"].get("version"), None);
        let page = text("tokio-1.54", &rows, &["wasmedge_host"]);
        assert!(page.contains("[socket2 0.5.10](socket2-0.5)"), "{page}");
    }
}
