//! A crate with the facade in the place of std, using std in every usual way.
#![allow(clippy::useless_vec)]

extern crate wasmedge_std as std;

use std::collections::HashMap;
use std::io::{self, prelude::*};
use std::net::{self, Shutdown, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::{fmt, path::Path};

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Derived {
    number: u32,
    bytes: Vec<u8>,
}

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::write!(f, "{}", self.number)
    }
}

thread_local! {
    static LOCAL: std::cell::Cell<u32> = const { std::cell::Cell::new(1) };
}

#[test]
fn macros_and_the_prelude_work() {
    let value = Derived::default();
    assert_eq!(
        format!("{value} {value:?}"),
        "0 Derived { number: 0, bytes: [] }"
    );
    assert_eq!(std::format!("{:?}", std::vec![1]), "[1]");
    std::assert!(std::matches!(Some(1), Some(_)));
    println!("{}", std::concat!("a", 1));
    std::eprintln!("{}", std::env!("CARGO_PKG_NAME"));
    let map: HashMap<Derived, u32> = vec![(value, 1)].into_iter().collect();
    assert_eq!(map.len(), 1);
    LOCAL.with(|local| local.set(local.get() + 1));
    assert_eq!(LOCAL.with(std::cell::Cell::get), 2);
    let boxed: Box<dyn std::error::Error> = "text".into();
    assert_eq!(boxed.to_string(), "text");
}

#[test]
fn types_outside_the_replaced_modules_are_std_s() {
    fn same<T>(_: T, _: T) {}
    same(
        std::io::Error::from(io::ErrorKind::Other),
        ::std::io::Error::from(io::ErrorKind::Other),
    );
    same(
        net::SocketAddr::from(([127, 0, 0, 1], 1)),
        ::std::net::SocketAddr::from(([127, 0, 0, 1], 1)),
    );
    same(Shutdown::Both, ::std::net::Shutdown::Both);
}

#[test]
fn sockets_work() {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    client.write_all(b"through the facade").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    server.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through the facade");
    let fd = client.as_raw_fd();
    assert_eq!(OwnedFd::from(client).as_raw_fd(), fd);
    let mut found = ("localhost", 1).to_socket_addrs().unwrap();
    assert!(found.all(|addr| addr.ip().is_loopback()));
}

#[test]
fn there_is_a_temporary_directory() {
    assert!(std::env::temp_dir().is_absolute());
    if std::env::var_os("TMPDIR").is_none() {
        assert_eq!(std::env::temp_dir(), Path::new("/tmp"));
    }
    assert!(std::env::args().count() > 0);
}

#[test]
fn a_thread_that_was_unparked_does_not_wait() {
    std::thread::current().unpark();
    std::thread::park();
    let current = std::thread::current();
    assert_eq!(current.id(), current.clone().id());
    current.unpark();
    std::thread::park_timeout(std::time::Duration::from_secs(60));
}

#[test]
fn lists_of_paths_are_split_and_joined_as_on_unix() {
    let split = |list: &str| -> Vec<std::path::PathBuf> { std::env::split_paths(list).collect() };
    assert_eq!(
        split("/a::b c"),
        ["/a", "", "b c"].map(std::path::PathBuf::from)
    );
    assert_eq!(split(""), [std::path::PathBuf::new()]);
    assert_eq!(std::env::join_paths(["/a", "b c"]).unwrap(), "/a:b c");
    assert!(std::env::join_paths(["a:b"]).is_err());
}
