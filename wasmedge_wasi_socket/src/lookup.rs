//! Name lookup.

use std::io;
use std::net::SocketAddr;

/// The addresses of `host`, IPv4 and IPv6, each once, in the resolver's order.
///
/// Blocks the program until the host's resolver answers: there is no thread to
/// wait in. An address in text form never reaches the resolver.
///
/// # Errors
///
/// `InvalidInput` for a name with a NUL in it; else "failed to lookup address
/// information" and the reason.
pub fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    imp::lookup(host, port)
}

/// As [`lookup()`], of a text `host:port`.
///
/// # Errors
///
/// `InvalidInput` when the text has no port, or one that is no number; else as
/// [`lookup()`].
pub fn lookup_with_port(host_port: &str) -> io::Result<Vec<SocketAddr>> {
    imp::lookup_with_port(host_port)
}

#[cfg(not(target_os = "wasi"))]
mod imp {
    use super::*;
    use std::net::ToSocketAddrs;

    pub fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (host, port).to_socket_addrs().map(Iterator::collect)
    }

    pub fn lookup_with_port(host_port: &str) -> io::Result<Vec<SocketAddr>> {
        host_port.to_socket_addrs().map(Iterator::collect)
    }
}

#[cfg(target_os = "wasi")]
mod imp {
    use super::*;
    use crate::{conv, sys, Errno};
    use std::net::IpAddr;

    /// Addresses to make room for at first, and when there may be more.
    const ROOM: [usize; 2] = [32, 512];

    pub fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        if host.contains('\0') {
            return Err(invalid("file name contained an unexpected NUL byte"));
        }
        if host.is_empty() {
            // What the resolver says of it natively.
            return Err(Errno::NO_NAME.into());
        }
        let mut found = Vec::new();
        for room in ROOM {
            found = sys::getaddrinfo(host, room)?;
            if found.len() < room {
                break;
            }
        }
        Ok(conv::found_addrs(&found, port))
    }

    pub fn lookup_with_port(host_port: &str) -> io::Result<Vec<SocketAddr>> {
        if let Ok(addr) = host_port.parse() {
            return Ok(vec![addr]);
        }
        let (host, port) = host_port
            .rsplit_once(':')
            .ok_or_else(|| invalid("invalid socket address"))?;
        let port = port.parse().map_err(|_| invalid("invalid port value"))?;
        lookup(host, port)
    }

    fn invalid(message: &'static str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, message)
    }
}
