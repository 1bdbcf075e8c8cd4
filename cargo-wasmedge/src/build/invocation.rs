//! A call of cargo: what we have to know of its arguments.

use std::ffi::OsString;
use std::path::PathBuf;

use super::kinds::{self, Kind};
use crate::toolchain::rust::TARGET;

/// cargo's flags that are followed by a value of their own.
const WITH_VALUE: [&str; 22] = [
    "-p",
    "--package",
    "--exclude",
    "--bin",
    "--example",
    "--test",
    "--bench",
    "--profile",
    "-j",
    "--jobs",
    "-F",
    "--features",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--lockfile-path",
    "--message-format",
    "--color",
    "--config",
    "-Z",
    "--artifact-dir",
    "-C",
];

/// A call of cargo, as far as its arguments decide how the app is resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CargoInvocation {
    /// The subcommand.
    pub subcommand: String,
    /// `--manifest-path`.
    pub manifest_path: Option<PathBuf>,
    /// `--target-dir`.
    pub target_dir: Option<PathBuf>,
    /// Every `--target`.
    pub target: Vec<OsString>,
    /// `--locked` or `--frozen`.
    pub locked: bool,
    /// `--offline` or `--frozen`.
    pub offline: bool,
    /// Every `--config` value.
    pub config: Vec<OsString>,
    /// Every `-Z` value.
    pub unstable: Vec<OsString>,
    /// Every `-F`/`--features` value.
    pub features: Vec<OsString>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `-q`/`--quiet`.
    pub quiet: bool,
    /// What selects packages: `-p`, `--workspace`, `--exclude`, with their values.
    pub selection: Vec<OsString>,
    /// A flag that selects tests, examples or benchmarks.
    pub dev_targets: bool,
    /// `--list` or `--no-verify`.
    pub without_building: bool,
    /// `-h`/`--help`: nothing is built.
    pub help: bool,
    /// `--wasmedge`, which is no flag of cargo's.
    pub misplaced: Option<OsString>,
    /// The profile that a flag names.
    named_profile: Option<String>,
}

impl CargoInvocation {
    /// Reads a subcommand with its arguments. `global_options` are cargo's options
    /// that stand before the subcommand.
    pub fn new(
        global_options: &[OsString],
        subcommand: &str,
        args: &[OsString],
    ) -> CargoInvocation {
        let mut invocation = CargoInvocation {
            subcommand: subcommand.to_owned(),
            ..CargoInvocation::default()
        };
        invocation.scan(global_options, false);
        // Behind its first own word the program's arguments start.
        invocation.scan(args, matches!(subcommand, "run" | "r"));
        invocation
    }

