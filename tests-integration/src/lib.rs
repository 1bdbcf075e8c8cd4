//! Runs apps natively and under WasmEdge, and looks at them from outside.
//!
//! * [`host`]: where a program can run, and which places are missing here;
//! * [`build`]: apps become programs, through cargo and `cargo wasmedge`;
//! * [`guard`]: a running program, which always ends with its test;
//! * [`peers`]: real servers, which always end too;
//! * [`suite`]: one test per place.

pub mod build;
pub mod guard;
pub mod host;
pub mod peers;
pub mod suite;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

pub use build::{App, Workbench};
pub use guard::Guard;
pub use host::Host;
pub use suite::Suite;

/// How long anything that should take an instant may take on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Connects, with limits on reading and writing.
///
/// # Errors
/// When the connection cannot be made.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, LIMIT)
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends `message` and expects it back.
///
/// # Errors
/// When it does not come back, or comes back changed.
pub fn echo(stream: &mut TcpStream, message: &[u8]) -> Result<()> {
    stream.write_all(message).context("cannot send")?;
    let mut got = vec![0; message.len()];
    stream.read_exact(&mut got).context("nothing came back")?;
    ensure!(got == message, "something else came back");
    Ok(())
}

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

/// A port on loopback that was free a moment ago, for programs that cannot be
/// told to choose one.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
