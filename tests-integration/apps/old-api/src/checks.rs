//! What the calls do. Each check needs nothing of the others.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime};
use wasmedge_wasi_socket::poll::{poll, Event, EventType, Subscription};
use wasmedge_wasi_socket::socket::{
    AddressFamily, AiFlags, AiProtocol, IovecRead, Socket, SocketOptLevel, SocketOptName,
    SocketType, WasiAddrinfo, MSG_PEEK, MSG_TRUNC,
};
use wasmedge_wasi_socket::{
    nslookup, nslookup_with_dns_server, nslookup_with_host, resolve, TcpListener, TcpStream,
    ToSocketAddrs, UdpSocket,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Check = fn(&[&str]) -> Result<()>;

pub const ALL: &[(&str, Check)] = &[
    ("tcp-v4", |_| tcp("127.0.0.1:0")),
    ("tcp-v6", |_| tcp("[::1]:0")),
    ("listener-port", |_| listener_port()),
    ("unbound", |_| unbound()),
    ("udp-v4", |_| udp("127.0.0.1:0")),
    ("udp-v6", |_| udp("[::1]:0")),
    ("udp-vectored", |_| udp_vectored()),
    ("udp-truncated", |_| udp_truncated()),
    ("sender-of-a-stream", |_| sender_of_a_stream()),
    ("nonblocking", |_| nonblocking()),
    ("options", |_| options()),
    ("device", |_| device()),
    ("no-family", |_| no_family()),
    ("names", |_| names()),
    ("names-v6", |_| names_v6()),
    ("services", |_| services()),
    ("addrinfo", |_| addrinfo()),
    ("addrinfo-list", |_| addrinfo_list()),
    ("addrinfo-canonname", |_| addrinfo_canonname()),
    ("addrinfo-any", |_| addrinfo_any()),
    ("poll-io", |_| poll_io()),
    ("poll-refused", |_| poll_refused()),
    ("poll-timeout", |_| poll_timeout()),
    ("poll-past", |_| poll_past()),
    ("poll-empty", |_| poll_empty()),
    ("poll-twice", |_| poll_twice()),
    ("poll-closed", |_| poll_closed()),
    ("poll-udp-error", |_| poll_udp_error()),
    // With arguments: a server, and a name.
    ("ask", ask),
    ("lookup", lookup),
];

macro_rules! ensure {
    ($condition:expr, $($seen:tt)+) => {
        if !$condition {
            return Err(format!($($seen)+).into());
        }
    };
}

macro_rules! equal {
    ($left:expr, $right:expr) => {
        match (&$left, &$right) {
            (left, right) => {
                ensure!(
                    left == right,
                    "{} is {left:?}, not {right:?}",
                    stringify!($left)
                );
            }
        }
    };
}

fn tcp(address: &str) -> Result<()> {
    let listener = TcpListener::bind(address, false)?;
    let address = listener.local_addr()?;
    ensure!(address.port() != 0, "no port");
    ensure!(address.ip().is_loopback(), "{address} is not loopback");
    let mut client = TcpStream::connect(address)?;
    let (mut server, peer) = listener.accept(false)?;
    equal!(peer, client.local_addr()?);
    equal!(client.peer_addr()?, address);
    equal!(server.local_addr()?, address);

    client.write_all(b"question")?;
    let mut buf = [0; 8];
    server.read_exact(&mut buf)?;
    equal!(&buf, b"question");

    let parts = [IoSlice::new(b"an"), IoSlice::new(b"swer")];
    equal!(server.as_ref().send_vectored(&parts, 0)?, 6);
    let (mut one, mut two) = ([0; 3], [0; 5]);
    let mut parts = [
        IovecRead {
            buf: one.as_mut_ptr(),
            size: one.len(),
        },
        IovecRead {
            buf: two.as_mut_ptr(),
            size: two.len(),
        },
    ];
    equal!(client.as_ref().recv_vectored(&mut parts, 0)?, (6, 0));
    equal!((&one, &two), (b"ans", b"wer\0\0"));

    server.shutdown(std::net::Shutdown::Both)?;
    equal!((&client).read(&mut buf)?, 0);
    drop(server);

    let mut second = TcpStream::connect(address)?;
    let mut server = listener.incoming().next().ok_or("no more connections")??;
    (&second).write_all(b"x")?;
    server.read_exact(&mut buf[..1])?;
    drop(server);
    equal!(second.read(&mut buf)?, 0);
    Ok(())
}

fn listener_port() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0", false)?;
    let address = listener.local_addr()?;
    equal!(listener.port, Some(address.port()));
    equal!(listener.address.as_ref().ok(), Some(&address));
    Ok(())
}

