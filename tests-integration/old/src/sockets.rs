//! socket2 0.4 and 0.5: what libraries do with it, and what the host lacks.

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// What the host may lack: natively it is there.
fn may_lack<T: Debug>(what: &str, result: io::Result<T>) {
    match result {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::Unsupported && !cfg!(unix) => {}
        Err(error) => println!("{what}: {error:?}"),
    }
}

/// The same for both releases: their modules differ in types only.
macro_rules! checks {
    ($name:ident, $socket2:ident) => {
        mod $name {
            use std::io::{IoSlice, Read, Write};
            use std::mem::MaybeUninit;
            use std::net::SocketAddr;
            use std::time::Duration;

            use $socket2::{
                Domain, MaybeUninitSlice, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type,
            };

            use super::may_lack;

            fn any() -> SockAddr {
                SocketAddr::from(([127, 0, 0, 1], 0)).into()
            }

            fn bound(ty: Type, protocol: Protocol) -> Socket {
                let socket = Socket::new(Domain::IPV4, ty, Some(protocol)).unwrap();
                socket.set_reuse_address(true).unwrap();
                socket.bind(&any()).unwrap();
                socket
            }

            fn room(size: usize) -> Vec<MaybeUninit<u8>> {
                vec![MaybeUninit::uninit(); size]
            }

            fn text(bytes: &[MaybeUninit<u8>]) -> String {
                // Only what was received is asked for.
                let bytes = bytes.iter().map(|byte| unsafe { byte.assume_init() });
                bytes.map(char::from).collect()
            }

            pub fn streams() {
                let listener = bound(Type::STREAM, Protocol::TCP);
                listener.listen(16).unwrap();
                let address = listener.local_addr().unwrap();
                let mut near = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                near.connect_timeout(&address, Duration::from_secs(20))
                    .unwrap();
                let (mut far, peer) = listener.accept().unwrap();
                println!(
                    "{} {}",
                    peer.as_socket() == near.local_addr().unwrap().as_socket(),
                    near.peer_addr().unwrap().as_socket_ipv4() == address.as_socket_ipv4(),
                );
                let parts = [IoSlice::new(b"several"), IoSlice::new(b" parts")];
                println!("{}", near.send_vectored(&parts).unwrap());
                let mut buf = room(13);
                far.recv_with_flags(&mut buf, 0).unwrap();
                println!("{}", text(&buf));
                far.write_all(b"and back").unwrap();
                let (mut a, mut b) = (room(3), room(20));
                let mut bufs = [MaybeUninitSlice::new(&mut a), MaybeUninitSlice::new(&mut b)];
                let (n, flags) = near.recv_vectored(&mut bufs).unwrap();
                println!("{n} {} {}{}", flags.is_truncated(), text(&a), text(&b[..5]));
                near.set_nonblocking(true).unwrap();
                println!("{:?}", near.read(&mut [0]).unwrap_err().kind());
                near.set_nonblocking(false).unwrap();
                near.set_read_timeout(Some(Duration::from_millis(30)))
                    .unwrap();
                println!("{}", near.read_timeout().unwrap().is_some());
                println!("{:?}", near.read(&mut [0]).unwrap_err().kind());
                drop(far);
                println!("{}", near.read(&mut [0]).unwrap());
            }

            pub fn datagrams() {
                let a = bound(Type::DGRAM, Protocol::UDP);
                let b = bound(Type::DGRAM, Protocol::UDP);
                let to = b.local_addr().unwrap();
                a.send_to(b"one", &to).unwrap();
                let parts = [IoSlice::new(b"in "), IoSlice::new(b"parts")];
                a.send_to_vectored(&parts, &to).unwrap();
                a.send_to(b"too long", &to).unwrap();
                let mut buf = room(10);
                println!("{}", b.peek_from(&mut buf).unwrap().0);
                let (n, from) = b.recv_from(&mut buf).unwrap();
                let same = from.as_socket() == a.local_addr().unwrap().as_socket();
                println!("{} {same}", text(&buf[..n]));
                for size in [10, 2] {
                    let (mut x, mut y) = (room(2), room(size - 2));
                    let mut bufs = [MaybeUninitSlice::new(&mut x), MaybeUninitSlice::new(&mut y)];
                    let (n, flags, from) = b.recv_from_vectored(&mut bufs).unwrap();
                    let same = from.as_socket() == a.local_addr().unwrap().as_socket();
                    println!("{n} {} {} {same}", text(&x), flags.is_truncated());
                }
            }

            pub fn options() {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
                println!("{:?} {:?}", socket.r#type().unwrap(), Type::DGRAM);
                println!("{:?}", Domain::for_address("[::1]:1".parse().unwrap()));
                socket.set_keepalive(true).unwrap();
                socket.set_linger(Some(Duration::from_secs(2))).unwrap();
                socket.set_nodelay(true).unwrap();
                socket.set_recv_buffer_size(32_768).unwrap();
                println!(
                    "{} {:?} {} {}",
                    socket.keepalive().unwrap(),
                    socket.linger().unwrap(),
                    socket.nodelay().unwrap(),
                    socket.recv_buffer_size().unwrap() >= 32_768,
                );
                println!("{:?}", socket.take_error().unwrap());
                let times = TcpKeepalive::new()
                    .with_time(Duration::from_secs(60))
                    .with_interval(Duration::from_secs(6))
                    .with_retries(5);
                may_lack("times", socket.set_tcp_keepalive(&times));
                may_lack("clone", socket.try_clone());
                may_lack("port", socket.set_reuse_port(true));
                may_lack("ttl", socket.set_ttl(60));
                may_lack("pair", Socket::pair(Domain::UNIX, Type::STREAM, None));
                may_lack("unix", Socket::new(Domain::UNIX, Type::STREAM, None));
                let path = SockAddr::unix("/tmp/a-name-that-is-longer-than-a-few-letters").unwrap();
                println!("{}", path.len() > 40);
            }

            pub fn std_and_tokio() -> tokio::net::TcpListener {
                let listener = bound(Type::STREAM.nonblocking(), Protocol::TCP);
                listener.listen(16).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener.into()).unwrap();
                println!("{:?}", SockRef::from(&listener).r#type().unwrap());
                listener
            }
        }
    };
}

checks!(version_04, socket2_04);
checks!(version_05, socket2_05);

pub async fn run() {
    for (streams, datagrams, options) in [
        (
            version_04::streams as fn(),
            version_04::datagrams as fn(),
            version_04::options as fn(),
        ),
        (
            version_05::streams,
            version_05::datagrams,
            version_05::options,
        ),
    ] {
        streams();
        datagrams();
        options();
    }
    for listener in [version_04::std_and_tokio(), version_05::std_and_tokio()] {
        let address = listener.local_addr().unwrap();
        let connect = tokio::net::TcpStream::connect(address);
        let both = async { tokio::join!(connect, listener.accept()) };
        let (near, far) = tokio::time::timeout(Duration::from_secs(20), both)
            .await
            .unwrap();
        println!("{}", near.unwrap().local_addr().unwrap() == far.unwrap().1);
    }
}
