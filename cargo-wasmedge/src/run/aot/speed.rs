//! How long compiling takes: from the program's size, and from how fast programs were
//! compiled here before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::fs::write_atomically;

/// Seconds per megabyte where nothing was compiled yet, by either release of WasmEdge on
/// a machine with two cores.
const FIRST: f64 = 30.0;

/// What takes less says more of starting WasmEdge than of compiling.
const TELLING: Duration = Duration::from_secs(1);

/// The speed of one version of WasmEdge on this machine.
#[derive(Debug)]
pub(super) struct Speed {
    /// Seconds per megabyte, by version.
    file: PathBuf,
    version: String,
}

impl Speed {
    pub fn new(file: PathBuf, version: String) -> Speed {
        Speed { file, version }
    }

    /// How long `bytes` of a program will take.
    pub fn estimate(&self, bytes: u64) -> Duration {
        let speed = self.read().get(&self.version).copied().unwrap_or(FIRST);
        Duration::try_from_secs_f64(speed * megabytes(bytes)).unwrap_or_default()
    }

    /// Notes that `bytes` took so long. It is for estimates only: if it cannot be
    /// written nobody is told.
    pub fn learn(&self, bytes: u64, took: Duration) {
        if took < TELLING || bytes == 0 {
            return;
        }
        let mut speeds = self.read();
        let new = took.as_secs_f64() / megabytes(bytes);
        // One program under load must not count for more than all before.
        let speed = match speeds.get(&self.version) {
            Some(old) => (old + new) / 2.0,
            None => new,
        };
        speeds.insert(self.version.clone(), speed);
        if let Ok(json) = serde_json::to_string(&speeds) {
            let _ = write_atomically(&self.file, json.as_bytes());
        }
    }

    fn read(&self) -> BTreeMap<String, f64> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

fn megabytes(bytes: u64) -> f64 {
    // Exact up to 9 million gigabytes.
    #[expect(clippy::cast_precision_loss)]
    let bytes = bytes as f64;
    bytes / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_estimate_follows_what_was_seen_of_the_same_version() {
        let temp = tempfile::tempdir().unwrap();
        let speed = |version: &str| Speed::new(temp.path().join("speed"), version.to_owned());
        let new = speed("0.17.1");
        assert_eq!(new.estimate(2_000_000), 60 * SECOND);
        new.learn(1_000_000, 10 * SECOND);
        assert_eq!(new.estimate(2_000_000), 20 * SECOND);
        new.learn(500_000, 10 * SECOND);
        assert_eq!(new.estimate(2_000_000), 30 * SECOND);
        new.learn(10, SECOND / 2);
        assert_eq!(new.estimate(2_000_000), 30 * SECOND);
        assert_eq!(speed("0.14.1").estimate(1_000_000), 30 * SECOND);
        std::fs::write(temp.path().join("speed"), "no JSON").unwrap();
        assert_eq!(new.estimate(1_000_000), 30 * SECOND);
    }
}
