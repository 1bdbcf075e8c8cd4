//! Names become addresses.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use behaviour::{kind, within};
use tokio::net::{lookup_host, TcpListener, TcpStream, UdpSocket};

#[tokio::test]
async fn localhost_is_loopback_with_the_port_kept() {
    within(async {
        let found: Vec<SocketAddr> = lookup_host("localhost:8080").await.unwrap().collect();
        assert!(!found.is_empty());
        for address in &found {
            assert!(address.ip().is_loopback(), "{address}");
            assert_eq!(address.port(), 8080);
        }
        assert!(found.contains(&SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))));
    })
    .await;
}

#[tokio::test]
async fn no_address_is_found_twice() {
    within(async {
        let found: Vec<SocketAddr> = lookup_host("localhost:1").await.unwrap().collect();
        for (i, address) in found.iter().enumerate() {
            assert!(!found[..i].contains(address), "{found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn name_and_port_may_be_a_pair() {
    within(async {
        let text: Vec<SocketAddr> = lookup_host("localhost:81").await.unwrap().collect();
        let pair: Vec<SocketAddr> = lookup_host(("localhost", 81)).await.unwrap().collect();
        let owned = ("localhost".to_owned(), 81);
        let owned: Vec<SocketAddr> = lookup_host(owned).await.unwrap().collect();
        assert_eq!(text, pair);
        assert_eq!(text, owned);
    })
    .await;
}

#[tokio::test]
async fn numeric_addresses_need_no_lookup() {
    within(async {
        let found: Vec<SocketAddr> = lookup_host("192.0.2.7:9").await.unwrap().collect();
        assert_eq!(found, ["192.0.2.7:9".parse().unwrap()]);
        let found: Vec<SocketAddr> = lookup_host("[2001:db8::7]:9").await.unwrap().collect();
        assert_eq!(found, ["[2001:db8::7]:9".parse().unwrap()]);
        let found: Vec<SocketAddr> = lookup_host(("::1", 9)).await.unwrap().collect();
        assert_eq!(found, [SocketAddr::from((Ipv6Addr::LOCALHOST, 9))]);
        let found: Vec<SocketAddr> = lookup_host(("127.0.0.1", 9)).await.unwrap().collect();
        assert_eq!(found, [SocketAddr::from((Ipv4Addr::LOCALHOST, 9))]);
    })
    .await;
}

#[tokio::test]
async fn unknown_name_is_an_error_with_a_readable_message() {
    within(async {
        // .invalid is reserved: no such name can exist.
        let error = match lookup_host("no-such-host.invalid:80").await {
            Ok(found) => panic!("found {:?}", found.collect::<Vec<_>>()),
            Err(error) => error,
        };
        let message = error.to_string().to_lowercase();
        // Words, not only a number that no table knows.
        assert!(message.contains("name"), "{message:?}");
        assert!(!message.starts_with("os error"), "{message:?}");
    })
    .await;
}

#[tokio::test]
async fn connect_to_an_unknown_name_is_an_error() {
    within(async {
        let error = TcpStream::connect("no-such-host.invalid:80")
            .await
            .unwrap_err();
        assert!(error.to_string().to_lowercase().contains("name"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn unusual_names_are_errors_and_no_more() {
    within(async {
        let long = "a".repeat(300);
        for name in ["", " ", "a b", "..", "nul\0byte", long.as_str()] {
            assert!(lookup_host((name, 80)).await.is_err(), "{name:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn missing_or_bad_port_is_invalid_input() {
    within(async {
        for text in ["localhost", "localhost:", "localhost:x", "localhost:65536"] {
            assert_eq!(
                kind(lookup_host(text).await.map(|_| ())),
                ErrorKind::InvalidInput,
                "{text:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn connect_and_bind_by_name_work() {
    within(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(address.ip().is_loopback());
        let near = TcpStream::connect(("localhost", address.port()))
            .await
            .unwrap();
        assert_eq!(near.peer_addr().unwrap(), address);
        let near = TcpStream::connect(format!("localhost:{}", address.port()))
            .await
            .unwrap();
        assert_eq!(near.peer_addr().unwrap(), address);
        let socket = UdpSocket::bind("localhost:0").await.unwrap();
        assert!(socket.local_addr().unwrap().ip().is_loopback());
    })
    .await;
}

#[tokio::test]
async fn lookups_run_beside_other_work() {
    within(async {
        let lookups = (0..10).map(|i| async move {
            let mut found = lookup_host(("localhost", i)).await.unwrap();
            assert_eq!(found.next().unwrap().port(), i);
        });
        let (_, ()) = tokio::join!(
            futures::future::join_all(lookups),
            tokio::time::sleep(Duration::from_millis(10))
        );
    })
    .await;
}
