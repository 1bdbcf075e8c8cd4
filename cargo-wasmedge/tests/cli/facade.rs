//! The app's own packages on the std facade: who gets it, what is said of it, and what
//! the wrapper makes of rustc's calls.

use std::path::PathBuf;
use std::process::Command;

use crate::fake::{Fake, LOCK, stderr};

const NEW: &str = "1.97.1";

/// Of the app of `main.rs` below, which one call puts on the facade.
const CALLS: &str = "use std::env;\n\nfn main() {\n    env::temp_dir();\n}\n";
const SAID: &str = "app uses std::env::temp_dir (src/main.rs:4): built on the std facade";

/// What cargo does: asked for the facade, it says where it built it.
const CARGO: &str = r#"case "$*" in *wasmedge_std_anchor*)
echo "$@" >> "$FAKE_DIR/asked"
echo '{"reason":"compiler-artifact","package_id":"x","manifest_path":"/x/Cargo.toml","target":{"kind":["lib"],"crate_types":["lib"],"name":"wasmedge_std","src_path":"/x/lib.rs","edition":"2021","doc":true,"doctest":false,"test":true},"profile":{"opt_level":"0","debuginfo":2,"debug_assertions":true,"overflow_checks":true,"test":false},"features":[],"filenames":["/t/wasm32-wasip1/debug/deps/libwasmedge_std-0123456789abcdef.rlib"],"executable":null,"fresh":true}'
;; esac"#;

fn fake(main: &str) -> Fake {
    let fake = Fake::new(NEW);
    std::fs::write(fake.app().join("src/main.rs"), main).unwrap();
    fake
}

fn variable(fake: &Fake, name: &str) -> Option<String> {
    let env = fake.read("env");
    let mut lines = env.lines();
    lines.find_map(|line| line.strip_prefix(&format!("{name}=")).map(str::to_owned))
}

fn wrapper(fake: &Fake) -> Option<String> {
    variable(fake, "RUSTC_WRAPPER")
}

fn config(fake: &Fake) -> String {
    let sets = std::fs::read_dir(fake.state().join("ported")).unwrap();
    let sets: Vec<_> = sets.map(|set| set.unwrap().path()).collect();
    let [set] = &sets[..] else {
        panic!("{sets:?}");
    };
    std::fs::read_to_string(set.join("config.toml")).unwrap_or_default()
}

#[test]
fn an_app_that_calls_what_only_the_facade_has_is_built_on_it() {
    let fake = fake(CALLS);
    let output = fake.run("build", CARGO);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains(SAID), "{}", stderr(&output));
    let expected = fake.state().join("facade/rustc");
    assert_eq!(wrapper(&fake).map(PathBuf::from), Some(expected));
    let table: toml::Table = config(&fake).parse().unwrap();
    for profile in ["dev", "release"] {
        assert!(table["profile"][profile]["package"].get("app").is_some());
    }
    let built = variable(&fake, "WASMEDGE_STD_FACADE_BUILT");
    let expected = "/t/wasm32-wasip1/debug/deps/libwasmedge_std-0123456789abcdef";
    assert_eq!(built.as_deref(), Some(expected));
    assert_eq!(fake.lock().as_deref(), Some(LOCK));
    let main = std::fs::read_to_string(fake.app().join("src/main.rs")).unwrap();
    assert_eq!(main, CALLS);
}

#[test]
fn the_facade_is_built_as_the_subcommand_builds() {
    for (words, wanted) in [
        (
            "check --release",
            "check --target wasm32-wasip1 --package wasmedge_std --bin wasmedge_std_anchor --profile release",
        ),
        (
            "build --profile dist",
            "build --target wasm32-wasip1 --package wasmedge_std --bin wasmedge_std_anchor --profile dist",
        ),
        (
            "test --no-run",
            "build --target wasm32-wasip1 --package wasmedge_std --bin wasmedge_std_anchor --profile test",
        ),
    ] {
        let fake = fake(CALLS);
        assert!(fake.run(words, CARGO).status.success());
        let asked = fake.read("asked");
        let own = fake.state().join("facade/Cargo.toml");
        let (before, after) = asked
            .split_once(&format!(" --manifest-path {} ", own.display()))
            .unwrap();
        let asked = format!("{before} {}", after.trim());
        assert_eq!(
            asked,
            format!("{wanted} --message-format=json-render-diagnostics"),
            "{words}"
        );
    }
}

