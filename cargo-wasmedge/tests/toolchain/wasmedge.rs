//! Which WasmEdge is used.

use std::fs;

use cargo_wasmedge::toolchain::{Env, Origin, wasmedge};

use crate::machine::{Machine, not_set_up};

#[test]
fn wasmedge_is_looked_for_in_order() {
    let machine = Machine::new();
    let found = |env: &Env| {
        let found = machine.find_wasmedge(env, None).unwrap();
        (found.version.to_string(), found.origin)
    };
    let (what, mend) = not_set_up(machine.find_wasmedge(&machine.env(), None));
    assert!(what.starts_with("no WasmEdge found"), "{what}");
    assert!(what.contains(wasmedge::PROGRAM_VARIABLE), "{what}");
    assert_eq!(mend, "cargo wasmedge setup");

    // Each is added before the one that was found so far.
    machine.private_wasmedge("0.14.1");
    assert_eq!(found(&machine.env()), ("0.14.1".into(), Origin::Private));
    machine.private_wasmedge("0.17.1");
    assert_eq!(found(&machine.env()), ("0.17.1".into(), Origin::Private));
    machine.wasmedge("home/.wasmedge/bin/wasmedge", "0.15.0");
    assert_eq!(found(&machine.env()), ("0.15.0".into(), Origin::Installer));
    machine.wasmedge("bin/wasmedge", "0.16.0");
    assert_eq!(found(&machine.env()), ("0.16.0".into(), Origin::Path));
    let own = machine.wasmedge("own", "0.14.5");
    let env = machine.env().with(wasmedge::PROGRAM_VARIABLE, &own);
    assert_eq!(found(&env), ("0.14.5".into(), Origin::Configured));

    let all: Vec<String> = wasmedge::all_in(&machine.dirs(), &env)
        .into_iter()
        .map(|one| one.version.to_string())
        .collect();
    assert_eq!(all, ["0.14.5", "0.16.0", "0.15.0", "0.17.1", "0.14.1"]);
}

#[test]
fn a_wanted_wasmedge_is_looked_for_everywhere() {
    let machine = Machine::new();
    let own = machine.wasmedge("own", "0.16.0");
    let env = machine.env().with(wasmedge::PROGRAM_VARIABLE, own);
    let private = machine.private_wasmedge("0.14.1");
    let found = machine.find_wasmedge(&env, Some("~0.14.1")).unwrap();
    assert_eq!((found.program, found.origin), (private, Origin::Private));

    let (what, mend) = not_set_up(machine.find_wasmedge(&env, Some("0.17.1")));
    assert!(what.starts_with("no WasmEdge 0.17.1 found"), "{what}");
    assert!(what.contains("is 0.16.0, wanted is 0.17.1"), "{what}");
    assert!(what.contains("is 0.14.1, wanted is 0.17.1"), "{what}");
    assert_eq!(mend, "cargo wasmedge setup --wasmedge '0.17.1'");
}

#[test]
fn a_wasmedge_that_is_named_but_does_not_work_is_not_passed_over() {
    let machine = Machine::new();
    machine.wasmedge("bin/wasmedge", "0.17.1");
    for (own, reason) in [
        (machine.path("missing"), "cannot be started"),
        (
            machine.script("broken", "echo no libraries >&2; exit 127"),
            "no libraries",
        ),
        (machine.script("mute", "exit 0"), "gives no version"),
        (
            machine.wasmedge("old", "0.13.5"),
            "0.13.5 is too old: 0.14.1 or newer",
        ),
    ] {
        let env = machine.env().with(wasmedge::PROGRAM_VARIABLE, &own);
        let (what, mend) = not_set_up(machine.find_wasmedge(&env, None));
        assert!(what.contains(reason), "{what}");
        assert!(what.contains(wasmedge::PROGRAM_VARIABLE), "{what}");
        assert!(mend.contains(wasmedge::PROGRAM_VARIABLE), "{mend}");
    }
}

#[test]
fn a_wasmedge_that_is_too_old_or_broken_on_path_is_passed_over() {
    let machine = Machine::new();
    machine.wasmedge("bin/wasmedge", "0.13.5");
    let (what, _) = not_set_up(machine.find_wasmedge(&machine.env(), None));
    assert!(what.contains("0.13.5 is too old"), "{what}");
    machine.private_wasmedge("0.17.1");
    let found = machine.find_wasmedge(&machine.env(), None).unwrap();
    assert_eq!(found.origin, Origin::Private);
}

#[test]
fn an_unfinished_or_moved_installation_is_not_used() {
    let machine = Machine::new();
    machine.wasmedge("cache/wasmedge/0.17.1/bin/wasmedge", "0.17.1");
    not_set_up(machine.find_wasmedge(&machine.env(), None));
    machine.stamp("cache/wasmedge/0.17.1", "0.17.1");
    machine.find_wasmedge(&machine.env(), None).unwrap();
    fs::rename(
        machine.path("cache/wasmedge/0.17.1"),
        machine.path("cache/wasmedge/x"),
    )
    .unwrap();
    not_set_up(machine.find_wasmedge(&machine.env(), None));
}
