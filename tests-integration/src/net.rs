//! Connections to programs under test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};

use crate::limits::LIMIT;

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

/// A port on loopback that was free a moment ago, for programs that cannot be
/// told to choose one.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
