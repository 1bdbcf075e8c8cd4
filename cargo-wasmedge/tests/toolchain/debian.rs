//! Setting up from packages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cargo_wasmedge::toolchain::{Origin, What, setup_in};

use crate::machine::{Machine, not_set_up, quiet};

#[test]
fn wasmedge_from_packages() {
    let machine = Machine::debian();
    let found = machine.set_up("*").unwrap();
    assert_eq!(found.version.to_string(), "0.14.1");
    assert_eq!(
        found.program,
        machine.path("cache/wasmedge/0.14.1/bin/wasmedge")
    );
    assert_eq!(found.origin, Origin::Private);

    let stamp = fs::read_to_string(machine.path("cache/wasmedge/0.14.1/installed.json")).unwrap();
    let stamp: serde_json::Value = serde_json::from_str(&stamp).unwrap();
    assert_eq!(stamp["version"], "0.14.1");
    assert_eq!(stamp["suite"], "trixie");
    assert_eq!(stamp["packages"]["wasmedge"], "0.14.1+dfsg-3.1");
    assert_eq!(stamp["packages"]["libc6"], "2.41-1");
    assert!(
        !machine.path("cache/apt").exists(),
        "downloads are left behind"
    );

    // Again: nothing is asked of apt.
    let calls = machine.lines("apt-calls");
    machine.set_up("*").unwrap();
    assert_eq!(machine.lines("apt-calls"), calls);
}

#[test]
fn a_wanted_version_is_taken_from_the_suite_that_has_it() {
    let machine = Machine::debian();
    fs::create_dir(machine.path("mirror/sid")).unwrap();
    fs::copy(
        machine.path("mirror/trixie/libc6_2.41-1_amd64.deb"),
        machine.path("mirror/sid/libc6_2.41-1_amd64.deb"),
    )
    .unwrap();
    machine.wasmedge_package("sid", "0.17.1-1+b1", "0.17.1");
    assert_eq!(
        machine.set_up("~0.14.1").unwrap().version.to_string(),
        "0.14.1"
    );
    assert_eq!(
        machine.set_up("0.17.1").unwrap().version.to_string(),
        "0.17.1"
    );
    let (what, _) = not_set_up(machine.set_up("0.18"));
    assert!(what.contains("trixie: has 0.14.1"), "{what}");
    assert!(
        what.contains("forky: file:/mirror: exit status: 100: E: no such suite"),
        "{what}"
    );
    assert!(what.contains("sid: has 0.17.1"), "{what}");
}

#[test]
fn an_interrupted_set_up_is_resumed() {
    let machine = Machine::debian();
    // Unpacking fails half-way, as when the machine is switched off.
    let dpkg_deb = fs::read_to_string(machine.path("bin/dpkg-deb")).unwrap();
    machine.script(
        "bin/dpkg-deb",
        "mkdir -p $3/usr; echo 'error: cut off' >&2; exit 2",
    );
    let (what, _) = not_set_up(machine.set_up("*"));
    assert!(what.contains("error: cut off"), "{what}");
    assert_eq!(machine.lines("downloads"), 2);
    // What a killed process leaves.
    fs::create_dir_all(machine.path("cache/wasmedge/.unpack-x/usr")).unwrap();
    machine.wasmedge("cache/wasmedge/0.14.1/bin/wasmedge", "0.14.1");
    fs::write(machine.path("cache/wasmedge/0.14.1/partial"), "").unwrap();

    machine.script("bin/dpkg-deb", dpkg_deb.trim_start_matches("#!/bin/sh\n"));
    let found = machine.set_up("*").unwrap();
    assert_eq!(found.version.to_string(), "0.14.1");
    assert_eq!(machine.lines("downloads"), 2, "downloaded again");
    assert!(!machine.path("cache/wasmedge/.unpack-x").exists());
    assert!(!machine.path("cache/wasmedge/0.14.1/partial").exists());
}

