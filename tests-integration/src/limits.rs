//! How long tests wait.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// How long anything that should take an instant may take on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Asks again and again until `condition` holds.
///
/// # Errors
/// When it does not within [`LIMIT`].
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + LIMIT;
    while !condition() {
        ensure!(Instant::now() < end, "{what}: not within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
