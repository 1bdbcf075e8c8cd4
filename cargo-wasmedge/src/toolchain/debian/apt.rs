//! Which suites can be had here, asked once in a set-up.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::machine::Machine;
use super::suite::Suite;
use crate::toolchain::job::Job;

/// apt on this machine.
pub(super) struct Apt<'a> {
    job: &'a Job<'a>,
    machine: Machine,
    /// By suite: the mirror whose index is here, or why there is none. Asked
    /// once in a set-up, since a mirror that does not answer takes minutes.
    opened: RefCell<BTreeMap<String, Result<String, String>>>,
}

impl<'a> Apt<'a> {
    /// # Errors
    /// Why Debian's packages cannot be had on this machine.
    pub fn find(job: &'a Job<'a>) -> Result<Apt<'a>, String> {
        Ok(Apt {
            job,
            machine: Machine::find(job.env)?,
            opened: RefCell::default(),
        })
    }

    /// Gets the index of a suite (`trixie`, `sid`, …) from the first mirror
    /// that has it signed by Debian.
    ///
    /// # Errors
    /// Why none has.
    pub fn open(&self, suite: &str) -> Result<Suite<'_>, String> {
        let opened = self.opened.borrow().get(suite).cloned();
        let mirror = match opened {
            Some(known) => known?,
            None => {
                let found = self.find_mirror(suite);
                let mut opened = self.opened.borrow_mut();
                opened.insert(suite.to_owned(), found.clone());
                found?
            }
        };
        Ok(Suite::new(self.job, &self.machine, suite, &mirror))
    }

    fn find_mirror(&self, suite: &str) -> Result<String, String> {
        let mut reasons = Vec::new();
        for mirror in &self.machine.mirrors {
            let done = Suite::new(self.job, &self.machine, suite, mirror).update()?;
            if done.success() {
                return Ok(mirror.clone());
            }
            reasons.push(format!("{mirror}: {}", done.why()));
        }
        Err(reasons.join("\n"))
    }
}
