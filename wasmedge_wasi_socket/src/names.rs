//! Name lookup.
//!
//! 0.5.5 knows IPv4 addresses only. Here IPv6 ones come too, behind them: what a
//! program takes for the first address stays what it was.

use std::env;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use wasmedge_host::backend::{self, Hints};
use wasmedge_host::dns::blocking::ask_server;
use wasmedge_host::lookup::{lookup, lookup_with_port};
use wasmedge_host::Errno;

/// Names the server to ask, as `address:port`.
const SERVER_VARIABLE: &str = "DNS_SERVER";

/// How long a server may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Addresses to make room for at first, and when there may be more.
const ROOM: [usize; 2] = [32, 512];

/// The addresses of `node` with the port of `service`, IPv4 first.
///
/// Asks the server that the environment variable `DNS_SERVER` names, as
/// [`nslookup_with_dns_server`] does; without it looks the name up as all of
/// this crate does, see [`dns`](wasmedge_host::dns). `service` is a number, a name such
/// as `http`, or empty.
///
/// # Errors
///
/// "failed to lookup address information" and the reason.
pub fn nslookup(node: &str, service: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(server) = env::var(SERVER_VARIABLE) {
        return nslookup_with_dns_server(&server, node, service);
    }
    let node = without_end(node);
    if node.is_empty() {
        return nslookup_with_host(node, service);
    }
    lookup(node, port_of(service)?).map(v4_first)
}

/// As [`nslookup`], but the host's own resolver is asked, which stops the whole
/// program until it answers.
///
/// # Errors
///
/// As [`nslookup`].
pub fn nslookup_with_host(node: &str, service: &str) -> io::Result<Vec<SocketAddr>> {
    let (node, port) = (without_end(node), port_of(service)?);
    // Without a name the resolver needs a service; port 0 is one.
    let service = if node.is_empty() { "0" } else { "" };
    let mut found = Vec::new();
    for room in ROOM {
        wasmedge_host::coalesce::before_blocking();
        found = backend::addrinfo(node, service, &Hints::STREAM, room)?;
        if found.len() < room {
            break;
        }
    }
    Ok(v4_first(backend::addrs(&found, port)))
}

/// As [`nslookup`], but asks `dns_server`, an `address:port`, over TCP.
/// `localhost` and addresses in text form are known without asking.
///
/// A service that nobody knows is port 0.
///
/// # Errors
///
/// The server cannot be reached, or does not answer within 5 seconds; "failed
/// to lookup address information" and the reason.
pub fn nslookup_with_dns_server(
    dns_server: &str,
    node: &str,
    service: &str,
) -> io::Result<Vec<SocketAddr>> {
    let port = port_of(service).unwrap_or(0);
    let found = match known(node) {
        Some(known) => known,
        None => ask(dns_server, without_end(node))?,
    };
    Ok(with_port(found, port))
}

/// For [`ToSocketAddrs`](super::ToSocketAddrs).
pub(super) fn find(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let server = env::var(SERVER_VARIABLE).ok();
    match (host.parse::<IpAddr>(), server) {
        (Ok(addr), _) => Ok(vec![SocketAddr::new(addr, port)]),
        (_, None) => lookup(host, port).map(v4_first),
        (_, Some(server)) => {
            let found = known(host).map_or_else(|| ask(&server, host), Ok)?;
            Ok(with_port(found, port))
        }
    }
}

/// Asks each address of `server` until one has an answer. The server's own name
/// is looked up without it.
fn ask(server: &str, node: &str) -> io::Result<Vec<IpAddr>> {
    let mut failure = Errno::TRY_AGAIN.into();
    for server in lookup_with_port(server)? {
        match ask_server(node.strip_suffix('.').unwrap_or(node), server, TIMEOUT) {
            Ok(found) => return Ok(found),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn known(node: &str) -> Option<Vec<IpAddr>> {
    if node == "localhost" {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    Some(vec![node.parse().ok()?])
}

fn with_port(addrs: Vec<IpAddr>, port: u16) -> Vec<SocketAddr> {
    v4_first(
        addrs
            .into_iter()
            .map(|addr| SocketAddr::new(addr, port))
            .collect(),
    )
}

fn v4_first(mut addrs: Vec<SocketAddr>) -> Vec<SocketAddr> {
    addrs.sort_by_key(SocketAddr::is_ipv6);
    addrs
}

/// Callers may end a text as C does.
pub(super) fn without_end(text: &str) -> &str {
    text.trim_end_matches('\0')
}

/// The port of a service. Names are the host's to know, in `/etc/services`.
fn port_of(service: &str) -> io::Result<u16> {
    let service = without_end(service);
    if service.is_empty() {
        return Ok(0);
    }
    check_service(service)?;
    if let Ok(port) = service.parse() {
        return Ok(port);
    }
    // An address is not looked up.
    let found = backend::addrinfo("127.0.0.1", service, &Hints::STREAM, 1)?;
    Ok(found.first().ok_or(Errno::SERVICE)?.port())
}

/// The host would cut a number that is too large to 16 bits, and a text at its
/// first NUL.
pub(super) fn check_service(service: &str) -> Result<(), Errno> {
    let is_number = service.bytes().all(|byte| byte.is_ascii_digit());
    let is_no_port = is_number && !service.is_empty() && service.parse::<u16>().is_err();
    if is_no_port || service.contains('\0') {
        return Err(Errno::SERVICE);
    }
    Ok(())
}