#[test]
fn a_file_that_is_not_what_the_index_says_is_not_unpacked() {
    let machine = Machine::debian();
    let archives = machine.path("cache/apt/trixie/cache/archives");
    fs::create_dir_all(&archives).unwrap();
    let name = "wasmedge_0.14.1+dfsg-3.1_amd64.deb";
    let good = fs::read(machine.path("mirror/trixie").join(name)).unwrap();
    // The same size: apt takes such a file for its own.
    fs::write(archives.join(name), vec![b'#'; good.len()]).unwrap();
    let (what, _) = not_set_up(machine.set_up("*"));
    assert!(what.contains("is not what the index says"), "{what}");
    assert!(!machine.path("cache/wasmedge/0.14.1").exists());
    // It is fetched anew the next time.
    machine.set_up("*").unwrap();
}

#[test]
fn an_apt_that_a_killed_set_up_left_at_work_is_waited_for() {
    let machine = Machine::debian();
    let apt_get = fs::read_to_string(machine.path("bin/apt-get")).unwrap();
    let busy = format!(
        "if [ ! -e '{0}' ] && [ \"$1\" = -c ]; then : > '{0}'
echo 'E: Could not get lock x/lock. It is held by process 1 (apt-get)' >&2; exit 100; fi\n",
        machine.path("was-busy").display()
    );
    machine.script(
        "bin/apt-get",
        &(busy + apt_get.trim_start_matches("#!/bin/sh\n")),
    );
    machine.set_up("*").unwrap();
    assert!(machine.path("was-busy").exists());
}

#[test]
fn what_does_not_start_is_not_called_installed() {
    let machine = Machine::debian();
    let package = machine.path("mirror/trixie/wasmedge_0.14.1+dfsg-3.1_amd64.deb");
    fs::write(
        package,
        "mkdir -p $ROOT/usr/bin; echo 'echo no such symbol >&2; exit 1' > $ROOT/usr/bin/wasmedge",
    )
    .unwrap();
    let (what, _) = not_set_up(machine.set_up("*"));
    assert!(what.contains("what was installed does not work"), "{what}");
    assert!(what.contains("no such symbol"), "{what}");
    assert!(!machine.path("cache/wasmedge/0.14.1").exists());
}

#[test]
fn two_set_ups_at_once_install_once() {
    let machine = Machine::debian();
    // Slow enough that the second comes while the first is at work.
    machine.script(
        "bin/dpkg-deb",
        &format!(
            "echo \"$2\" >> '{}'; sleep 0.5; ROOT=$3 sh -e \"$2\"",
            machine.path("unpacked").display()
        ),
    );
    std::thread::scope(|scope| {
        let other = scope.spawn(|| machine.set_up("*").unwrap());
        let here = machine.set_up("*").unwrap();
        assert_eq!(here, other.join().unwrap());
    });
    assert_eq!(machine.lines("unpacked"), 2, "each package once");
}

#[test]
fn without_debians_keyring_packages_are_not_used() {
    let machine = Machine::debian();
    fs::remove_dir_all(machine.path("usr/share/keyrings")).unwrap();
    let (what, _) = not_set_up(machine.set_up("*"));
    assert!(what.contains("no keyring of Debian's"), "{what}");
    assert_eq!(machine.lines("apt-calls"), 0);
}

#[test]
fn a_mirror_of_another_system_is_not_used() {
    let machine = Machine::debian();
    machine.script(
        "bin/apt-get",
        "[ $1 = indextargets ] && echo 'Ubuntu|Ubuntu|noble|file:/mirror'; :",
    );
    let (what, _) = not_set_up(machine.set_up("*"));
    assert!(
        what.contains("apt's sources name no mirror of Debian"),
        "{what}"
    );
}

