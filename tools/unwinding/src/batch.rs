//! A few programs, built together: cargo then has enough to do.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_wasmedge::toolchain::rust::TARGET;
use tools_common::repo::quiet_environment;
use tools_common::{Repo, Tools};

use crate::generate;

/// What programs are made of.
const PRELUDE: &str = include_str!("prelude.rs");

/// What a program begins with.
const HEAD: &str = "\
#![allow(warnings)]
#[path = \"../prelude.rs\"]
mod prelude;
use prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
";

/// A way to compile them: the profile's name, and what it says.
#[derive(Debug)]
pub(crate) struct Level {
    pub name: &'static str,
    settings: &'static str,
}

/// All of these are built. The last is what many apps are released with.
const LEVELS: [Level; 7] = [
    level("o0", "opt-level = 0"),
    level("o1", "opt-level = 1"),
    level("o2", "opt-level = 2"),
    level("o3", "opt-level = 3"),
    level("os", "opt-level = \"s\""),
    level("oz", "opt-level = \"z\""),
    level("lto", "opt-level = 3\nlto = true\ncodegen-units = 1"),
];

/// Those that are built once in two batches, in turns.
const IN_TURNS: [&str; 3] = ["os", "oz", "lto"];

const fn level(name: &'static str, settings: &'static str) -> Level {
    Level { name, settings }
}

/// Programs that were built.
#[derive(Debug)]
pub(crate) struct Batch {
    pub seeds: Range<u64>,
    /// The levels that they were built at.
    pub levels: Vec<&'static Level>,
    /// The folder of the package.
    folder: PathBuf,
}

impl Batch {
    /// Writes the programs with these seeds, and builds them.
    ///
    /// # Errors
    /// They do not compile, which is a fault of the generator or of the compiler.
    pub(crate) fn build(repo: &Repo, tools: &Tools, seeds: Range<u64>) -> Result<Batch> {
        let folder = repo.target.join("unwinding");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let turn = IN_TURNS[(seeds.start / 2 % 3) as usize];
        let levels = LEVELS.iter();
        let levels = levels.filter(|level| !IN_TURNS.contains(&level.name) || level.name == turn);
        let batch = Batch {
            seeds,
            levels: levels.collect(),
            folder,
        };
        batch.write()?;
        let mut native = Command::new(&tools.rust.cargo);
        quiet_environment(&mut native);
        native.envs(tools.rust.env()).args(["build", "--quiet"]);
        repo.must(native.args(batch.words("o0")))?;
        for level in &batch.levels {
            let mut wasm = tools.cargo_wasmedge(tools.newest());
            wasm.args(["--unwind", "build", "--quiet"]);
            repo.must(wasm.args(batch.words(level.name)))?;
        }
        Ok(batch)
    }

    fn words(&self, profile: &str) -> [String; 4] {
        [
            "--profile".to_owned(),
            profile.to_owned(),
            "--manifest-path".to_owned(),
            self.folder.join("Cargo.toml").display().to_string(),
        ]
    }

    fn write(&self) -> Result<()> {
        let bins = self.folder.join("src/bin");
        fs::create_dir_all(&bins).with_context(|| format!("cannot make {}", bins.display()))?;
        let mut manifest = String::from(
            "[package]\nname = \"unwinding\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
             [workspace]\n",
        );
        for level in &LEVELS {
            // Checks are there in all of them or in none.
            manifest += &format!(
                "[profile.{}]\ninherits = \"release\"\n{}\n",
                level.name, level.settings
            );
        }
        fs::write(self.folder.join("Cargo.toml"), manifest)?;
        fs::write(self.folder.join("src/prelude.rs"), PRELUDE)?;
        for seed in self.seeds.clone() {
            let text = format!("{HEAD}{}", generate::program(seed));
            fs::write(bins.join(format!("p{seed}.rs")), text)?;
        }
        Ok(())
    }

    /// The program with this seed, built natively.
    pub(crate) fn native(&self, seed: u64) -> PathBuf {
        self.folder.join(format!("target/o0/p{seed}"))
    }

    /// The one for WasmEdge.
    pub(crate) fn wasm(&self, seed: u64, level: &Level) -> PathBuf {
        let built = self.folder.join("target").join(TARGET);
        built.join(level.name).join(format!("p{seed}.wasm"))
    }
}