fn unbound() -> Result<()> {
    for (family, wanted) in [
        (AddressFamily::Inet4, "0.0.0.0:0"),
        (AddressFamily::Inet6, "[::]:0"),
    ] {
        let socket = Socket::new(family, SocketType::Stream)?;
        equal!(socket.get_local()?, wanted.parse()?);
        let error = socket.get_peer().err().ok_or("a peer")?;
        equal!(error.kind(), ErrorKind::NotConnected);
    }
    Ok(())
}

/// An answer reaches whoever `recv_from` says has asked.
fn udp(address: &str) -> Result<()> {
    let (one, two) = (UdpSocket::bind(address)?, UdpSocket::bind(address)?);
    let (to, from) = (two.as_ref().get_local()?, one.as_ref().get_local()?);
    one.send_to(b"question", to)?;
    let mut buf = [0; 16];
    let (len, sender) = two.recv_from(&mut buf)?;
    equal!((&buf[..len], sender), (&b"question"[..], from));
    two.send_to(b"answer", sender)?;
    one.as_ref()
        .set_recv_timeout(Some(Duration::from_secs(5)))?;
    let (len, sender) = one.recv_from(&mut buf)?;
    equal!((&buf[..len], sender), (&b"answer"[..], to));

    one.as_ref().connect(&to)?;
    one.as_ref().send(b"more")?;
    equal!(two.as_ref().recv(&mut buf)?, 4);
    Ok(())
}

fn udp_vectored() -> Result<()> {
    let (one, two) = (
        UdpSocket::bind("127.0.0.1:0")?,
        UdpSocket::bind("127.0.0.1:0")?,
    );
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
    let to = two.as_ref().get_local()?;
    equal!(one.as_ref().send_to_vectored(&parts, to, 0)?, 5);
    let (mut first, mut second) = ([0; 3], [0; 3]);
    let mut parts = [
        IovecRead {
            buf: first.as_mut_ptr(),
            size: 3,
        },
        IovecRead {
            buf: second.as_mut_ptr(),
            size: 3,
        },
    ];
    let (len, sender, flags) = two.as_ref().recv_from_vectored(&mut parts, 0)?;
    equal!((len, flags), (5, 0));
    equal!(sender, one.as_ref().get_local()?);
    equal!((&first, &second), (b"abc", b"de\0"));
    Ok(())
}

fn udp_truncated() -> Result<()> {
    let (one, two) = (
        UdpSocket::bind("127.0.0.1:0")?,
        UdpSocket::bind("127.0.0.1:0")?,
    );
    one.send_to(b"too long", two.as_ref().get_local()?)?;
    let mut buf = [MaybeUninit::uninit(); 3];
    let (len, sender, flags) = two.as_ref().recv_from_with_flags(&mut buf, MSG_PEEK)?;
    equal!((len, flags), (3, usize::from(MSG_TRUNC)));
    equal!(sender, one.as_ref().get_local()?);
    let (len, flags) = two.as_ref().recv_with_flags(&mut buf, 0)?;
    equal!((len, flags), (3, usize::from(MSG_TRUNC)));
    Ok(())
}

/// The host names none: an error, and not a panic.
fn sender_of_a_stream() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0", false)?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept(false)?;
    client.write_all(b"x")?;
    let error = server.as_ref().recv_from(&mut [0]).err();
    let kind = error.map(|error| error.kind());
    equal!(kind, Some(ErrorKind::InvalidInput));
    equal!(server.as_ref().recv(&mut [0])?, 1);
    Ok(())
}

