//! All runs of one suite: natively, and under every WasmEdge.

use std::time::Instant;

use anyhow::Result;
use tests_integration::Mode;
use tools_common::Report;
use tools_common::report::Counts;

use crate::gated;
use crate::judge::{Sums, judge};
use crate::results::{self, Results};
use crate::run::Run;
use crate::section::{Column, Section};

impl Run<'_> {
    /// Runs it natively, unless the quick selection is asked for, and under every
    /// WasmEdge. Gives a section for each mode.
    pub(crate) fn all(&self, report: &mut Report) -> Result<Vec<Section>> {
        let native = match self.args.quick || self.args.unwind {
            true => None,
            false => Some(self.native(report)?),
        };
        let modes = self.args.mode.here().into_iter();
        let sections = modes.map(|mode| self.in_mode(mode, native.as_ref(), report));
        let sections = sections.collect::<Result<_>>()?;
        if self.args.write {
            self.suite.keep_lock()?;
        }
        Ok(sections)
    }

    /// Runs it under every WasmEdge in one mode.
    fn in_mode(
        &self,
        mode: Mode,
        native: Option<&(Results, Vec<String>)>,
        report: &mut Report,
    ) -> Result<Section> {
        let suite = self.suite;
        let is_whole = self.args.is_whole();
        let unwinds = self.args.unwind;
        let expectations = suite.expect(mode, unwinds)?;
        let mut section = Section::new(suite, mode, self.tools)?;
        if let Some((native, failing)) = native {
            section.take_native(native);
            section.fails_natively.clone_from(failing);
            section.gated = gated::count(suite, native)?;
            let not_for_root = results::not_for_root(&suite.head.not_as_root).len();
            if not_for_root > 0 {
                section
                    .gated
                    .insert("cannot pass for root".to_owned(), not_for_root);
            }
        }
        for wasmedge in &self.tools.wasmedge {
            let how = if self.args.aot { " AOT" } else { "" };
            let with = if unwinds { " unwind" } else { "" };
            let runtime = format!("WasmEdge {}{}{with}{how}", wasmedge.version, mode.suffix());
            let started = Instant::now();
            self.status(&runtime);
            let aot = if self.args.aot { "always" } else { "never" };
            let mut results = self.run(&runtime, None, &suite.ported, || {
                let mut command = self.tools.cargo_wasmedge(wasmedge);
                command
                    .env("CARGO_WASMEDGE_AOT", aot)
                    .env("CARGO_WASMEDGE_UNWIND", unwinds.to_string());
                self.tools.select(mode, self.repo, &mut command)?;
                Ok(command)
            })?;
            self.take_failing(&mut results)?;
            let needed = match unwinds {
                true => Some(suite.unwinding()?.natively(&results)),
                false => None,
            };
            let native = native.map(|(native, _)| native).or(needed.as_ref());
            let verdict = judge(&expectations, &results, native, is_whole);
            let mut sums = Sums::default();
            for program in verdict.programs.values() {
                sums.add(program);
            }
            for unexpected in &verdict.unexpected {
                anstream::println!("  {unexpected}");
            }
            // A stale entry is a failure as well.
            let failed = verdict.unexpected.len();
            let excused = sums.excused.values().sum();
            report.note(
                &suite.name(),
                &runtime,
                Counts::new(sums.passed, failed, excused),
                started.elapsed(),
            );
            section.columns.push(Column {
                runtime,
                programs: verdict.programs,
            });
        }
        section.take_entries(&expectations);
        Ok(section)
    }
}
