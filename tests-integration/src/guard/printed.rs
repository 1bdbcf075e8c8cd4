//! What a running program has printed.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// What a program has printed so far, line by line.
#[derive(Default)]
pub(super) struct Printed {
    lines: Mutex<Vec<Line>>,
    /// There are more lines.
    pub(super) more: Condvar,
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Whether it came on standard error.
    pub(super) error: bool,
    pub(super) text: String,
}

impl Printed {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a stream to its end, in a thread of its own.
    pub(super) fn read(
        self: &Arc<Self>,
        stream: impl Read + Send + 'static,
        error: bool,
    ) -> JoinHandle<()> {
        let printed = self.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut bytes = Vec::new();
            while let Ok(1..) = reader.read_until(b'\n', &mut bytes) {
                let text = String::from_utf8_lossy(&bytes);
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                printed.lock().push(Line { error, text });
                printed.more.notify_all();
                bytes.clear();
            }
        })
    }
}