    fn scan(&mut self, args: &[OsString], stop_at_word: bool) {
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(text) = arg.to_str() else { continue };
            if text == "--" || (stop_at_word && !text.starts_with('-')) {
                return;
            }
            let (flag, attached) = split_flag(text);
            let mut value = || match attached {
                Some(value) => Some(OsString::from(value)),
                None => args.next().cloned(),
            };
            match flag {
                "--manifest-path" => self.manifest_path = value().map(Into::into),
                "--target-dir" => self.target_dir = value().map(Into::into),
                "--target" => self.target.extend(value()),
                "--config" => self.config.extend(value()),
                "-Z" => self.unstable.extend(value()),
                "-F" | "--features" => self.features.extend(value()),
                "--locked" => self.locked = true,
                "--offline" => self.offline = true,
                "--frozen" => (self.locked, self.offline) = (true, true),
                "--all-features" => self.all_features = true,
                "--no-default-features" => self.no_default_features = true,
                "-q" | "--quiet" => self.quiet = true,
                "-p" | "--package" | "--exclude" => {
                    let flag = if flag == "-p" { "--package" } else { flag };
                    if let Some(value) = value() {
                        self.selection.extend([flag.into(), value]);
                    }
                }
                "--workspace" | "--all" => self.selection.push("--workspace".into()),
                "--test" | "--example" | "--bench" => {
                    self.dev_targets = true;
                    value();
                }
                "--tests" | "--examples" | "--benches" | "--all-targets" => {
                    self.dev_targets = true;
                }
                "--list" | "--no-verify" => self.without_building = true,
                "-h" | "--help" => self.help = true,
                "--wasmedge" => self.misplaced = Some(value().unwrap_or_else(|| "VERSION".into())),
                "-r" | "--release" => self.named_profile = Some("release".to_owned()),
                // nextest's own `--profile` is another thing.
                "--profile" if self.subcommand == "nextest" => {
                    value();
                }
                "--profile" | "--cargo-profile" => {
                    self.named_profile = value().and_then(|value| value.into_string().ok());
                }
                flag if WITH_VALUE.contains(&flag) => {
                    value();
                }
                _ => {}
            }
        }
    }

    /// What becomes of it.
    pub fn kind(&self) -> Kind {
        if self.help || self.subcommand.starts_with('-') {
            return Kind::Plain;
        }
        match kinds::of(&self.subcommand) {
            Kind::Native if self.without_building => Kind::Plain,
            kind => kind,
        }
    }

    /// Whether the app is compiled. Without that, a crate that no port covers is no
    /// obstacle.
    pub fn compiles(&self) -> bool {
        !kinds::only_looks(&self.subcommand)
    }

    /// Whether dependencies count that only tests, examples and benchmarks have.
    pub fn needs_dev_dependencies(&self) -> bool {
        self.dev_targets || kinds::needs_dev_dependencies(&self.subcommand)
    }

    /// The profile that is built with; `None`: cargo's default.
    pub fn profile(&self) -> Option<&str> {
        let default = match self.subcommand.as_str() {
            "t" | "test" | "nextest" => Some("test"),
            "bench" => Some("bench"),
            _ => None,
        };
        self.named_profile.as_deref().or(default)
    }

    /// Whether it compiles for the target of WasmEdge, as far as flags tell.
    pub fn compiles_for_target(&self) -> bool {
        let looks = ["diff", "fetch", "metadata", "tree", "vendor"];
        let is_ours = self.target.is_empty() || self.target.iter().any(|target| target == TARGET);
        is_ours && !looks.contains(&self.subcommand.as_str())
    }

    /// Whether it takes `--target` right behind its name.
    pub fn takes_target(&self) -> bool {
        kinds::takes_target(&self.subcommand)
    }

    /// The target that is built for, unless the user named one.
    pub fn default_target(&self) -> Option<String> {
        self.target.is_empty().then(|| TARGET.to_owned())
    }

    /// Whether anything is built for our target.
    pub fn is_for_target(&self) -> bool {
        self.target.is_empty() || self.target.iter().any(|target| target == TARGET)
    }

    /// Whether it starts built programs, so that WasmEdge will be needed.
    pub fn runs_programs(&self) -> bool {
        kinds::runs_programs(&self.subcommand)
    }

    /// Whether the programs are tests, many in one.
    pub fn runs_tests(&self) -> bool {
        matches!(self.subcommand.as_str(), "test" | "t")
    }

    /// The arguments that a nested `cargo metadata` or `update` needs to see the
    /// app as the subcommand will. Without `--locked`.
    pub(super) fn context_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        for value in &self.config {
            args.extend(["--config".into(), value.clone()]);
        }
        for value in &self.unstable {
            args.extend(["-Z".into(), value.clone()]);
        }
        if self.offline {
            args.push("--offline".into());
        }
        if let Some(path) = &self.manifest_path {
            args.extend(["--manifest-path".into(), path.into()]);
        }
        args
    }

    /// The arguments that select features, for `cargo metadata`.
    pub fn feature_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        for value in &self.features {
            args.extend(["--features".into(), value.clone()]);
        }
        if self.all_features {
            args.push("--all-features".into());
        }
        if self.no_default_features {
            args.push("--no-default-features".into());
        }
        args
    }
}

