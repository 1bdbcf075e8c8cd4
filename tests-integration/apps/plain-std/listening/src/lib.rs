//! A library of the app's own, with no dependency that has anything to do with sockets.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;

/// Listens on any port.
pub fn listener() -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0))
}

/// Of any port.
pub fn socket() -> io::Result<UdpSocket> {
    UdpSocket::bind("127.0.0.1:0")
}

/// Where scratch files go.
pub fn scratch() -> PathBuf {
    std::env::temp_dir()
}

/// A macro whose paths are resolved where it is called.
#[macro_export]
macro_rules! connect {
    ($to:expr) => {
        ::std::net::TcpStream::connect($to)
    };
}
