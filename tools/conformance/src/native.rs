//! A suite without WasmEdge: the ported crate, and the crate as published.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use tools_common::Report;
use tools_common::junit::{self, Outcome};
use tools_common::repo::quiet_environment;

use crate::results::Results;
use crate::run::Run;

impl Run<'_> {
    /// Runs the ported crate natively, and unless that is left out the crate as
    /// published: every test must go alike. Gives how the ported crate's tests went, and
    /// those of them that fail as published, too.
    pub(crate) fn native(&self, report: &mut Report) -> Result<(Results, Vec<String>)> {
        let started = Instant::now();
        self.status("native, ported");
        // Named, so that `cargo wasmedge` builds for it, with the ported crates.
        let host = Some(self.tools.rust.host.as_str());
        let mut ported = self.run("native, ported", host, &self.suite.ported, || {
            Ok(self.tools.cargo_wasmedge(self.tools.newest()))
        })?;
        let failing = self.take_failing(&mut ported)?.into_keys().collect();
        for (test, outcome) in &ported {
            if let Outcome::Failed(said) = outcome {
                let said = said.replace('\n', "\n      ");
                anstream::println!("  {test}: fails natively\n      {said}");
            }
        }
        let name = self.suite.name();
        let counts = junit::counts(ported.values());
        report.note(&name, "native, ported", counts, started.elapsed());
        if self.args.has_upstream() {
            self.published(report, &ported)?;
        } else {
            report.not_asked_for(format!("{name} as published"));
        }
        Ok((ported, failing))
    }

    /// Runs the crate as published, and compares.
    fn published(&self, report: &mut Report, ported: &Results) -> Result<()> {
        let started = Instant::now();
        self.status("native, as published");
        let host = Some(self.tools.rust.host.as_str());
        let mut published = self.run("native, as published", host, &self.suite.upstream, || {
            let mut command = Command::new(&self.tools.rust.cargo);
            quiet_environment(&mut command);
            command
                .envs(self.tools.rust.env())
                .env("CARGO", &self.tools.rust.cargo);
            Ok(command)
        })?;
        self.take_failing(&mut published)?;
        let different = differences(ported, &published);
        for line in &different {
            anstream::println!("  {line}");
        }
        // Those that go alike count as what they are; those that differ have failed.
        let mut counts = junit::counts(
            published
                .iter()
                .filter(|(test, how)| ported.get(*test) == Some(*how))
                .map(|(_, how)| how),
        );
        counts.failed = different.len();
        let runtime = "native, as published";
        report.note(&self.suite.name(), runtime, counts, started.elapsed());
        Ok(())
    }
}

/// A line for every test that does not go alike in both.
fn differences(ported: &Results, published: &Results) -> Vec<String> {
    let all: BTreeSet<&String> = ported.keys().chain(published.keys()).collect();
    let mut lines = Vec::new();
    for test in all {
        let [ported, published] = [ported.get(test), published.get(test)].map(word);
        if ported != published {
            lines.push(format!("{test}: {ported} ported, {published} as published"));
        }
    }
    lines
}

fn word(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        None => "not built",
        Some(Outcome::Passed) => "passes",
        Some(Outcome::Ignored) => "ignored",
        Some(Outcome::Failed(_)) => "fails",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_go_differently_are_named() {
        let results = |list: &[(&str, Outcome)]| -> Results {
            let owned = list
                .iter()
                .map(|(test, how)| ((*test).to_owned(), how.clone()));
            owned.collect()
        };
        let failed = |said: &str| Outcome::Failed(said.to_owned());
        let ported = results(&[
            ("a", Outcome::Passed),
            ("b", failed("one way")),
            ("c", Outcome::Ignored),
        ]);
        let published = results(&[("a", Outcome::Passed), ("b", failed("another way"))]);
        assert_eq!(
            differences(&ported, &published),
            ["c: ignored ported, not built as published"]
        );
        assert_eq!(differences(&published, &published), [""; 0]);
    }
}