/// `--flag=value` and `-Fvalue` in two.
fn split_flag(text: &str) -> (&str, Option<&str>) {
    if text.starts_with("--") {
        return match text.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (text, None),
        };
    }
    for short in ["-F", "-Z", "-p", "-j"] {
        if let Some(value) = text.strip_prefix(short).filter(|value| !value.is_empty()) {
            return (short, Some(value.strip_prefix('=').unwrap_or(value)));
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parsed(words: &str) -> CargoInvocation {
        let mut words = words.split_whitespace().map(OsString::from);
        let subcommand = words.next().unwrap().into_string().unwrap();
        CargoInvocation::new(&[], &subcommand, &words.collect::<Vec<_>>())
    }

    #[test]
    fn flags_are_found_in_both_spellings() {
        let invocation = parsed(
            "build --manifest-path=a/Cargo.toml --target x -Fone --features two,three --frozen",
        );
        assert_eq!(
            invocation.manifest_path.as_deref(),
            Some(Path::new("a/Cargo.toml"))
        );
        assert_eq!(invocation.target, ["x"]);
        assert_eq!(invocation.features, ["one", "two,three"]);
        assert!(invocation.locked && invocation.offline);
    }

    #[test]
    fn the_target_may_be_named() {
        assert!(parsed("build").is_for_target());
        assert!(parsed("build --target wasm32-wasip1").is_for_target());
        assert!(parsed("build --target=x --target=wasm32-wasip1").is_for_target());
        assert!(!parsed("build --target x86_64-unknown-linux-gnu").is_for_target());
    }

    #[test]
    fn arguments_of_the_program_are_not_cargos() {
        assert!(!parsed("run -- --locked").locked);
        assert!(!parsed("run serve --locked --target x").locked);
        assert!(parsed("run --bin serve --locked").locked);
        assert!(parsed("test name --locked").locked);
        assert!(!parsed("test name -- --help").help);
    }

    #[test]
    fn values_are_not_taken_for_flags() {
        let invocation = parsed("build -p --locked --profile --help");
        assert!(!invocation.locked && !invocation.help);
    }

    #[test]
    fn options_before_the_subcommand_count() {
        let global_options = ["--offline".into(), "--config".into(), "a=1".into()];
        let invocation = CargoInvocation::new(&global_options, "build", &[]);
        assert!(invocation.offline);
        assert_eq!(invocation.config, ["a=1"]);
    }

    #[test]
    fn what_becomes_of_a_subcommand() {
        for (words, kind) in [
            ("build", Kind::Builds),
            ("nextest run", Kind::Builds),
            ("my-alias", Kind::Builds),
            ("metadata", Kind::Builds),
            ("add tokio", Kind::Plain),
            ("build --help", Kind::Plain),
            ("--version", Kind::Plain),
            ("install --path .", Kind::Native),
            ("install --list", Kind::Plain),
            ("package --allow-dirty", Kind::Native),
            ("package --list", Kind::Plain),
            ("publish", Kind::Native),
            ("publish --no-verify", Kind::Plain),
            ("publish --help", Kind::Plain),
        ] {
            assert_eq!(parsed(words).kind(), kind, "{words}");
        }
    }

    #[test]
    fn the_profile_is_what_the_subcommand_and_its_flags_say() {
        for (words, profile) in [
            ("build", None),
            ("build --release", Some("release")),
            ("run -r -- --profile x", Some("release")),
            ("build --profile dist", Some("dist")),
            ("test", Some("test")),
            ("t --profile=dist", Some("dist")),
            ("bench", Some("bench")),
            ("nextest run --profile ci", Some("test")),
            (
                "nextest run --profile ci --cargo-profile dist",
                Some("dist"),
            ),
        ] {
            assert_eq!(parsed(words).profile(), profile, "{words}");
        }
    }

    #[test]
    fn what_selects_packages_is_kept() {
        let invocation = parsed("check -pone --package two --workspace --exclude=a* --bin -p");
        let expected = "--package one --package two --workspace --exclude a*";
        assert_eq!(invocation.selection.join(" ".as_ref()), expected);
        assert!(parsed("run -- -p x").selection.is_empty());
    }

    #[test]
    fn dev_dependencies_count_where_they_are_compiled() {
        for words in [
            "build",
            "check --bins",
            "run --bin a",
            "clippy",
            "doc --no-deps",
        ] {
            assert!(!parsed(words).needs_dev_dependencies(), "{words}");
        }
        for words in [
            "test",
            "bench",
            "nextest run",
            "fix",
            "something",
            "check --all-targets",
            "run --example a",
            "build --test=a",
        ] {
            assert!(parsed(words).needs_dev_dependencies(), "{words}");
        }
    }

    #[test]
    fn what_looks_at_the_app_compiles_nothing_for_the_target() {
        for (words, compiles) in [
            ("build", true),
            ("my-alias", true),
            ("env", true),
            ("tree", false),
            ("vendor", false),
            ("build --target x86_64-unknown-linux-gnu", false),
            ("build --target wasm32-wasip1", true),
        ] {
            assert_eq!(parsed(words).compiles_for_target(), compiles, "{words}");
        }
    }
}
