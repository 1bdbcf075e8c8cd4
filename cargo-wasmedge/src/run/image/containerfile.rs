//! How the program is started in its container: the text of the Containerfile.

use std::fmt::Write as _;
use std::path::{Component, Path};

use crate::config::{Config, Resolver, Tmp};
use crate::random;
use crate::run::preopens::told;

/// The first words of a Containerfile of ours.
pub(super) const WRITTEN_BY: &str = "# Written by `cargo wasmedge image`";

/// The folder that the program is in, where its relative paths start.
pub(super) const APP: &str = "/app";

/// Nobody's number, as in other images that have one user.
const USER: u32 = 65532;

/// What starts in the container.
#[derive(Debug)]
pub(super) struct Start<'a> {
    /// The program's file name.
    pub name: &'a str,
    /// What is said of it in the first line.
    pub about: &'a str,
    /// WasmEdge's own options, before all others.
    pub options: &'a [&'a str],
    pub config: &'a Config,
}

impl Start<'_> {
    /// The Containerfile, beside a folder `root`.
    pub(super) fn containerfile(&self) -> String {
        let mut text = format!("{WRITTEN_BY}: {}\nFROM scratch\nCOPY root/ /\n", self.about);
        // Where the loader's own folders are differs between systems.
        text.push_str("ENV LD_LIBRARY_PATH=/usr/lib\n");
        for (name, value) in self.variables() {
            let _ = writeln!(text, "ENV {name}={}", quoted(&value));
        }
        let _ = writeln!(
            text,
            "WORKDIR {APP}\nUSER {USER}:{USER}\nSTOPSIGNAL SIGTERM"
        );
        let words = self.words();
        let _ = writeln!(text, "ENTRYPOINT {}", serde_json::Value::from(words));
        text
    }

    /// The variables of the container.
    fn variables(&self) -> Vec<(String, String)> {
        let config = self.config;
        let mut variables = Vec::new();
        let mut tell = |name: &str, value: &str| variables.push((name.into(), value.into()));
        if config.tmp != Tmp::None {
            tell("TMPDIR", "/tmp");
        }
        if config.weak_random {
            tell(random::WEAK_VARIABLE, "1");
        }
        if config.allow_af_unix {
            tell(super::ALLOW_AF_UNIX, "1");
        }
        // A name alone is for the one who starts the container to say.
        for (name, value) in config.env.iter().filter_map(|entry| entry.split_once('=')) {
            tell(name, value);
        }
        variables
    }

    /// The command of the container. What its user adds are the program's arguments.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["/init".to_owned(), "/usr/bin/wasmedge".to_owned()];
        words.extend(self.options.iter().map(|&option| option.to_owned()));
        for dir in self.dirs() {
            words.extend(["--dir".to_owned(), dir]);
        }
        words.extend(self.config.wasmedge_args.iter().cloned());
        words.push(format!("{APP}/{}", self.name));
        words
    }

    /// What is opened to the program: its own folder, and what it needs of the system. Not
    /// all of the container, whose `/proc` leads to WasmEdge itself.
    fn dirs(&self) -> Vec<String> {
        let mut dirs = vec![".:.".to_owned()];
        let mut read_only = |folder: &str| dirs.push(format!("{folder}:{folder}:readonly"));
        read_only(random::KERNEL_FOLDER);
        // Who finds no /etc/resolv.conf asks the host's own resolver.
        read_only(match self.config.resolver {
            Resolver::Dns => "/etc",
            Resolver::Host => "/etc/ssl",
        });
        if self.config.tmp != Tmp::None {
            dirs.push("/tmp:/tmp".to_owned());
        }
        for (guest, read_only) in opened(self.config) {
            let Some(told) = told(Path::new(guest)) else {
                continue;
            };
            let end = if read_only { ":readonly" } else { "" };
            dirs.push(format!("{}:{guest}{end}", told.display()));
        }
        dirs
    }
}

/// The folders of the setting `dirs`, under the program's names, and whether each is
/// read-only. In the container they have these names, too: that is where it is mounted what
/// on this machine lies elsewhere. Those of a relative name are in the program's own folder.
pub(super) fn opened(config: &Config) -> impl Iterator<Item = (&str, bool)> {
    config.dirs.iter().filter_map(|dir| {
        let guest = dir.split(':').next()?;
        let is_plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
        let path = Path::new(guest);
        let is_meant = path.is_absolute() && path.components().all(is_plain);
        is_meant.then(|| (guest, dir.ends_with(":readonly")))
    })
}

/// A value as a Containerfile takes it.
fn quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(config: &Config, options: &[&str]) -> String {
        let start = Start {
            name: "a b.wasm",
            about: "it",
            options,
            config,
        };
        start.containerfile()
    }

    #[test]
    fn by_default_the_program_sees_its_folder_and_what_it_needs_of_the_system() {
        let expected = r#"# Written by `cargo wasmedge image`: it
FROM scratch
COPY root/ /
ENV LD_LIBRARY_PATH=/usr/lib
ENV TMPDIR="/tmp"
WORKDIR /app
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/init","/usr/bin/wasmedge","--run-mode","aot","--dir",".:.","--dir","/proc/sys/kernel/random:/proc/sys/kernel/random:readonly","--dir","/etc:/etc:readonly","--dir","/tmp:/tmp","/app/a b.wasm"]
"#;
        assert_eq!(text(&Config::default(), &["--run-mode", "aot"]), expected);
    }

    #[test]
    fn settings_count_in_the_container() {
        let config = Config {
            dirs: [
                "/data:/home/me/data",
                "/www/.a:/w:readonly",
                "x:/y",
                "/a/../b",
            ]
            .map(str::to_owned)
            .into(),
            env: ["HOME", "A=b \"c\" $d\\"].map(str::to_owned).into(),
            tmp: Tmp::None,
            resolver: Resolver::Host,
            allow_af_unix: true,
            wasmedge_args: vec!["--time-limit=9".to_owned()],
            ..Config::default()
        };
        let text = text(&config, &[]);
        let variables: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("ENV"))
            .collect();
        assert_eq!(
            variables,
            [
                "ENV LD_LIBRARY_PATH=/usr/lib",
                "ENV TOKIO_WASMEDGE_ALLOW_AF_UNIX=\"1\"",
                "ENV A=\"b \\\"c\\\" \\$d\\\\\"",
            ]
        );
        let words = text.lines().last().unwrap();
        for part in [
            r#""/etc/ssl:/etc/ssl:readonly""#,
            r#""--dir","/data:/data","--dir","./www/.a:/www/.a:readonly","--time-limit=9","#,
        ] {
            assert!(words.contains(part), "{words}");
        }
        for part in ["/home/me", "/tmp", "..", ":/y"] {
            assert!(!words.contains(part), "{words}");
        }
    }
}
