//! Addresses and names to connect or bind to.

use super::names;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::{iter, option, slice, vec};
use wasmedge_host::dns::split_port;

/// Something that is, or can be looked up as, socket addresses.
///
/// As [`std::net::ToSocketAddrs`], with two differences that programs for this
/// API count on: IPv4 addresses come first, and the environment variable
/// `DNS_SERVER` names the server to ask (see [`nslookup`](crate::nslookup)).
pub trait ToSocketAddrs {
    /// The addresses, in the order to try them.
    type Iter: Iterator<Item = SocketAddr>;

    /// The addresses.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a malformed text; else why the name was not found.
    fn to_socket_addrs(&self) -> io::Result<Self::Iter>;
}

/// What one address stands for.
macro_rules! one_address {
    ($($from:ty),*) => {
        $(
            impl ToSocketAddrs for $from {
                type Iter = option::IntoIter<SocketAddr>;
                fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                    Ok(Some(SocketAddr::from(*self)).into_iter())
                }
            }
        )*
    };
}

/// What has to be looked up.
macro_rules! looked_up {
    ($($name:ty: $of:ident => $found:expr;)*) => {
        $(
            impl ToSocketAddrs for $name {
                type Iter = vec::IntoIter<SocketAddr>;
                fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                    let $of = self;
                    $found.map(Vec::into_iter)
                }
            }
        )*
    };
}

one_address!(SocketAddr, SocketAddrV4, SocketAddrV6);
one_address!((IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

looked_up! {
    (&str, u16): pair => names::find(pair.0, pair.1);
    (String, u16): pair => names::find(&pair.0, pair.1);
    str: text => host_and_port(text);
    String: text => host_and_port(text);
}

fn host_and_port(text: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(addr) = text.parse() {
        return Ok(vec![addr]);
    }
    let (host, port) = split_port(text)?;
    if host.contains(':') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "invalid socket address",
        ));
    }
    names::find(host, port)
}

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = iter::Cloned<slice::Iter<'a, SocketAddr>>;
    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(self.iter().cloned())
    }
}

impl<T: ?Sized + ToSocketAddrs> ToSocketAddrs for &T {
    type Iter = T::Iter;
    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        T::to_socket_addrs(self)
    }
}

/// Tries `attempt` on each address until one works; the last error if none does.
pub(super) fn first_that_works<T>(
    addrs: impl ToSocketAddrs,
    mut attempt: impl FnMut(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut failure = None;
    for addr in addrs.to_socket_addrs()? {
        match attempt(&addr) {
            Ok(value) => return Ok(value),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(no_address))
}

pub(super) fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "there is no address")
}
