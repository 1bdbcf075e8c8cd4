//! What wasm-ld says of undefined symbols and missing libraries, in the user's terms:
//! which crate calls what, and what helps.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::asked::Asker;

/// So many symbols are named: a C library that is missing has hundreds.
const SHOWN: usize = 10;

/// An explanation of the linker's errors, where there is one. `askers` says who asks for
/// a library.
pub(super) fn explain(said: &str, askers: impl Fn(&str) -> BTreeSet<Asker>) -> Option<String> {
    let errors = || said.lines().filter_map(|line| line.split_once(": error: "));
    let mut calls: Vec<(&str, String)> = Vec::new();
    for (_, error) in errors() {
        let Some((place, symbol)) = error.rsplit_once(": undefined symbol: ") else {
            continue;
        };
        let call = (symbol.trim(), caller(place));
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    let libraries: BTreeSet<&str> = errors()
        .filter_map(|(_, error)| error.strip_prefix("unable to find library -l"))
        .map(str::trim)
        .collect();
    if calls.is_empty() && libraries.is_empty() {
        return None;
    }
    let mut text = String::from("\n");
    if !calls.is_empty() {
        text += "cargo wasmedge: what is called is defined nowhere:\n";
        for (symbol, caller) in calls.iter().take(SHOWN) {
            let _ = writeln!(text, "  `{symbol}`, called in {caller}");
        }
        if calls.len() > SHOWN {
            let _ = writeln!(text, "  and {} more", calls.len() - SHOWN);
        }
    }
    let mut all_have_one = calls.is_empty();
    for library in &libraries {
        let _ = writeln!(
            text,
            "cargo wasmedge: there is no C library `{library}` for wasm32-wasip1, \
             whatever the machine itself has"
        );
        let askers = askers(library);
        all_have_one &= !askers.is_empty() && askers.iter().all(|asker| asker.feature.is_some());
        for Asker { krate, feature } in &askers {
            let _ = writeln!(text, "  the crate `{krate}` asks for it");
            if let Some((version, feature)) = feature {
                let _ = writeln!(
                    text,
                    "  help: its feature `{feature}` compiles it: \
                     cargo add {krate}@{version} --features {feature}"
                );
            }
        }
    }
    if !all_have_one {
        text += "  help: look for a feature of the crate that compiles its C part (often \
                 `bundled` or `vendored`), or for one that does without\n";
    }
    if calls.iter().any(|(symbol, _)| is_of_exceptions(symbol)) {
        text += "  help: C++ has no exceptions here: CXXFLAGS_wasm32_wasip1=-fno-exceptions\n";
    }
    if !calls.is_empty() {
        text += "  help: a function that the host provides is declared below \
                 #[link(wasm_import_module = \"…\")]\n";
    }
    Some(text)
}

fn is_of_exceptions(symbol: &str) -> bool {
    ["__cxa_", "_Unwind_", "__gxx_personality"]
        .iter()
        .any(|start| symbol.starts_with(start))
}

/// Who calls, from the object that the linker names: `libNAME-HASH.rlib(member)` is a
/// crate, `build/PACKAGE-HASH/out/libx.a(member)` what a build script has compiled.
pub(super) fn caller(place: &str) -> String {
    let (file, member) = match place.strip_suffix(')').and_then(|it| it.split_once('(')) {
        Some((file, member)) => (Path::new(file), Some(member)),
        None => (Path::new(place), None),
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let rlib = name.strip_suffix(".rlib").map(|name| {
        let name = name.strip_prefix("lib").unwrap_or(name);
        without_hash(name).unwrap_or(name)
    });
    let own = name
        .strip_suffix(".rcgu.o")
        .and_then(|name| without_hash(name.split('.').next()?));
    if let Some(krate) = rlib.or(own) {
        return format!("the crate `{krate}`");
    }
    let what = match member {
        Some(member) => format!("{member} of {name}"),
        None => name.into_owned(),
    };
    let package = file.ancestors().skip(1).find_map(|folder| {
        if folder.file_name()? != "out" {
            return None;
        }
        let package = folder.parent()?.file_name()?.to_str()?;
        without_hash(package)
    });
    match package {
        Some(package) => format!("{what}, which the build script of `{package}` makes"),
        None => what,
    }
}

/// `name` of `name-0123456789abcdef`.
pub(super) fn without_hash(text: &str) -> Option<&str> {
    let (name, hash) = text.rsplit_once('-')?;
    (hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: &str = "rust-lld: error: unable to find library -lsqlite3\n";

    fn nobody(_: &str) -> BTreeSet<Asker> {
        BTreeSet::new()
    }

    #[test]
    fn who_calls() {
        for (place, expected) in [
            (
                "/t/deps/libsqlx_sqlite-2a31043a8544d0a0.rlib(sqlx_sqlite-2a31043a8544d0a0.x.02.rcgu.o)",
                "the crate `sqlx_sqlite`",
            ),
            (
                "/t/debug/deps/undef-6627fffde880f5cd.9tjjdw941tycagfy0ib4x50yz.15szaww.rcgu.o",
                "the crate `undef`",
            ),
            (
                "/t/build/undef-c-168f69e60fa573b2/out/liba.a(e3b1d530bc9cf22b-a.o)",
                "e3b1d530bc9cf22b-a.o of liba.a, which the build script of `undef-c` makes",
            ),
            ("/opt/lib/libz.a(inflate.o)", "inflate.o of libz.a"),
            ("/opt/lib/crt1.o", "crt1.o"),
        ] {
            assert_eq!(caller(place), expected);
        }
    }

    #[test]
    fn each_call_is_named_once_and_not_too_many() {
        let line = |symbol: &str| format!("wasm-ld: error: /x/a.o: undefined symbol: {symbol}\n");
        let text = explain(&(line("one") + &line("one") + &line("two")), nobody).unwrap();
        let named = |name: &str| text.matches(&format!("`{name}`, called in a.o")).count();
        assert_eq!((named("one"), named("two")), (1, 1), "{text}");
        assert!(text.contains("wasm_import_module"), "{text}");
        assert!(!text.contains("exceptions"), "{text}");
        let many: String = (0..25).map(|n| line(&format!("f{n}"))).collect();
        let text = explain(&many, nobody).unwrap();
        assert_eq!(text.matches("called in").count(), SHOWN);
        assert!(text.contains("and 15 more"), "{text}");
        let thrown = explain(&line("__cxa_throw"), nobody).unwrap();
        assert!(thrown.contains("-fno-exceptions"), "{thrown}");
    }

    #[test]
    fn a_library_that_is_missing_is_explained_and_other_errors_are_not() {
        let text = explain(MISSING, nobody).unwrap();
        assert!(text.contains("no C library `sqlite3`"), "{text}");
        assert!(text.contains("`bundled`"), "{text}");
        assert!(!text.contains("wasm_import_module"), "{text}");
        assert_eq!(
            explain("wasm-ld: error: cannot open a.o: No such file\n", nobody),
            None
        );
        assert_eq!(explain("", nobody), None);
    }

    #[test]
    fn who_asks_for_a_library_is_named_with_the_feature_that_compiles_it() {
        let asked = |feature: Option<&'static str>| {
            move |_: &str| {
                let krate = "libsqlite3-sys".to_owned();
                let feature = feature.map(|feature| ("0.30.1".to_owned(), feature));
                BTreeSet::from([Asker { krate, feature }])
            }
        };
        let text = explain(MISSING, asked(None)).unwrap();
        assert!(text.contains("`libsqlite3-sys` asks for it"), "{text}");
        assert!(text.contains("look for a feature"), "{text}");
        let text = explain(MISSING, asked(Some("bundled"))).unwrap();
        let command = "cargo add libsqlite3-sys@0.30.1 --features bundled";
        assert!(text.contains(command), "{text}");
        assert!(!text.contains("look for a feature"), "{text}");
    }
}