#[test]
fn an_app_that_calls_nothing_of_it_has_no_wrapper() {
    for main in [
        "fn main() {}",
        "// std::env::temp_dir\nfn main() { std::thread::spawn(f); }",
        "use std::net::TcpStream; fn main() { f::<TcpStream>(); }",
    ] {
        let fake = fake(main);
        let output = fake.run("build", CARGO);
        assert!(output.status.success());
        assert_eq!(stderr(&output), "", "{main}");
        assert_eq!(wrapper(&fake), None, "{main}");
        assert_eq!(fake.read("asked"), "");
        assert!(!config(&fake).contains("profile"));
    }
}

#[test]
fn tests_and_examples_of_the_app_count() {
    for (folder, name, kind) in [
        ("tests", "it.rs", "test"),
        ("examples", "one.rs", "example"),
        ("benches", "b.rs", "bench"),
    ] {
        let fake = fake("fn main() {}");
        let path = fake.app().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join(name), CALLS).unwrap();
        fake.has_target(&format!("{folder}/{name}"), kind);
        let said = stderr(&fake.run("build", CARGO));
        let expected = format!("app uses std::env::temp_dir ({folder}/{name}:4)");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn the_setting_names_the_app_or_keeps_it_off() {
    let fake = fake("fn main() {}");
    fake.manifest("[package.metadata.wasmedge]\nstd-facade = [\"app\"]\n");
    let said = stderr(&fake.run("build", CARGO));
    let expected = "app is named in `std-facade`: built on the std facade";
    assert!(
        said.contains(expected) && !said.contains("not ported"),
        "{said}"
    );
    assert!(wrapper(&fake).is_some());

    let fake = self::fake(CALLS);
    fake.manifest("[package.metadata.wasmedge]\nstd-facade = [\"!app\"]\n");
    assert_eq!(stderr(&fake.run("build", CARGO)), "");
    assert_eq!(wrapper(&fake), None);
}

#[test]
fn another_target_has_sockets_of_its_own() {
    let fake = fake(CALLS);
    let output = fake.run("build --target x86_64-unknown-linux-gnu", CARGO);
    assert_eq!(stderr(&output), "");
    assert_eq!(wrapper(&fake), None);
}

#[test]
fn doctor_says_what_the_build_says() {
    for (setting, expected) in [
        (
            "",
            "ok       built on the std facade: src/main.rs:4 std::env::temp_dir",
        ),
        (
            "std-facade = [\"!app\"]",
            "warning  src/main.rs:4 std::env::temp_dir",
        ),
    ] {
        let fake = fake(CALLS);
        fake.manifest(&format!("[package.metadata.wasmedge]\n{setting}\n"));
        let output = fake.run("doctor", CARGO);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(expected), "{said}");
        assert_eq!(
            stderr(&fake.run("build", CARGO)).contains(SAID),
            setting.is_empty()
        );
    }
}

