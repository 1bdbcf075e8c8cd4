//! What the doctor says.

use std::os::unix::fs::symlink;
use std::path::Path;

use cargo_wasmedge::toolchain::{Status, doctor_in};

use crate::machine::{Machine, add_lld, add_std};

#[test]
fn the_doctor_says_what_is_missing_and_what_mends_it() {
    let machine = Machine::new();
    let checks = doctor_in(&machine.dirs(), &machine.env());
    let missing: Vec<(&str, Option<&str>)> = checks
        .iter()
        .filter(|check| check.status == Status::Missing)
        .map(|check| (check.name.as_str(), check.mend.as_deref()))
        .collect();
    assert_eq!(
        missing,
        [
            ("cargo", Some("cargo wasmedge setup")),
            ("rustc for wasm32-wasip1", Some("cargo wasmedge setup")),
            ("WasmEdge", Some("cargo wasmedge setup")),
        ]
    );
    let compiler = checks
        .iter()
        .find(|check| check.name == "C compiler")
        .unwrap();
    assert_eq!(compiler.status, Status::Warn);
    assert!(compiler.mend.is_some());

    machine.private_rust("1.97.1");
    machine.private_wasmedge("0.14.1");
    machine.private_wasmedge("0.17.1");
    for program in ["cc", "clang", "llvm-ar"] {
        machine.script(&format!("bin/{program}"), "exit 0");
    }
    // Not Linux: there is no such folder, and the doctor says so.
    let has_kernel_folder = Path::new("/proc/sys/kernel/random").is_dir();
    if has_kernel_folder {
        symlink("/proc", machine.path("proc")).unwrap();
    }
    let checks = doctor_in(&machine.dirs(), &machine.env());
    for check in &checks {
        if check.name == "random numbers" && !has_kernel_folder {
            assert_eq!(check.status, Status::Warn);
            continue;
        }
        assert_eq!(
            (check.status, &check.mend),
            (Status::Ok, &None),
            "{check:?}"
        );
    }
    let count = |name: &str| checks.iter().filter(|check| check.name == name).count();
    assert_eq!((count("WasmEdge"), count("wasm linker")), (2, 1));
    let json = serde_json::to_value(&checks[0]).unwrap();
    assert_eq!(json["name"], "cargo");
    assert_eq!(json["status"], "ok");
    assert!(json["detail"].as_str().unwrap().starts_with("1.97.1 "));
    assert_eq!(json.get("mend"), None);
}

#[test]
fn the_doctor_warns_of_an_older_cargo() {
    let machine = Machine::new();
    let sysroot = machine.rust("bin", "1.96.1");
    add_std(&sysroot);
    add_lld(&sysroot);
    let checks = doctor_in(&machine.dirs(), &machine.env());
    assert_eq!(checks[0].name, "cargo");
    assert_eq!(checks[0].status, Status::Warn);
    assert!(
        checks[0].detail.contains("resolver.lockfile-path"),
        "{}",
        checks[0].detail
    );
}
