//! The tests that need unwinding, run with the setting `unwind`.
//!
//! That they pass natively is known: without the setting a whole run looks for that, and
//! fails for an entry that no test needs.

use globset::GlobMatcher;
use tools_common::junit::Outcome;

use crate::results::Results;

/// Tests by the names that `expectations.toml` has for them, `*` for any text.
#[derive(Debug)]
pub(crate) struct Unwinding {
    pub(crate) tests: Vec<(String, GlobMatcher)>,
}

impl Unwinding {
    /// The programs that hold them.
    pub(crate) fn programs(&self) -> Vec<String> {
        let names = self.tests.iter().map(|(test, _)| split(test).0.to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.dedup();
        names
    }

    /// What chooses them, for nextest.
    pub(crate) fn filter(&self) -> String {
        let each = self.tests.iter().map(|(test, _)| match split(test) {
            ("lib", name) => format!("(kind(lib) & test(#{name}))"),
            (program, name) => format!("(binary(={program}) & test(#{name}))"),
        });
        each.collect::<Vec<_>>().join(" | ")
    }

    /// What is expected of a run: all that were run, and those that were not.
    pub(crate) fn natively(&self, run: &Results) -> Results {
        let is_missing = |glob: &GlobMatcher| !run.keys().any(|name| glob.is_match(name));
        let missing = self.tests.iter().filter(|(_, glob)| is_missing(glob));
        let missing = missing.map(|(test, _)| test.clone());
        let all = run.keys().cloned().chain(missing);
        all.map(|name| (name, Outcome::Passed)).collect()
    }
}

fn split(test: &str) -> (&str, &str) {
    test.split_once("::").unwrap_or((test, "*"))
}

#[cfg(test)]
mod tests {
    use globset::Glob;

    use super::*;

    fn unwinding(tests: &[&str]) -> Unwinding {
        let tests = tests.iter().map(|test| {
            let glob = Glob::new(test).unwrap().compile_matcher();
            ((*test).to_owned(), glob)
        });
        Unwinding {
            tests: tests.collect(),
        }
    }

    #[test]
    fn only_what_needs_it_is_built_and_run() {
        let all = unwinding(&["lib::a::b", "io_panic::*", "rt::x", "rt::*::y"]);
        assert_eq!(all.programs(), ["io_panic", "lib", "rt"]);
        assert_eq!(
            all.filter(),
            "(kind(lib) & test(#a::b)) | (binary(=io_panic) & test(#*)) | \
             (binary(=rt) & test(#x)) | (binary(=rt) & test(#*::y))"
        );
    }

    #[test]
    fn what_is_still_not_built_is_missed() {
        let all = unwinding(&["rt::x", "rt::*::y", "io::*"]);
        let run = Results::from([
            ("rt::x".to_owned(), Outcome::Ignored),
            ("rt::a::y".to_owned(), Outcome::Failed("no".to_owned())),
        ]);
        let names: Vec<String> = all.natively(&run).into_keys().collect();
        assert_eq!(names, ["io::*", "rt::a::y", "rt::x"]);
    }
}