fn nonblocking() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0", true)?;
    let error = listener.accept(false).err().ok_or("a connection")?;
    equal!(error.kind(), ErrorKind::WouldBlock);
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept(true)?;
    equal!(server.as_ref().nonblocking()?, true);
    equal!(listener.as_ref().nonblocking()?, true);
    let error = server.read(&mut [0]).err().ok_or("something to read")?;
    equal!(error.kind(), ErrorKind::WouldBlock);
    server.set_nonblocking(false)?;
    equal!(server.as_ref().nonblocking()?, false);
    drop(client);
    equal!(server.read(&mut [0])?, 0);
    Ok(())
}

fn options() -> Result<()> {
    use SocketOptLevel::SolSocket;
    let listener = TcpListener::bind("127.0.0.1:0", false)?;
    equal!(listener.as_ref().is_listener()?, true);
    equal!(listener.as_ref().reuse_address()?, true);

    let socket = Socket::new(AddressFamily::Inet4, SocketType::Datagram)?;
    ensure!(
        matches!(socket.r#type()?, SocketType::Datagram),
        "not a datagram socket"
    );
    equal!(socket.is_listener()?, false);
    socket.take_error()?;
    equal!(socket.broadcast()?, false);
    socket.setsockopt(SolSocket, SocketOptName::SoBroadcast, 1i32)?;
    equal!(socket.broadcast()?, true);
    socket.setsockopt(SolSocket, SocketOptName::SoKeepalive, 1i32)?;
    equal!(socket.keepalive()?, true);
    socket.setsockopt(SolSocket, SocketOptName::SoRcvbuf, 32_768i32)?;
    ensure!(
        socket.recv_buffer_size()? >= 32_768,
        "a small receive buffer"
    );
    socket.setsockopt(SolSocket, SocketOptName::SoSndbuf, 32_768i32)?;
    ensure!(socket.send_buffer_size()? >= 32_768, "a small send buffer");
    let wrong = socket.setsockopt(SolSocket, SocketOptName::SoKeepalive, 1u8);
    ensure!(wrong.is_err(), "an option of one byte");

    for time in [
        Some(Duration::from_millis(1500)),
        Some(Duration::ZERO),
        None,
    ] {
        let kept = time.filter(|time| !time.is_zero());
        socket.set_recv_timeout(time)?;
        socket.set_send_timeout(time)?;
        equal!(
            (socket.get_recv_timeout()?, socket.get_send_timeout()?),
            (kept, kept)
        );
    }
    ensure!(SocketOptName::try_from(15).is_err(), "option 15");
    ensure!(SocketOptLevel::try_from(6).is_err(), "level 6");
    Ok(())
}

fn device() -> Result<()> {
    let socket = Socket::new(AddressFamily::Inet4, SocketType::Stream)?;
    equal!(socket.device()?, None);
    ensure!(
        socket.bind_device(Some(b"no-such-device")).is_err(),
        "such a device"
    );
    match socket.bind_device(Some(b"lo")) {
        // Some systems leave it to root.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        Err(error) if error.raw_os_error() == Some(63) => {}
        result => {
            result?;
            equal!(socket.device()?.as_deref(), Some(&b"lo"[..]));
            socket.bind_device(None)?;
            equal!(socket.device()?, None);
        }
    }
    Ok(())
}

fn no_family() -> Result<()> {
    let socket = Socket::new(AddressFamily::Unspec, SocketType::Stream);
    ensure!(socket.is_err(), "a socket without a family");
    let socket = Socket::new(AddressFamily::Inet4, SocketType::Any);
    ensure!(socket.is_err(), "a socket without a type");
    Ok(())
}

fn names() -> Result<()> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    equal!(nslookup("localhost", "http")?.first(), Some(&local(80)));
    equal!(nslookup("127.0.0.1", "8080")?, [local(8080)]);
    equal!(
        nslookup_with_host("localhost", "http")?.first(),
        Some(&local(80))
    );
    equal!(
        "localhost:3000".to_socket_addrs()?.next(),
        Some(local(3000))
    );
    equal!(("localhost", 1).to_socket_addrs()?.next(), Some(local(1)));
    equal!(
        (String::from("127.0.0.1"), 2).to_socket_addrs()?.next(),
        Some(local(2))
    );
    let wanted = (Ipv6Addr::LOCALHOST, 3).to_socket_addrs()?.next();
    equal!("[::1]:3".to_socket_addrs()?.next(), wanted);
    let all = [local(4), local(5)];
    equal!((&all[..]).to_socket_addrs()?.collect::<Vec<_>>(), all);
    for text in ["localhost", "localhost:x", "a:b:1", "localhost:65536"] {
        let error = text.to_socket_addrs().err().ok_or("an address")?;
        equal!(error.kind(), ErrorKind::InvalidInput);
    }
    ensure!("no such name:443".to_socket_addrs().is_err(), "such a name");

    let listener = TcpListener::bind("localhost:0", false)?;
    let address = listener.local_addr()?;
    equal!(address.ip(), local(0).ip());
    TcpStream::connect(("localhost", address.port()))?;
    Ok(())
}

