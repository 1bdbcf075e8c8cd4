//! Which Rust toolchain is used.

use std::fs;

use cargo_wasmedge::toolchain::{Origin, rust};

use crate::machine::{Machine, add_lld, add_std, not_set_up};

#[test]
fn rust_needs_the_standard_library_and_a_linker() {
    let machine = Machine::new();
    let find = || rust::find_in(&machine.dirs(), &machine.env());

    let (what, mend) = not_set_up(find());
    assert!(what.contains("no rustc on PATH"), "{what}");
    assert_eq!(mend, "cargo wasmedge setup");

    let sysroot = machine.rust("bin", "1.95.0");
    let (what, _) = not_set_up(find());
    assert!(what.contains("rustc 1.95.0"), "{what}");
    assert!(
        what.contains("has no standard library for wasm32-wasip1"),
        "{what}"
    );

    add_std(&sysroot);
    let (what, _) = not_set_up(find());
    assert!(what.contains("brings no linker"), "{what}");

    let linker = |name: &str| {
        let path = machine.script(&format!("bin/{name}"), "exit 0");
        assert_eq!(find().unwrap().linker, Some(path));
    };
    linker("wasm-ld-9");
    linker("wasm-ld-21");
    linker("wasm-ld");

    add_lld(&sysroot);
    let found = find().unwrap();
    assert_eq!(found.linker, None);
    assert_eq!(found.origin, Origin::Path);
    assert_eq!(found.sysroot, sysroot);
    assert_eq!(found.env(), []);
    assert!(!found.has_lockfile_path());

    let own = machine.script("own-ld", "exit 0");
    let env = machine.env().with(rust::LINKER_VARIABLE, &own);
    let found = rust::find_in(&machine.dirs(), &env).unwrap();
    assert_eq!(found.env(), [(rust::LINKER_VARIABLE, own)]);
}

#[test]
fn rustc_and_cargo_are_those_that_cargo_uses() {
    let machine = Machine::new();
    add_lld(&machine.rust("bin", "1.95.0"));
    let sysroot = machine.rust("other", "1.99.0");
    add_std(&sysroot);
    add_lld(&sysroot);
    let env = machine
        .env()
        .with("RUSTC", machine.path("other/rustc"))
        .with("CARGO", machine.path("other/cargo"));
    let found = rust::find_in(&machine.dirs(), &env).unwrap();
    assert_eq!(found.rustc, machine.path("other/rustc"));
    assert_eq!(found.cargo, machine.path("other/cargo"));
    assert_eq!(found.origin, Origin::Configured);
    assert_eq!(found.env(), [("RUSTC", machine.path("other/rustc"))]);
    assert!(found.has_lockfile_path());

    let env = machine.env().with("RUSTC", "/no/such/rustc");
    let (what, _) = not_set_up(rust::find_in(&machine.dirs(), &env));
    assert!(
        what.contains("RUSTC names no program: /no/such/rustc"),
        "{what}"
    );
}

#[test]
fn an_installed_toolchain_is_preferred_and_the_newest_private_one_is_next() {
    let machine = Machine::new();
    machine.private_rust("1.97.1");
    machine.private_rust("1.100.0");
    let find = || rust::find_in(&machine.dirs(), &machine.env()).unwrap();
    let found = find();
    assert_eq!(found.rustc_version.to_string(), "1.100.0");
    assert_eq!(found.origin, Origin::Private);
    let bin = machine.path("cache/toolchains/debian-sid-1.100.0/bin");
    assert_eq!(
        found.env(),
        [
            ("RUSTC", bin.join("rustc")),
            ("RUSTDOC", bin.join("rustdoc")),
            (rust::LINKER_VARIABLE, bin.join("wasm-ld")),
        ]
    );

    // Started from a build that uses it already, it is the same one.
    let mut env = machine.env().with("CARGO", &found.cargo);
    for (name, value) in found.env() {
        env = env.with(name, value);
    }
    assert_eq!(rust::find_in(&machine.dirs(), &env).unwrap(), found);

    // One whose files were deleted does not count.
    fs::remove_file(bin.join("rustc")).unwrap();
    assert_eq!(find().rustc_version.to_string(), "1.97.1");

    let sysroot = machine.rust("bin", "1.95.0");
    add_std(&sysroot);
    add_lld(&sysroot);
    assert_eq!(find().origin, Origin::Path);
}
