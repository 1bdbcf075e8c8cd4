//! What the user sees while a program is compiled: on a terminal a line that moves,
//! elsewhere a line every half minute, and nothing when quiet.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::shell::Shell;

/// How often a log gets a line.
const INTERVAL: Duration = Duration::from_secs(30);

/// Below this an estimate tells nobody anything.
const SHORT: Duration = Duration::from_secs(5);

/// The display of one compilation.
pub(super) struct Progress<'a> {
    shell: &'a Shell,
    name: String,
    estimate: Duration,
    started: Instant,
    /// Lines that a log has got.
    lines: u32,
    spinner: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    /// Tells that `name` is compiled by a WasmEdge of `version`.
    pub fn start(shell: &'a Shell, name: &str, version: &str, estimate: Duration) -> Progress<'a> {
        let about = match estimate >= SHORT {
            true => format!(", about {}", seconds(estimate)),
            false => String::new(),
        };
        shell.status(
            "Compiling",
            format_args!("{name} ahead of time (WasmEdge {version}){about}"),
        );
        let spinner = shell.shows_progress().then(|| {
            let spinner = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {msg}");
            spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Progress {
            shell,
            name: name.to_owned(),
            estimate,
            started: Instant::now(),
            lines: 0,
            spinner,
        }
    }

    /// To be called several times a second.
    pub fn tick(&mut self) {
        let elapsed = self.started.elapsed();
        if let Some(spinner) = &self.spinner {
            spinner.set_message(so_far(elapsed, self.estimate));
        } else if let Some(line) = self.line(elapsed) {
            self.shell.status("Compiling", line);
        }
    }

    /// What it took in all.
    pub fn finish(self) -> Duration {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
        self.started.elapsed()
    }

    /// The line for a log, when it is due.
    fn line(&mut self, elapsed: Duration) -> Option<String> {
        if elapsed < INTERVAL * (self.lines + 1) {
            return None;
        }
        self.lines += 1;
        let so_far = so_far(elapsed, self.estimate);
        Some(format!("{}: {so_far}", self.name))
    }
}

fn so_far(elapsed: Duration, estimate: Duration) -> String {
    let elapsed_text = seconds(elapsed);
    if estimate < SHORT {
        elapsed_text
    } else if elapsed < estimate {
        format!("{elapsed_text} of about {}", seconds(estimate))
    } else {
        format!("{elapsed_text}, expected were {}", seconds(estimate))
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.0} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gets_a_line_every_half_minute() {
        let shell = Shell::new(true, false);
        let second = Duration::from_secs(1);
        let mut progress = Progress::start(&shell, "app.wasm", "0.17.1", 70 * second);
        let mut lines = Vec::new();
        // A tick comes late now and then.
        for elapsed in [0, 1, 29, 31, 32, 59, 60, 61, 95, 96] {
            lines.extend(progress.line(elapsed * second));
        }
        assert_eq!(
            lines,
            [
                "app.wasm: 31 s of about 70 s",
                "app.wasm: 60 s of about 70 s",
                "app.wasm: 95 s, expected were 70 s",
            ]
        );
    }

    #[test]
    fn an_estimate_of_nothing_is_not_told() {
        let second = Duration::from_secs(1);
        assert_eq!(so_far(12 * second, second), "12 s");
    }
}
