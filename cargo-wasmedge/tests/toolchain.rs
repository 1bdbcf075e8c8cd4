//! Finding, setting up and the doctor, with made-up programs: shell scripts in
//! a folder of the test's own, and no network.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cargo_wasmedge::error::Error;
use cargo_wasmedge::toolchain::{
    Dirs, Env, Origin, Status, What, doctor_in, rust, setup_in, wasmedge,
};
use semver::VersionReq;

/// A machine: a home, a folder on `PATH`, a cache folder, and nothing else.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        let machine = Machine {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(machine.path("bin")).unwrap();
        fs::create_dir(machine.path("home")).unwrap();
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn env(&self) -> Env {
        Env::empty(self.folder.path())
            .with("PATH", self.path("bin"))
            .with("HOME", self.path("home"))
            .below(self.folder.path())
    }

    fn dirs(&self) -> Dirs {
        Dirs::at(self.path("cache"))
    }

    fn script(&self, path: &str, body: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn wasmedge(&self, path: &str, version: &str) -> PathBuf {
        self.script(path, &format!("echo 'wasmedge version {version}'"))
    }

    /// A WasmEdge as set-up leaves it.
    fn private_wasmedge(&self, version: &str) -> PathBuf {
        let program = self.wasmedge(&format!("cache/wasmedge/{version}/bin/wasmedge"), version);
        self.stamp(&format!("cache/wasmedge/{version}"), version);
        program
    }

    fn stamp(&self, folder: &str, version: &str) {
        let stamp = serde_json::json!({
            "version": version,
            "suite": "sid",
            "mirror": "file:/mirror",
            "installed-at": 0,
            "folder": self.path(folder),
            "packages": {},
        });
        fs::write(self.path(folder).join("installed.json"), stamp.to_string()).unwrap();
    }

    /// A rustc and a cargo below `folder`, with a sysroot beside them.
    fn rust(&self, folder: &str, version: &str) -> PathBuf {
        let sysroot = self.path(&format!("{folder}/sysroot"));
        fs::create_dir_all(&sysroot).unwrap();
        self.script(
            &format!("{folder}/rustc"),
            &format!(
                "case $1 in
-vV) echo 'rustc {version} (0 2026-01-01)'; echo 'host: x86_64-unknown-linux-gnu'; echo 'release: {version}';;
--print) echo '{}';;
*) exit 1;;
esac",
                sysroot.display()
            ),
        );
        self.script(
            &format!("{folder}/cargo"),
            &format!("echo 'cargo {version} (0 2026-01-01)'"),
        );
        sysroot
    }

    /// A toolchain as set-up leaves it.
    fn private_rust(&self, version: &str) {
        let folder = format!("cache/toolchains/debian-sid-{version}");
        let sysroot = self.rust(&format!("{folder}/bin"), version);
        add_std(&sysroot);
        self.script(&format!("{folder}/bin/rustdoc"), "exit 0");
        self.script(&format!("{folder}/bin/wasm-ld"), "exit 0");
        self.stamp(&folder, version);
    }

    fn find_wasmedge(&self, env: &Env, wanted: Option<&str>) -> Result<wasmedge::WasmEdge, Error> {
        let wanted: Option<VersionReq> = wanted.map(|text| text.parse().unwrap());
        wasmedge::find_in(&self.dirs(), env, wanted.as_ref())
    }
}

fn add_std(sysroot: &Path) {
    let lib = sysroot.join("lib/rustlib/wasm32-wasip1/lib");
    fs::create_dir_all(&lib).unwrap();
    fs::write(lib.join("libstd-0123.rlib"), "").unwrap();
}

fn add_lld(sysroot: &Path) {
    let bin = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("rust-lld"), "").unwrap();
}

/// What and mend of a failure with exit code 96.
fn not_set_up<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 96, "{error}");
    match error {
        Error::NotSetUp { what, mend } => (what, mend),
        other => panic!("not a NotSetUp: {other}"),
    }
}

fn quiet(_: &str, _: &str) {}

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
        std::os::unix::fs::symlink("/proc", machine.path("proc")).unwrap();
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

/// The real program, for the made-up ones to use.
fn real(tool: &str) -> PathBuf {
    which::which(tool).unwrap()
}

/// A Debian whose apt and dpkg are scripts: a mirror is a folder of files, a
/// package is a shell script that makes its files in `$ROOT`.
#[cfg(target_os = "linux")]
mod debian {
    use super::*;