/// Connecting by name comes to the IPv6 address.
fn names_v6() -> Result<()> {
    let listener = TcpListener::bind("[::1]:0", false)?;
    let port = listener.local_addr()?.port();
    let found = nslookup("::1", &port.to_string())?;
    equal!(found, [listener.local_addr()?]);
    TcpStream::connect(&found[..])?;
    listener.accept(false)?;
    Ok(())
}

/// A number that is no port is an error, and not another number.
fn services() -> Result<()> {
    let found = nslookup_with_host("127.0.0.1", "70000");
    ensure!(found.is_err(), "{found:?}");
    let found = nslookup_with_host("127.0.0.1", "no such service");
    ensure!(found.is_err(), "{found:?}");
    Ok(())
}

struct Looked {
    entries: Vec<WasiAddrinfo>,
    sockaddrs: Vec<wasmedge_wasi_socket::socket::WasiSockaddr>,
    data: Vec<[u8; 26]>,
    names: Vec<String>,
}

fn look(node: &str, service: &str, hints: &WasiAddrinfo, max: usize) -> Result<Looked> {
    let (mut sockaddrs, mut data, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let entries = WasiAddrinfo::get_addrinfo(
        node,
        service,
        hints,
        max,
        &mut sockaddrs,
        &mut data,
        &mut names,
    )?;
    Ok(Looked {
        entries,
        sockaddrs,
        data,
        names,
    })
}

fn addrinfo() -> Result<()> {
    let mut hints = WasiAddrinfo::default();
    let found = look("127.0.0.1", "80", &hints, 10)?;
    equal!(found.entries.len(), 1);
    ensure!(found.sockaddrs[0].family.is_v4(), "not IPv4");
    equal!(found.data[0][..6], [0, 80, 127, 0, 0, 1]);
    ensure!(found.entries[0].ai_addrlen > 0, "no length");
    ensure!(found.names[0].is_empty(), "a name: {}", found.names[0]);

    hints.ai_family = AddressFamily::Inet6;
    let found = look("::1\0", "443", &hints, 3)?;
    equal!(found.entries.len(), 1);
    ensure!(found.sockaddrs[0].family.is_v6(), "not IPv6");
    equal!(found.data[0][..2], [1, 187]);
    equal!(found.data[0][6..22], Ipv6Addr::LOCALHOST.octets());
    ensure!(look("127.0.0.1", "80", &hints, 0).is_err(), "no room");
    ensure!(
        look("a\0b", "80", &hints, 1).is_err(),
        "a name with an end in it"
    );
    Ok(())
}

/// The entries lead to one another, and to what belongs to them.
fn addrinfo_list() -> Result<()> {
    let mut hints = WasiAddrinfo::default();
    hints.ai_family = AddressFamily::Unspec;
    // Without a name: what to listen on, IPv4 and IPv6.
    let found = look("", "80", &hints, 8)?;
    equal!(found.entries.len(), 2);
    let mut entry: *const WasiAddrinfo = &found.entries[0];
    for place in 0..2 {
        // SAFETY: entries and addresses are alive, and have not been moved.
        let each = unsafe { &*entry };
        equal!(entry, &found.entries[place] as *const _);
        equal!(
            each.ai_addr as *const _,
            &found.sockaddrs[place] as *const _
        );
        let (data, wanted) = (found.sockaddrs[place].sa_data, found.data[place].as_ptr());
        equal!(data as *const u8, wanted);
        let is_v6 = found.sockaddrs[place].family.is_v6();
        let ip = match is_v6 {
            true => &found.data[place][6..22],
            false => &found.data[place][2..6],
        };
        ensure!(
            ip.iter().all(|byte| *byte == 0),
            "{ip:?} is not for listening"
        );
        entry = each.ai_next;
    }
    ensure!(entry.is_null(), "a third entry");
    Ok(())
}

fn addrinfo_canonname() -> Result<()> {
    let mut hints = WasiAddrinfo::default();
    hints.ai_flags = AiFlags::AiCanonname;
    let found = look("localhost", "80", &hints, 10)?;
    equal!(found.names[0], "localhost");
    let len = found.entries[0].ai_canonnamelen;
    equal!(len, 9);
    Ok(())
}

/// The host ends the process when it is asked for sockets of any type.
fn addrinfo_any() -> Result<()> {
    let mut hints = WasiAddrinfo::default();
    hints.ai_socktype = SocketType::Any;
    hints.ai_protocol = AiProtocol::IPProtoIP;
    let found = look("127.0.0.1", "80", &hints, 10)?;
    ensure!(!found.entries.is_empty(), "nothing");
    Ok(())
}

fn soon() -> Option<SystemTime> {
    Some(SystemTime::now() + Duration::from_secs(5))
}

/// What a poll tells, in short.
fn told(events: &[Event]) -> Vec<(u64, &'static str)> {
    let kind = |event: &Event| match event.event_type {
        EventType::Timeout => "timeout",
        EventType::Error(_) => "error",
        EventType::Read => "read",
        EventType::Write => "write",
    };
    events
        .iter()
        .map(|event| (event.userdata, kind(event)))
        .collect()
}

fn poll_io() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0", true)?;
    let later = Some(SystemTime::now() + Duration::from_millis(20));
    let events = poll(&[Subscription::io(1, &listener, true, false, later)])?;
    equal!(told(&events), [(1, "timeout")]);

    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let events = poll(&[
        Subscription::io(1, &listener, true, false, soon()),
        Subscription::io(2, &client, true, true, None),
    ])?;
    equal!(told(&events), [(1, "read"), (2, "write")]);

    let (mut server, _) = listener.accept(true)?;
    client.write_all(b"x")?;
    let events = poll(&[Subscription::io(3, &server, true, true, soon())])?;
    equal!(told(&events), [(3, "read"), (3, "write")]);
    equal!(server.read(&mut [0])?, 1);
    drop(client);
    let events = poll(&[Subscription::io(4, &server, true, false, soon())])?;
    equal!(told(&events), [(4, "read")]);
    equal!(server.read(&mut [0])?, 0);
    Ok(())
}