#[test]
fn rust_from_packages() {
    let machine = Machine::debian();
    fs::rename(machine.path("mirror/trixie"), machine.path("mirror/forky")).unwrap();
    machine.package(
        "forky",
        "rustc_1.97.1+dfsg1-1_amd64",
        "mkdir -p $ROOT/usr/bin\ncat > $ROOT/usr/bin/rustc <<'END'
case $1 in
-vV) echo 'host: x86_64-unknown-linux-gnu'; echo 'release: 1.97.1';;
--print) d=${0%/bin/*}; echo $d;;
esac
END
: > $ROOT/usr/bin/rustdoc",
    );
    machine.package(
        "forky",
        "cargo_1.97.1+dfsg1-1_amd64",
        "mkdir -p $ROOT/usr/bin; echo 'echo cargo 1.97.1' > $ROOT/usr/bin/cargo",
    );
    machine.package(
        "forky",
        "libstd-rust-dev-wasm32_1.97.1+dfsg1-1_all",
        "lib=$ROOT/usr/lib/rustlib/wasm32-wasip1/lib; mkdir -p $lib; : > $lib/libstd-1.rlib",
    );
    machine.package(
        "forky",
        "lld_1%3a21.1.8-74_amd64",
        "mkdir -p $ROOT/usr/bin; echo 'echo linker' > $ROOT/usr/bin/wasm-ld",
    );
    let what = What {
        rust: true,
        c: false,
        ..What::default()
    };
    let set_up = setup_in(&machine.dirs(), &machine.env(), &what, &quiet).unwrap();
    let rust = set_up.rust.unwrap();
    let folder = machine.path("cache/toolchains/debian-forky-1.97.1");
    assert_eq!(rust.sysroot, folder.join("usr"));
    assert_eq!(rust.cargo, folder.join("bin/cargo"));
    assert_eq!(rust.linker, Some(folder.join("bin/wasm-ld")));
    assert!(rust.has_lockfile_path());
    let stamp = fs::read_to_string(folder.join("installed.json")).unwrap();
    let stamp: serde_json::Value = serde_json::from_str(&stamp).unwrap();
    assert_eq!(stamp["packages"]["lld"], "1:21.1.8-74");
}

/// A clang, an archiver and wasi-libc, as packages. The clang says what it is called
/// with, and what `starts_itself` is: whether it can start itself again, as it does
/// for assembly.
fn c_packages(machine: &Machine, starts_itself: &str) {
    let suite = machine.path("mirror/forky");
    if !suite.exists() {
        fs::rename(machine.path("mirror/trixie"), suite).unwrap();
    }
    machine.package(
        "forky",
        "clang_1%3a21.1.8-1_amd64",
        &format!(
            "mkdir -p $ROOT/usr/bin; echo 'echo \"$@\" > \"{}\"
{starts_itself}' > $ROOT/usr/bin/clang
: > $ROOT/usr/bin/clang++
own=$ROOT/usr/lib/llvm-21/lib/clang/21/include; mkdir -p $own; : > $own/stddef.h",
            machine.path("called").display()
        ),
    );
    machine.package(
        "forky",
        "llvm_1%3a21.1.8-1_amd64",
        "mkdir -p $ROOT/usr/bin; : > $ROOT/usr/bin/llvm-ar; : > $ROOT/usr/bin/llvm-ranlib",
    );
    machine.package(
        "forky",
        "wasi-libc_0.0.1-1_all",
        "mkdir -p $ROOT/usr/include/wasm32-wasi",
    );
    machine.package(
        "forky",
        "libc++-dev-wasm32_1%3a21.1.8-1_all",
        "lib=$ROOT/usr/lib/wasm32-wasi; mkdir -p $lib; echo C++ > $lib/libc++.a",
    );
}

const C: What = What {
    rust: false,
    c: true,
    unwinding: false,
    wasmedge: Vec::new(),
};

#[test]
fn clang_from_packages() {
    let machine = Machine::debian();
    c_packages(&machine, "");
    let set_up = setup_in(&machine.dirs(), &machine.env(), &C, &quiet).unwrap();
    let c = set_up.c.unwrap();
    let folder = machine.path("cache/c/debian-forky-21.1.8");
    assert_eq!(c.clang, folder.join("bin/clang"));
    assert_eq!(c.clangxx, Some(folder.join("bin/clang++")));
    assert_eq!(c.ar, folder.join("bin/llvm-ar"));
    assert_eq!(c.ranlib, Some(folder.join("bin/llvm-ranlib")));
    assert_eq!(c.headers, Some(folder.join("usr/include/wasm32-wasi")));
    assert_eq!(c.origin, Origin::Private);
    // In its place, not where it was unpacked.
    let sysroot = c.sysroot.unwrap();
    assert_eq!(sysroot, folder.join("sysroot"));
    let library = sysroot.join("lib/wasm32-wasip1/libc++.a");
    assert_eq!(fs::read_to_string(library).unwrap(), "C++\n");
    assert!(sysroot.join("include/wasm32-wasip1").is_dir());
    // The check has started it with its own headers.
    let called = fs::read_to_string(machine.path("called")).unwrap();
    let own = folder.join("usr/lib/llvm-21/lib/clang/21");
    let start = format!(
        "-no-canonical-prefixes -resource-dir {} --target=wasm32-wasip1 ",
        own.display()
    );
    assert!(called.starts_with(&start), "{called}");
}

/// As an earlier release of the command left one: a `.S` file, or two files at once,
/// were errors.
#[test]
fn a_clang_that_cannot_start_itself_is_set_up_anew() {
    let machine = Machine::debian();
    c_packages(&machine, "");
    let set_up = || setup_in(&machine.dirs(), &machine.env(), &C, &quiet);
    set_up().unwrap();
    let unpacked = machine.path("cache/c/debian-forky-21.1.8/usr/bin/clang");
    let works = fs::read(&unpacked).unwrap();
    let broken = "case \"$*\" in *assembler*) echo '-cc1: error' >&2; exit 1;; esac";
    fs::write(&unpacked, broken).unwrap();
    set_up().unwrap();
    assert_eq!(fs::read(&unpacked).unwrap(), works);
    // One that the packages hold is not called installed.
    fs::remove_dir_all(machine.path("cache/c")).unwrap();
    c_packages(&machine, &broken.replace('\'', "\""));
    let (what, _) = not_set_up(set_up());
    assert!(
        what.contains("does not compile for wasm32-wasip1"),
        "{what}"
    );
    assert!(what.contains("-cc1: error"), "{what}");
}

/// clang and llvm alone are installed on many machines. They make objects, but find no
/// `string.h`.
#[test]
fn a_clang_on_path_takes_the_headers_that_are_set_up() {
    let machine = Machine::debian();
    c_packages(&machine, "");
    machine.script("bin/clang-19", "exit 0");
    machine.script("bin/clang++-19", "exit 0");
    machine.script("bin/llvm-ar-19", "exit 0");
    let set_up = setup_in(&machine.dirs(), &machine.env(), &C, &quiet).unwrap();
    let c = set_up.c.unwrap();
    assert_eq!(c.origin, Origin::Path);
    assert_eq!(c.clang, machine.path("bin/clang-19"));
    assert_eq!(c.clangxx, Some(machine.path("bin/clang++-19")));
    let headers = machine.path("cache/c/debian-forky-21.1.8/usr/include/wasm32-wasi");
    assert_eq!(c.headers, Some(headers));
    // Now all is there.
    let calls = machine.lines("apt-calls");
    setup_in(&machine.dirs(), &machine.env(), &C, &quiet).unwrap();
    assert_eq!(machine.lines("apt-calls"), calls);
}

/// Others may use a cache that they cannot write, as in an image of a container.
#[test]
fn what_is_installed_can_be_read_by_all() {
    let machine = Machine::debian();
    machine.set_up("*").unwrap();
    let folder = machine.path("cache/wasmedge/0.14.1");
    // As restrictive as what the test itself makes, and no more.
    let own = machine.path("own");
    fs::write(&own, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o755);
    assert_eq!(mode(&folder.join("installed.json")), mode(&own));
    assert_eq!(mode(&folder.join("bin/wasmedge")), 0o755);
}
