//! Programs are run, natively and under WasmEdge.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::run::aot::Cache;
use cargo_wasmedge::shell::Shell;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use tests_integration::build::BUILD_LIMIT;
use tests_integration::{Guard, guard::Ended};
use tools_common::Tools;

use crate::batch::{Batch, Level};

/// How often a program is run, each time with other dice.
const RUNS: u32 = 150;

/// Runs of programs that may end with two panics at once, each a process of its own.
const ENDS: u32 = 3;

/// Where a program runs.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Native,
    Interpreted(&'a WasmEdge),
    Compiled(&'a WasmEdge),
}

/// What was compared so far.
#[derive(Debug)]
pub(crate) struct Comparison {
    edges: Vec<WasmEdge>,
    /// What programs are compiled to, for as long as this is there.
    compiled: tempfile::TempDir,
    programs: u64,
    runs: AtomicU64,
    /// Of the programs that two panics may end: how many there were, and how many ended so.
    ended: [AtomicU64; 2],
}

/// What a program did natively.
struct Expected {
    runs: String,
    ends: Vec<Ended>,
}

impl Comparison {
    pub(crate) fn new(tools: &Tools) -> Result<Comparison> {
        Ok(Comparison {
            edges: tools.wasmedge.clone(),
            compiled: tempfile::tempdir()?,
            programs: 0,
            runs: AtomicU64::new(0),
            ended: Default::default(),
        })
    }

    /// Gives what was different, with the seed.
    ///
    /// # Errors
    /// A program cannot be started, or fails natively.
    pub(crate) fn compare(&mut self, batch: &Batch, shell: &Shell) -> Result<Vec<String>> {
        let all: Vec<(u64, &Level)> = batch
            .seeds
            .clone()
            .flat_map(|seed| batch.levels.iter().map(move |level| (seed, *level)))
            .collect();
        let expected = batch
            .seeds
            .clone()
            .map(|seed| self.natively(&batch.native(seed)));
        let expected = expected.collect::<Result<Vec<Expected>>>()?;
        let left = Mutex::new(all.into_iter());
        let differences = Mutex::new(Vec::new());
        let work = || -> Result<()> {
            loop {
                let next = left.lock().ok().and_then(|mut left| left.next());
                let Some((seed, level)) = next else {
                    return Ok(());
                };
                let expected = &expected[(seed - batch.seeds.start) as usize];
                let found = self.program(batch, seed, level, expected, shell)?;
                if let Ok(mut differences) = differences.lock() {
                    differences.extend(found);
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = batch.seeds.clone().map(|_| scope.spawn(work)).collect();
            let mut ended = workers.into_iter().map(|worker| worker.join());
            ended.try_for_each(|ended| {
                ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
        self.programs += batch.seeds.end - batch.seeds.start;
        Ok(differences.into_inner().unwrap_or_default())
    }

    fn natively(&self, program: &Path) -> Result<Expected> {
        let ran = self.run(program, Place::Native, &[&RUNS.to_string()])?;
        let runs = ran.successful().context("a program fails natively")?.stdout;
        let ends = (0..ENDS).map(|seed| {
            let ended = self.run(program, Place::Native, &["ends", &seed.to_string()])?;
            self.ended[0].fetch_add(1, Relaxed);
            if !ended.status.success() {
                self.ended[1].fetch_add(1, Relaxed);
            }
            Ok(ended)
        });
        let ends = ends.collect::<Result<_>>()?;
        Ok(Expected { runs, ends })
    }

    fn program(
        &self,
        batch: &Batch,
        seed: u64,
        level: &Level,
        expected: &Expected,
        shell: &Shell,
    ) -> Result<Vec<String>> {
        let program = batch.wasm(seed, level);
        let mut differences = Vec::new();
        for edge in &self.edges {
            let mut places = vec![(program.clone(), Place::Interpreted(edge))];
            // One level of each program is compiled ahead of time.
            if batch.levels[(seed % batch.levels.len() as u64) as usize].name == level.name {
                let cache = Cache::new(self.compiled.path());
                let compiled = cache.compiled(edge, &program, shell)??;
                places.push((compiled, Place::Compiled(edge)));
            }
            for (program, place) in places {
                if let Some(difference) = self.place(&program, place, expected, batch, seed)? {
                    differences.push(format!(
                        "seed {seed}, {}, {place}: {difference}",
                        level.name
                    ));
                }
            }
        }
        Ok(differences)
    }

    /// What is different there.
    fn place(
        &self,
        program: &Path,
        place: Place<'_>,
        expected: &Expected,
        batch: &Batch,
        seed: u64,
    ) -> Result<Option<String>> {
        let ran = self.run(program, place, &[&RUNS.to_string()])?;
        if ran.stdout != expected.runs || !ran.status.success() {
            let mut lines = ran.stdout.lines().zip(expected.runs.lines());
            let Some((line, _)) = lines.find(|(line, other)| line != other) else {
                return Ok(Some(format!("it {ran}")));
            };
            let dice = line.split(' ').next().unwrap_or_default();
            let words = ["of", dice];
            let [ours, theirs] = [
                self.run(program, place, &words)?,
                self.run(&batch.native(seed), Place::Native, &words)?,
            ];
            let text = difference(&ours.stdout, &theirs.stdout);
            return Ok(Some(format!("`of {dice}` {text}")));
        }
        for (dice, expected) in (0_u32..).zip(&expected.ends) {
            let ended = self.run(program, place, &["ends", &dice.to_string()])?;
            // What a signal ends natively ends with 134.
            let code = expected.code().unwrap_or(134);
            let [noted, expected] = [noted(&ended.stdout), noted(&expected.stdout)];
            if ended.code() != Some(code) || noted != expected {
                let text = difference(&noted, &expected);
                return Ok(Some(format!(
                    "`ends {dice}` ended with {:?} instead of {code}, {text}",
                    ended.code()
                )));
            }
        }
        Ok(None)
    }

    fn run(&self, program: &Path, place: Place<'_>, words: &[&str]) -> Result<Ended> {
        let mut command = match place {
            Place::Native => Command::new(program),
            Place::Interpreted(edge) | Place::Compiled(edge) => {
                let mut command = Command::new(&edge.program);
                command.arg(program);
                command
            }
        };
        command.args(words);
        self.runs.fetch_add(1, Relaxed);
        let ended = Guard::run(command, BUILD_LIMIT)?;
        ensure!(!ended.stderr.contains("usage"), "{}", ended.stderr);
        Ok(ended)
    }
}

/// What the program has printed. WasmEdge has words for the end on the same stream.
fn noted(stdout: &str) -> String {
    let is_number = |line: &&str| line.bytes().all(|byte| byte.is_ascii_digit());
    let lines = stdout.lines().filter(is_number);
    lines.map(|line| format!("{line}\n")).collect()
}

/// Where one begins to say something else than it should.
fn difference(ours: &str, theirs: &str) -> String {
    let (mut ours, mut theirs) = (ours.lines(), theirs.lines());
    for line in 1.. {
        match (ours.next(), theirs.next()) {
            (None, None) => break,
            (one, other) if one != other => {
                let said = |line: Option<&str>| line.unwrap_or("nothing").to_owned();
                return format!(
                    "notes {} instead of {} in line {line}",
                    said(one),
                    said(other)
                );
            }
            _ => {}
        }
    }
    "notes the same".to_owned()
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Native => f.write_str("natively"),
            Place::Interpreted(edge) => write!(f, "WasmEdge {} interpreted", edge.version),
            Place::Compiled(edge) => write!(f, "WasmEdge {} compiled", edge.version),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [all, ended] = &self.ended;
        write!(
            f,
            "{} programs, {} processes; of {} that a second panic may end {} ended so",
            self.programs,
            self.runs.load(Relaxed),
            all.load(Relaxed),
            ended.load(Relaxed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wasmedge_says_of_the_end_is_left_out() {
        let said = "12\n[2026-11-28 07:34:48] [error] execution failed: unreachable\n34\n";
        assert_eq!(noted(said), "12\n34\n");
    }

    #[test]
    fn a_difference_is_where_it_begins() {
        assert_eq!(
            difference("1\n2\n3\n", "1\n5\n"),
            "notes 2 instead of 5 in line 2"
        );
        assert_eq!(
            difference("1\n", "1\n5"),
            "notes nothing instead of 5 in line 2"
        );
        assert_eq!(difference("1\n", "1"), "notes the same");
    }
}