    const APT_GET: &str = r#"
echo "$@" >> "$BASE/apt-calls"
conf= action= archives= uris=
suite() { sed -n 's/^deb \[.*\] [^ ]* \([a-z]*\) main$/\1/p' "${conf%apt.conf}etc/sources.list"; }
while [ $# -gt 0 ]; do case $1 in
  -c) conf=$2; shift;;
  -o) shift;;
  --print-uris) uris=1;;
  update|install|indextargets) action=$1;;
  -*) ;;
  *) packages="$packages $1";;
esac; shift; done
case $action$uris in
indextargets) echo 'Debian|Debian|trixie|file:/mirror';;
update) [ -d "$BASE/mirror/$(suite)" ] || { echo 'E: no such suite' >&2; exit 100; };;
install1)
  for deb in "$BASE/mirror/$(suite)"/*.deb; do
    set -- $(sha256sum "$deb")
    echo "'file:/mirror/${deb##*/}' ${deb##*/} $(wc -c < "$deb") SHA256:$1"
  done;;
install)
  archives="${conf%apt.conf}cache/archives"
  for deb in "$BASE/mirror/$(suite)"/*.deb; do
    [ -e "$archives/${deb##*/}" ] && continue
    echo "${deb##*/}" >> "$BASE/downloads"
    cp "$deb" "$archives/"
  done;;
esac"#;

    const LOADER: &str = r#"#!/bin/sh
[ "$1" = --library-path ] && [ "$3" = --argv0 ] || exit 1
shift 4
exec /bin/sh "$@""#;

    impl Machine {
        fn debian() -> Machine {
            let machine = Machine::new();
            for tool in [
                "sh",
                "sed",
                "sha256sum",
                "wc",
                "cp",
                "mkdir",
                "cat",
                "chmod",
                "sleep",
            ] {
                symlink(real(tool), machine.path("bin").join(tool)).unwrap();
            }
            let keyring = machine.path("usr/share/keyrings/debian-archive-keyring.gpg");
            fs::create_dir_all(keyring.parent().unwrap()).unwrap();
            fs::write(keyring, "").unwrap();
            let base = format!("BASE='{}'", machine.folder.path().display());
            machine.script("bin/apt-get", &format!("{base}{APT_GET}"));
            machine.script("bin/dpkg", "echo amd64");
            machine.script("bin/dpkg-deb", "ROOT=$3 sh -e \"$2\"");
            fs::write(machine.path("loader"), LOADER).unwrap();
            machine.package(
                "trixie",
                "libc6_2.41-1_amd64",
                &format!(
                    "lib=$ROOT/usr/lib/x86_64-linux-gnu\nmkdir -p $lib\n: > $lib/libc.so.6\n\
                     cp '{}' $lib/ld-linux-x86-64.so.2\nchmod +x $lib/ld-linux-x86-64.so.2",
                    machine.path("loader").display()
                ),
            );
            machine.wasmedge_package("trixie", "0.14.1+dfsg-3.1", "0.14.1");
            machine
        }

        fn package(&self, suite: &str, file: &str, script: &str) -> PathBuf {
            let path = self.path(&format!("mirror/{suite}/{file}.deb"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, script).unwrap();
            path
        }

        fn wasmedge_package(&self, suite: &str, version: &str, upstream: &str) -> PathBuf {
            self.package(
                suite,
                &format!("wasmedge_{version}_amd64"),
                &format!(
                    "mkdir -p $ROOT/usr/bin\n\
                     echo 'echo wasmedge version {upstream}' > $ROOT/usr/bin/wasmedge"
                ),
            )
        }

        fn set_up(&self, wasmedge: &str) -> Result<wasmedge::WasmEdge, Error> {
            let what = What {
                rust: false,
                c: false,
                wasmedge: vec![wasmedge.parse().unwrap()],
            };
            let set_up = setup_in(&self.dirs(), &self.env(), &what, &quiet)?;
            Ok(set_up.wasmedge.into_iter().next().unwrap())
        }

        fn lines(&self, file: &str) -> usize {
            fs::read_to_string(self.path(file)).map_or(0, |text| text.lines().count())
        }
    }

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

        let stamp =
            fs::read_to_string(machine.path("cache/wasmedge/0.14.1/installed.json")).unwrap();
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
}
