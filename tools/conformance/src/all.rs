//! All runs of one suite: natively, and under every WasmEdge.

use std::time::Instant;

use anyhow::Result;
use tools_common::Report;
use tools_common::report::Counts;

use crate::gated;
use crate::judge::{Sums, judge};
use crate::results;
use crate::run::Run;
use crate::section::{Column, Section};

impl Run<'_> {
    /// Runs it natively, unless the quick selection is asked for, and under every
    /// WasmEdge.
    pub(crate) fn all(&self, report: &mut Report) -> Result<Section> {
        let suite = self.suite;
        let is_whole = self.args.is_whole();
        let expectations = &suite.expectations;
        let mut section = Section::new(suite, self.tools)?;

        let native = match self.args.quick {
            true => None,
            false => Some(self.native(report, &mut section)?),
        };
        if let Some(native) = &native {
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
            let runtime = format!("WasmEdge {}{how}", wasmedge.version);
            let started = Instant::now();
            self.status(&runtime);
            let aot = if self.args.aot { "always" } else { "never" };
            let mut results = self.run(&runtime, None, &suite.ported, || {
                let mut command = self.tools.cargo_wasmedge(wasmedge);
                command.env("CARGO_WASMEDGE_AOT", aot);
                command
            })?;
            self.take_failing(&mut results)?;
            let verdict = judge(expectations, &results, native.as_ref(), is_whole);
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
        section.take_entries(expectations);
        if self.args.write {
            suite.keep_lock()?;
        }
        Ok(section)
    }
}
