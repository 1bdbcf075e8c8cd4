//! Addresses of Unix sockets, and what is said where WasmEdge has none: it does
//! with `--allow-af-unix` only, which these tests do without. What sockets do is
//! tested in `tests-integration/tests/unix.rs`.

#![cfg(any(unix, target_os = "wasi"))]

mod mode;

use std::io::ErrorKind;
use std::path::Path;

use wasmedge_host::net::unix::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

#[test]
fn a_path_is_kept() {
    for path in ["/tmp/socket", "relative", "a b", "ü"] {
        let addr = SocketAddr::from_pathname(path).unwrap();
        assert_eq!(addr.as_pathname(), Some(Path::new(path)));
        assert!(!addr.is_unnamed());
        assert_eq!(format!("{addr:?}"), format!("{path:?} (pathname)"));
        assert_eq!(addr.clone().as_pathname(), addr.as_pathname());
    }
}

#[test]
fn a_path_has_up_to_107_bytes_and_no_zero() {
    let longest = "x".repeat(107);
    let addr = SocketAddr::from_pathname(&longest).unwrap();
    assert_eq!(addr.as_pathname(), Some(Path::new(&longest)));
    for path in [
        "x".repeat(108),
        "x".repeat(1000),
        "a\0b".into(),
        "\0".into(),
    ] {
        let error = SocketAddr::from_pathname(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?}");
        let error = UnixStream::connect(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?}");
    }
}

#[test]
fn an_empty_path_is_no_name() {
    let addr = SocketAddr::from_pathname("").unwrap();
    assert!(addr.is_unnamed());
    assert_eq!(addr.as_pathname(), None);
    assert_eq!(format!("{addr:?}"), "(unnamed)");
}

#[cfg(any(target_os = "linux", target_os = "wasi"))]
#[test]
fn an_abstract_name_is_no_path() {
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;

    let addr = SocketAddr::from_abstract_name(b"na\0me").unwrap();
    assert_eq!(addr.as_abstract_name(), Some(&b"na\0me"[..]));
    assert_eq!(addr.as_pathname(), None);
    assert!(!addr.is_unnamed());
    let plain = SocketAddr::from_abstract_name("name").unwrap();
    assert_eq!(format!("{plain:?}"), r#""name" (abstract)"#);
    assert!(SocketAddr::from_abstract_name([b'x'; 107]).is_ok());
    let error = SocketAddr::from_abstract_name([b'x'; 108]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn without_the_flag_all_of_them_say_so() {
    if cfg!(not(target_os = "wasi")) {
        return;
    }
    let errors = [
        UnixStream::connect("no/socket").unwrap_err(),
        UnixListener::bind("no/socket").unwrap_err(),
        UnixDatagram::bind("no/socket").unwrap_err(),
        UnixDatagram::unbound().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("--allow-af-unix"), "{error}");
    }
}

#[test]
fn what_the_host_lacks_is_unsupported() {
    if cfg!(not(target_os = "wasi")) {
        return;
    }
    for pair in [UnixStream::pair().map(drop), UnixDatagram::pair().map(drop)] {
        match mode::plugin() {
            true => pair.unwrap(),
            false => assert_eq!(pair.unwrap_err().kind(), ErrorKind::Unsupported),
        }
    }
}