fn poll_refused() -> Result<()> {
    // Bound and not listening: nobody else gets the port meanwhile.
    let closed = Socket::new(AddressFamily::Inet4, SocketType::Stream)?;
    closed.bind(&"127.0.0.1:0".parse()?)?;
    let socket = Socket::new(AddressFamily::Inet4, SocketType::Stream)?;
    socket.set_nonblocking(true)?;
    let error = socket.connect(&closed.get_local()?).err();
    if error.as_ref().and_then(std::io::Error::raw_os_error) == Some(26) {
        let events = poll(&[Subscription::io(1, &socket, false, true, soon())])?;
        equal!(told(&events), [(1, "error")]);
        let error = socket.take_error().err().ok_or("connected")?;
        equal!(error.kind(), ErrorKind::ConnectionRefused);
    } else {
        let kind = error.map(|error| error.kind());
        equal!(kind, Some(ErrorKind::ConnectionRefused));
    }
    Ok(())
}

fn poll_timeout() -> Result<()> {
    let start = Instant::now();
    let at = |millis| SystemTime::now() + Duration::from_millis(millis);
    let events = poll(&[
        Subscription::timeout(1, at(10_000)),
        Subscription::timeout(2, at(30)),
    ])?;
    equal!(told(&events), [(2, "timeout")]);
    let passed = start.elapsed();
    ensure!(passed >= Duration::from_millis(29), "after {passed:?}");
    Ok(())
}

