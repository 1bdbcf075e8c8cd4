//! Name lookup, natively and under WasmEdge. No name here leaves the machine.

use std::collections::HashSet;
use std::io::ErrorKind;
use wasmedge_host::lookup;
use wasmedge_host::net::{SocketAddr, ToSocketAddrs};

fn addrs(of: impl ToSocketAddrs) -> Vec<SocketAddr> {
    of.to_socket_addrs().unwrap().collect()
}

#[test]
fn localhost() {
    let found = lookup("localhost", 80).unwrap();
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|addr| addr.ip().is_loopback()),
        "{found:?}"
    );
    assert!(found.iter().all(|addr| addr.port() == 80));
    assert!(
        found.contains(&"127.0.0.1:80".parse().unwrap()),
        "{found:?}"
    );
    let distinct: HashSet<_> = found.iter().collect();
    assert_eq!(distinct.len(), found.len(), "{found:?}");
    assert_eq!(addrs("localhost:80"), found);
    assert_eq!(addrs(("localhost", 80)), found);
    let text = &String::from("localhost:80");
    assert_eq!(addrs(text), found);
}

#[test]
fn addresses_as_text() {
    for (host, port, addr) in [
        ("127.0.0.1", 1, "127.0.0.1:1"),
        ("::1", 2, "[::1]:2"),
        ("2001:db8::7", 65535, "[2001:db8::7]:65535"),
    ] {
        let addr: SocketAddr = addr.parse().unwrap();
        assert_eq!(lookup(host, port).unwrap(), [addr]);
        assert_eq!(addrs(addr.to_string()), [addr]);
        assert_eq!(addrs((addr.ip(), port)), [addr]);
        assert_eq!(addrs(&[addr, addr][..]), [addr, addr]);
    }
}

#[test]
fn malformed_text() {
    for (text, message) in [
        ("localhost", "invalid socket address"),
        ("", "invalid socket address"),
        ("localhost:", "invalid port value"),
        ("localhost:x", "invalid port value"),
        ("localhost:65536", "invalid port value"),
    ] {
        let error = text.to_socket_addrs().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        assert_eq!(error.to_string(), message, "{text}");
    }
    let nul = lookup("local\0host", 80).unwrap_err();
    assert_eq!(nul.kind(), ErrorKind::InvalidInput);
}

#[test]
fn names_that_do_not_resolve() {
    // Empty, and too long to be asked of any server.
    for name in [String::new(), "x".repeat(300)] {
        let error = lookup(&name, 80).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to lookup address information: Name or service not known",
            "{name}"
        );
    }
}
