//! What a set-up tells while it is under way.

use indicatif::{ProgressBar, ProgressStyle};

/// Told what a set-up does.
pub trait Reporter {
    /// One step, such as `Downloading` and `19 packages, 41 MB (Debian trixie)`.
    fn status(&self, verb: &str, message: &str);

    /// Whether progress bars may be drawn on stderr. They are drawn only where
    /// stderr is a terminal.
    fn draws_bars(&self) -> bool {
        true
    }
}

impl<F: Fn(&str, &str)> Reporter for F {
    fn status(&self, verb: &str, message: &str) {
        self(verb, message);
    }
}

/// Status lines and progress bars.
pub(crate) struct Progress<'a>(pub &'a dyn Reporter);

impl Progress<'_> {
    pub fn status(&self, verb: &str, message: &str) {
        self.0.status(verb, message);
    }

    pub fn bytes(&self, total: u64, message: &str) -> ProgressBar {
        self.bar(
            ProgressBar::new(total),
            "{msg:>12} [{bar:25}] {decimal_bytes}/{decimal_total_bytes} {eta}",
            message,
        )
    }

    pub fn spinner(&self, message: &str) -> ProgressBar {
        self.bar(
            ProgressBar::new_spinner(),
            "{spinner:>12} {msg} {elapsed}",
            message,
        )
    }

    fn bar(&self, bar: ProgressBar, template: &str, message: &str) -> ProgressBar {
        if !self.0.draws_bars() {
            return ProgressBar::hidden();
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_message(message.to_owned())
    }
}
