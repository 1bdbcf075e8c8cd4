//! Declaring a file of ours as a module.

use super::error::Miss;
use super::rules::Module;

/// The folder that holds the module, and what its file is called there.
fn place(file: &str) -> (&str, &str) {
    let (dir, name) = file.rsplit_once('/').unwrap_or(("", file));
    match name {
        // `src/net/mod.rs` is the module `net` of what is in `src`.
        "mod.rs" => dir.rsplit_once('/').unwrap_or(("", dir)),
        name => (dir, name.trim_end_matches(".rs")),
    }
}

/// The file that declares the modules of the folder that `file` is in: the
/// library's root, `mod.rs`, or the file beside the folder that has its name.
pub(super) fn parent(
    file: &str,
    lib: &str,
    is_there: impl Fn(&str) -> bool,
) -> Result<String, Miss> {
    let (dir, _) = place(file);
    let candidates = match lib.rsplit_once('/').map_or("", |(dir, _)| dir) == dir {
        true => vec![lib.to_string()],
        false => vec![format!("{dir}/mod.rs"), format!("{dir}.rs")],
    };
    candidates
        .iter()
        .find(|path| is_there(path))
        .cloned()
        .ok_or_else(|| Miss {
            file: candidates.join(" or "),
            item: None,
            expected: format!("the file that declares {file}"),
            found: "no such file".into(),
        })
}

/// The declaration of `file`.
pub(super) fn declaration(file: &str, module: &Module) -> String {
    let mut text = String::new();
    if let Some(cfg) = &module.cfg {
        text.push_str(&format!("#[cfg({cfg})]\n"));
    }
    let (dir, stem) = place(file);
    if stem != module.name {
        let path = file.strip_prefix(dir).unwrap_or(file);
        let path = path.trim_start_matches('/');
        text.push_str(&format!("#[path = \"{path}\"]\n"));
    }
    if let Some(visibility) = &module.visibility {
        text.push_str(&format!("{visibility} "));
    }
    text.push_str(&format!("mod {};", module.name));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str) -> Module {
        Module {
            name: name.into(),
            visibility: None,
            cfg: None,
        }
    }

    #[test]
    fn the_parent_is_what_upstream_has() {
        let files = ["src/lib.rs", "src/net/mod.rs", "src/runtime.rs"];
        let parent_of = |file| parent(file, "src/lib.rs", |path| files.contains(&path));
        assert_eq!(parent_of("src/ours.rs").unwrap(), "src/lib.rs");
        assert_eq!(parent_of("src/ours/mod.rs").unwrap(), "src/lib.rs");
        assert_eq!(parent_of("src/net/ours.rs").unwrap(), "src/net/mod.rs");
        assert_eq!(parent_of("src/runtime/ours.rs").unwrap(), "src/runtime.rs");
        let miss = parent_of("src/gone/ours.rs").unwrap_err();
        assert_eq!(miss.file, "src/gone/mod.rs or src/gone.rs");
    }

    #[test]
    fn a_root_elsewhere_is_the_parent_there() {
        let parent_of = |file| parent(file, "lib/root.rs", |_| true).unwrap();
        assert_eq!(parent_of("lib/ours.rs"), "lib/root.rs");
        assert_eq!(parent_of("src/ours.rs"), "src/mod.rs");
    }

    #[test]
    fn declarations() {
        assert_eq!(declaration("src/a/ours.rs", &module("ours")), "mod ours;");
        assert_eq!(declaration("src/ours/mod.rs", &module("ours")), "mod ours;");
        let other = Module {
            visibility: Some("pub(crate)".into()),
            cfg: Some("feature = \"net\"".into()),
            ..module("imp")
        };
        assert_eq!(
            declaration("src/a/wasi.rs", &other),
            "#[cfg(feature = \"net\")]\n#[path = \"wasi.rs\"]\npub(crate) mod imp;"
        );
    }
}
