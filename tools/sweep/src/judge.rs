//! Whether a row went as its `row.toml` says.

use crate::results::{Class, Outcome};
use crate::rows::Row;

/// What is to be said against an outcome; `None` when it is as it should be.
pub(crate) fn complaint(row: &Row, outcome: &Outcome) -> Option<String> {
    let class = outcome.class;
    let error = outcome.error.as_deref().unwrap_or_default();
    let Some(cannot) = &row.cannot else {
        return match class {
            // The latter is cargo's or upstream's affair; the page says it.
            Class::RunsRight | Class::Checks | Class::FailsNatively => None,
            _ => Some(format!("{}: {error}", class.name())),
        };
    };
    let says = format!("row.toml says `{}`", cannot.instead.name());
    match class {
        Class::FailsNatively => None,
        class if class == cannot.instead => None,
        Class::RunsRight => Some(format!("runs right, and {says}: take `cannot` out")),
        // It was not run, so nothing speaks against what happens then.
        Class::Checks if cannot.instead.checks() => None,
        class => Some(format!("{}, and {says}: {error}", class.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;
    use crate::rows::Cannot;

    fn is_fine(cannot: Option<Class>, class: Class) -> bool {
        let cannot = cannot.map(|instead| Cannot {
            instead,
            cause: Cause::Host,
            why: String::new(),
        });
        let row = Row {
            cannot,
            ..Row::default()
        };
        complaint(&row, &Outcome::new(class, "no luck")).is_none()
    }

    #[test]
    fn a_row_without_a_reason_has_to_run() {
        assert!(is_fine(None, Class::RunsRight));
        assert!(!is_fine(None, Class::Differs));
        assert!(!is_fine(None, Class::DoesNotBuild));
        assert!(!is_fine(None, Class::DoesNotResolve));
        assert!(is_fine(None, Class::FailsNatively));
    }

    #[test]
    fn a_row_with_a_reason_has_to_fail_in_that_way() {
        let cannot = Some(Class::FailsAtRun);
        assert!(is_fine(cannot, Class::FailsAtRun));
        assert!(!is_fine(cannot, Class::RunsRight));
        assert!(!is_fine(cannot, Class::DoesNotBuild));
        // Its server is missing.
        assert!(is_fine(cannot, Class::Checks));
        assert!(!is_fine(Some(Class::DoesNotBuild), Class::Checks));
    }
}