/// A time before 1970 has passed.
fn poll_past() -> Result<()> {
    let past = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let events = poll(&[Subscription::timeout(1, past)])?;
    equal!(told(&events), [(1, "timeout")]);
    Ok(())
}

/// An empty list leaves the host's poll in order.
fn poll_empty() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0", true)?;
    let wait = || {
        let later = Some(SystemTime::now() + Duration::from_millis(5));
        poll(&[Subscription::io(1, &listener, true, false, later)])
    };
    equal!(told(&wait()?), [(1, "timeout")]);
    equal!(told(&poll(&[])?), []);
    let nothing = Subscription::io(2, &listener, false, false, None);
    equal!(told(&poll(&[nothing])?), []);
    equal!(told(&wait()?), [(1, "timeout")]);
    Ok(())
}

/// The same thing may be waited for twice.
fn poll_twice() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0", true)?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let events = poll(&[
        Subscription::io(1, &client, false, true, None),
        Subscription::io(2, &client, false, true, None),
    ])?;
    equal!(told(&events), [(1, "write"), (2, "write")]);
    Ok(())
}

/// A closed descriptor is an error, and no wait without end.
fn poll_closed() -> Result<()> {
    let socket = Socket::new(AddressFamily::Inet4, SocketType::Datagram)?;
    let fd = socket.as_raw_fd();
    drop(socket);
    let closed = Subscription::IO {
        userdata: 1,
        fd,
        read_event: true,
        write_event: false,
    };
    equal!(told(&poll(&[closed])?), [(1, "error")]);
    Ok(())
}

/// An error of a socket that is waited for to be read ends the wait, and the
/// read tells it.
fn poll_udp_error() -> Result<()> {
    let gone = UdpSocket::bind("127.0.0.1:0")?;
    let to = gone.as_ref().get_local()?;
    drop(gone);
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.as_ref().connect(&to)?;
    socket.as_ref().send(b"x")?;
    let events = poll(&[Subscription::io(1, &socket, true, false, soon())])?;
    equal!(told(&events), [(1, "read")]);
    let error = socket.recv_from(&mut [0]).err().ok_or("something came")?;
    equal!(error.kind(), ErrorKind::ConnectionRefused);
    Ok(())
}

/// `SERVER NAME`: over a connection of the program's own.
fn ask(args: &[&str]) -> Result<()> {
    let &[server, name] = args else {
        return Err("SERVER NAME".into());
    };
    let mut connection = TcpStream::connect(server)?;
    println!("{:?}", resolve::<_, Ipv4Addr>(&mut connection, name)?);
    println!("{:?}", resolve::<_, Ipv6Addr>(&mut connection, name)?);
    let label = "x".repeat(63);
    let too_long = resolve::<_, Ipv4Addr>(&mut connection, &label);
    ensure!(too_long.is_err(), "{too_long:?}");
    Ok(())
}

/// `NAME [SERVER]`: asks that server, or the one in `DNS_SERVER`.
fn lookup(args: &[&str]) -> Result<()> {
    match *args {
        [name] => println!("{:?}", (name, 80).to_socket_addrs()?.collect::<Vec<_>>()),
        [name, server] => println!("{:?}", nslookup_with_dns_server(server, name, "http")?),
        _ => return Err("NAME [SERVER]".into()),
    }
    Ok(())
}
