//! Setting up where packages are not needed, or cannot be had.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Mutex;

use cargo_wasmedge::toolchain::{Origin, What, setup_in, wasmedge};
use semver::VersionReq;

use crate::machine::{Machine, add_lld, add_std, not_set_up, quiet, real};

#[test]
fn nothing_is_set_up_where_all_is_there() {
    let machine = Machine::new();
    let sysroot = machine.rust("bin", "1.97.1");
    add_std(&sysroot);
    add_lld(&sysroot);
    machine.wasmedge("bin/wasmedge", "0.14.1");
    let told = |verb: &str, message: &str| panic!("{verb} {message}");
    let set_up = setup_in(&machine.dirs(), &machine.env(), &What::everything(), &told).unwrap();
    assert_eq!(set_up.rust.unwrap().sysroot, sysroot);
    assert_eq!(set_up.wasmedge[0].version.to_string(), "0.14.1");
    assert!(!machine.dirs().home().exists());
}

#[test]
fn where_nothing_works_it_says_what_was_tried_and_what_mends_it() {
    let machine = Machine::new();
    let set_up = |what: &What| setup_in(&machine.dirs(), &machine.env(), what, &quiet);
    let rust = What {
        rust: true,
        c: false,
        ..What::default()
    };
    let (what, mend) = not_set_up(set_up(&rust));
    assert!(
        what.starts_with("no Rust toolchain for wasm32-wasip1 could be set up"),
        "{what}"
    );
    assert!(what.contains("\n  rustup: no rustc on PATH"), "{what}");
    assert!(
        what.contains("\n  Debian's packages: no apt-get on PATH"),
        "{what}"
    );
    assert_eq!(
        mend,
        "install Rust with rustup, then: rustup target add wasm32-wasip1"
    );

    let wanted = What {
        wasmedge: vec!["0.17.1".parse().unwrap()],
        ..What::default()
    };
    let (what, mend) = not_set_up(set_up(&wanted));
    assert!(
        what.starts_with("no WasmEdge 0.17.1 could be set up"),
        "{what}"
    );
    assert!(mend.contains("install WasmEdge 0.17.1"), "{mend}");
    assert!(mend.contains("`wasmedge` on PATH"), "{mend}");
}

#[test]
fn a_rustup_that_works_is_enough() {
    let machine = Machine::new();
    for tool in ["mkdir", "touch"] {
        symlink(real(tool), machine.path("bin").join(tool)).unwrap();
    }
    let toolchain = "home/.rustup/toolchains/stable";
    let sysroot = machine.rust(&format!("{toolchain}/bin"), "1.97.1");
    // rustup's sysroot is the toolchain's folder.
    let root = machine.path(toolchain);
    for program in ["rustc", "cargo"] {
        let text = fs::read_to_string(root.join("bin").join(program)).unwrap();
        let text = text.replace(sysroot.to_str().unwrap(), root.to_str().unwrap());
        machine.script(
            &format!("bin/{program}"),
            text.trim_start_matches("#!/bin/sh\n"),
        );
    }
    add_lld(&root);
    let lib = root.join("lib/rustlib/wasm32-wasip1/lib");
    machine.script(
        "bin/rustup",
        &format!("[ \"$*\" = 'target add wasm32-wasip1 --toolchain stable' ] && mkdir -p '{0}' && touch '{0}/libstd-1.rlib'", lib.display()),
    );
    let what = What {
        rust: true,
        c: false,
        ..What::default()
    };
    let verbs = Mutex::new(Vec::new());
    let told = |verb: &str, _: &str| verbs.lock().unwrap().push(verb.to_owned());
    let set_up = setup_in(&machine.dirs(), &machine.env(), &what, &told).unwrap();
    let rust = set_up.rust.unwrap();
    assert_eq!((rust.sysroot, rust.origin), (root, Origin::Path));
    assert_eq!(*verbs.lock().unwrap(), ["Adding", "Installed"]);
}

#[test]
fn a_wasmedge_that_is_named_but_does_not_work_is_among_the_reasons() {
    let machine = Machine::new();
    let env = machine
        .env()
        .with(wasmedge::PROGRAM_VARIABLE, machine.path("missing"));
    let what = What {
        wasmedge: vec![VersionReq::STAR],
        ..What::default()
    };
    let (what, _) = not_set_up(setup_in(&machine.dirs(), &env, &what, &quiet));
    let reason = format!(
        "\n  {} names no usable WasmEdge: {}: cannot be started",
        wasmedge::PROGRAM_VARIABLE,
        machine.path("missing").display()
    );
    assert!(what.contains(&reason), "{what}");
}
