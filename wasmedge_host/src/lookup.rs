//! Name lookup, for code that waits for the result.

use std::io;
use std::net::SocketAddr;

/// The addresses of `host`, IPv4 and IPv6, each once, in the resolver's order.
///
/// Blocks the caller; a runtime goes on meanwhile. How names are looked up is
/// told in [`dns`](crate::dns). An address in text form is not looked up.
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
    use crate::backend::{self, Hints};
    use crate::dns::{self, Plan};
    use crate::{coalesce, Errno};
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
        let addrs = match dns::plan(host, dns::config()) {
            Plan::Known(addrs) => ordered(addrs),
            Plan::Failed(errno) => return Err(errno.into()),
            Plan::Ask(lookup) => dns::blocking::drive(lookup)?,
            Plan::Host => return ask_host(host, port),
        };
        let with_port = |ip| SocketAddr::new(ip, port);
        Ok(addrs.into_iter().map(with_port).collect())
    }

    fn ordered(mut addrs: Vec<IpAddr>) -> Vec<IpAddr> {
        dns::order(&mut addrs, dns::source);
        addrs
    }

    fn ask_host(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        coalesce::before_blocking();
        let mut found = Vec::new();
        for room in ROOM {
            found = backend::addrinfo(host, "", &Hints::STREAM, room)?;
            if found.len() < room {
                break;
            }
        }
        Ok(backend::addrs(&found, port))
    }

    pub fn lookup_with_port(host_port: &str) -> io::Result<Vec<SocketAddr>> {
        if let Ok(addr) = host_port.parse() {
            return Ok(vec![addr]);
        }
        let (host, port) = dns::split_port(host_port)?;
        lookup(host, port)
    }

    fn invalid(message: &'static str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, message)
    }
}
