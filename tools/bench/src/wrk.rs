//! wrk, a load over HTTP.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// What wrk tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Asked {
    /// Requests that were answered.
    pub(crate) requests: f64,
    /// The same in a second.
    pub(crate) rate: f64,
}

/// Asks a server for `path`, for `seconds`, on so many connections, with one thread.
///
/// # Errors
/// When there is no wrk, or the server does not answer as it should.
pub(crate) fn ask(
    address: SocketAddr,
    path: &str,
    connections: usize,
    seconds: f64,
) -> Result<Asked> {
    let output = Command::new("wrk")
        .args(["-t1", "-c", &connections.to_string()])
        .args(["-d", &format!("{}s", seconds.ceil())])
        .arg(format!("http://{address}{path}"))
        .output()
        .context("cannot start wrk; ci/install-tools.sh installs it")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk failed: {said}");
    asked(&said)
}

fn asked(said: &str) -> Result<Asked> {
    for error in ["Socket errors", "Non-2xx"] {
        ensure!(!said.contains(error), "wrk met errors: {said}");
    }
    let word = |after: &str, n: usize| -> Option<f64> {
        let line = said.lines().find(|line| line.contains(after))?;
        line.split_whitespace().nth(n)?.parse().ok()
    };
    let requests = word("requests in", 0).context("wrk names no number of requests")?;
    ensure!(requests > 0.0, "no request was answered");
    let rate = word("Requests/sec:", 1).context("wrk names no rate")?;
    Ok(Asked { requests, rate })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "  12345 requests in 3.00s, 1.1MB read\nRequests/sec:   4115.25\n";

    #[test]
    fn what_wrk_says_is_understood() {
        let expected = Asked {
            requests: 12345.0,
            rate: 4115.25,
        };
        assert_eq!(asked(SAID).unwrap(), expected);
        let errors = format!("{SAID}  Socket errors: connect 0, read 1, write 0, timeout 0\n");
        assert!(asked(&errors).is_err());
        assert!(asked(&format!("{SAID}  Non-2xx or 3xx responses: 7\n")).is_err());
        assert!(asked("0 requests in 3.00s\nRequests/sec: 0.00\n").is_err());
    }
}