/// What the wrapper starts for the package in `folder`.
fn wrapped(fake: &Fake, folder: PathBuf, variables: &[(&str, &str)], args: &[&str]) -> String {
    let mut command = Command::new(wrapper(fake).unwrap());
    command
        .arg(fake.path("bin/say"))
        .args(args)
        .env("CARGO_MANIFEST_DIR", folder)
        .envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_wrapper_names_the_facade_to_rustc_for_the_app_alone() {
    let fake = fake(CALLS);
    assert!(fake.run("build", CARGO).status.success());
    fake.script("say", "echo \"$@\"");
    let deps = fake.app().join("target/wasm32-wasip1/debug/deps");
    std::fs::create_dir_all(&deps).unwrap();
    let facade = deps.join("libwasmedge_std-0123456789abcdef");
    std::fs::write(facade.with_extension("rlib"), "").unwrap();
    std::fs::write(deps.join("app-1.d"), "app: src/main.rs\n").unwrap();
    let of_cargo = [
        ("CARGO_CRATE_NAME", "app"),
        ("WASMEDGE_STD_FACADE_BUILT", facade.to_str().unwrap()),
    ];
    let deps = deps.to_str().unwrap();
    let args = |target: &'static str| {
        vec![
            "--crate-name",
            "app",
            "--crate-type",
            "bin",
            "--emit=dep-info,link",
            "--out-dir",
            deps,
            "-C",
            "extra-filename=-1",
            "--target",
            target,
        ]
    };
    let ours = args("wasm32-wasip1");
    let said = wrapped(&fake, fake.app(), &of_cargo, &ours);
    let added = format!(
        "{} --extern std={}.rlib -L dependency={deps}\n",
        ours.join(" "),
        facade.display()
    );
    assert_eq!(said, added);
    // cargo compiles again when the facade is another one.
    let made_from = std::fs::read_to_string(format!("{deps}/app-1.d")).unwrap();
    let expected = format!("# env-dep:WASMEDGE_STD_FACADE_BUILT={}", facade.display());
    assert!(
        made_from.lines().any(|line| line == expected),
        "{made_from}"
    );

    let plain = ours.join(" ") + "\n";
    let other = fake.path("other");
    assert_eq!(
        wrapped(&fake, other, &of_cargo, &ours),
        plain,
        "another package"
    );
    let tried = wrapped(&fake, fake.app(), &of_cargo[1..], &ours);
    assert_eq!(tried, plain, "a build script tries what rustc can do");
    let native = args("x86_64-unknown-linux-gnu");
    let said = wrapped(&fake, fake.app(), &of_cargo, &native);
    assert_eq!(said, native.join(" ") + "\n", "a build script");
}

#[test]
fn a_facade_that_is_nowhere_is_an_error_with_a_way_out() {
    let fake = fake(CALLS);
    assert!(fake.run("build", CARGO).status.success());
    let output = Command::new(wrapper(&fake).unwrap())
        .args(["rustc", "--crate-name", "app", "--target", "wasm32-wasip1"])
        .env("CARGO_MANIFEST_DIR", fake.app())
        .env("CARGO_CRATE_NAME", "app")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("the std facade is not built") && said.contains("help:"),
        "{said}"
    );
}

#[test]
fn a_wrapper_of_the_users_is_started_behind_ours() {
    let by_variable = |fake: &Fake| {
        let mut command = fake.command(["build"]);
        command.env("RUSTC_WRAPPER", fake.path("bin/users"));
        command
    };
    let by_file = |fake: &Fake| {
        let folder = fake.app().join(".cargo");
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!("[build]\nrustc-wrapper = {:?}\n", fake.path("bin/users"));
        std::fs::write(folder.join("config.toml"), text).unwrap();
        fake.command(["build"])
    };
    let ways: [&dyn Fn(&Fake) -> Command; 2] = [&by_variable, &by_file];
    for way in ways {
        let fake = fake(CALLS);
        fake.script("users", "echo users \"$@\"");
        fake.script("say", "echo \"$@\"");
        let mut command = way(&fake);
        assert!(command.env("FAKE_CARGO", CARGO).status().unwrap().success());
        let say = fake.path("bin/say");
        for folder in [fake.app(), fake.path("other")] {
            let said = wrapped(&fake, folder, &[], &["-vV"]);
            assert_eq!(said, format!("users {} -vV\n", say.display()));
        }
    }
}
