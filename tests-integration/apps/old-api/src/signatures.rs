//! Every public name, at its type. It compiles, or it does not.

use libc::iovec;
use std::error::Error;
use std::fmt::Debug;
use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, RawFd};
use std::time::{Duration, SystemTime};
use wasmedge_wasi_socket::{
    nslookup, nslookup_with_dns_server, nslookup_with_host, poll, resolve, socket, wasi_poll,
    Incoming, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToQType,
    ToSocketAddrs, UdpSocket,
};

use socket::{
    AddressFamily, AiFlags, AiProtocol, IovecRead, IovecWrite, Socket, SocketOptLevel,
    SocketOptName, SocketType, WasiAddress, WasiAddrinfo, WasiSockaddr,
};

/// Checks a function's type, and counts.
macro_rules! functions {
    ($count:ident: $($function:expr => fn($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        $(
            let _: fn($($arg),*) $(-> $ret)? = $function;
            $count += 1;
        )*
    };
}

macro_rules! implements {
    ($count:ident: $($ty:ty: $($bound:path),+;)*) => {
        $(
            {
                fn check<T: ?Sized $(+ $bound)+>() {}
                check::<$ty>();
                $count += 1;
            }
        )*
    };
}

pub fn count() -> usize {
    let mut count = 0;
    root(&mut count);
    sockets(&mut count);
    options(&mut count);
    lookup(&mut count);
    polls(&mut count);
    raw_polls(&mut count);
    count
}

fn root(count: &mut usize) {
    let mut n = 0;
    functions! { n:
        TcpStream::connect::<&str> => fn(&'static str) -> io::Result<TcpStream>;
        TcpStream::shutdown => fn(&TcpStream, Shutdown) -> io::Result<()>;
        TcpStream::peer_addr => fn(&TcpStream) -> io::Result<SocketAddr>;
        TcpStream::local_addr => fn(&TcpStream) -> io::Result<SocketAddr>;
        TcpStream::set_nonblocking => fn(&TcpStream, bool) -> io::Result<()>;
        TcpStream::new => fn(Socket) -> TcpStream;
        <TcpStream as From<Socket>>::from => fn(Socket) -> TcpStream;
        TcpListener::bind::<SocketAddr> => fn(SocketAddr, bool) -> io::Result<TcpListener>;
        TcpListener::accept => fn(&TcpListener, bool) -> io::Result<(TcpStream, SocketAddr)>;
        TcpListener::incoming => fn(&'static TcpListener) -> Incoming<'static>;
        TcpListener::local_addr => fn(&TcpListener) -> io::Result<SocketAddr>;
        |it| it.address.as_ref().map(|_| ()) => fn(&TcpListener) -> Result<(), &io::Error>;
        |it| it.port => fn(&TcpListener) -> Option<u16>;
        <Incoming<'static> as Iterator>::next =>
            fn(&mut Incoming<'static>) -> Option<io::Result<TcpStream>>;
        UdpSocket::bind::<&[SocketAddr]> => fn(&'static [SocketAddr]) -> io::Result<UdpSocket>;
        UdpSocket::recv_from => fn(&UdpSocket, &mut [u8]) -> io::Result<(usize, SocketAddr)>;
        UdpSocket::send_to::<SocketAddr> => fn(&UdpSocket, &[u8], SocketAddr) -> io::Result<usize>;
        nslookup => fn(&str, &str) -> io::Result<Vec<SocketAddr>>;
        nslookup_with_host => fn(&str, &str) -> io::Result<Vec<SocketAddr>>;
        nslookup_with_dns_server => fn(&str, &str, &str) -> io::Result<Vec<SocketAddr>>;
        resolve::<TcpStream, Ipv4Addr> =>
            fn(&mut TcpStream, &str) -> Result<Vec<Ipv4Addr>, Box<dyn Error>>;
        <Ipv6Addr as ToQType>::q_type => fn() -> dns_parser::QueryType;
        <Ipv4Addr as ToQType>::from_rr => fn(dns_parser::RData<'static>) -> Option<Ipv4Addr>;
    }
    type OneAddress = std::option::IntoIter<SocketAddr>;
    type Addresses = std::vec::IntoIter<SocketAddr>;
    functions! { n:
        SocketAddr::to_socket_addrs => fn(&SocketAddr) -> io::Result<OneAddress>;
        SocketAddrV4::to_socket_addrs => fn(&SocketAddrV4) -> io::Result<OneAddress>;
        SocketAddrV6::to_socket_addrs => fn(&SocketAddrV6) -> io::Result<OneAddress>;
        <(IpAddr, u16)>::to_socket_addrs => fn(&(IpAddr, u16)) -> io::Result<OneAddress>;
        <(Ipv4Addr, u16)>::to_socket_addrs => fn(&(Ipv4Addr, u16)) -> io::Result<OneAddress>;
        <(Ipv6Addr, u16)>::to_socket_addrs => fn(&(Ipv6Addr, u16)) -> io::Result<OneAddress>;
        <(&str, u16)>::to_socket_addrs => fn(&(&'static str, u16)) -> io::Result<Addresses>;
        <(String, u16)>::to_socket_addrs => fn(&(String, u16)) -> io::Result<Addresses>;
        str::to_socket_addrs => fn(&str) -> io::Result<Addresses>;
        String::to_socket_addrs => fn(&String) -> io::Result<Addresses>;
        <&[SocketAddr]>::to_socket_addrs =>
            fn(&&'static [SocketAddr])
            -> io::Result<std::iter::Cloned<std::slice::Iter<'static, SocketAddr>>>;
        <&str>::to_socket_addrs => fn(&&'static str) -> io::Result<Addresses>;
    }
    implements! { n:
        TcpStream: Debug, AsRef<Socket>, AsMut<Socket>, AsFd, AsRawFd, IntoRawFd, FromRawFd;
        TcpStream: Read, Write, Send, Sync;
        &'static TcpStream: Read, Write;
        TcpListener: Debug, AsRef<Socket>, AsMut<Socket>, AsFd, AsRawFd, IntoRawFd, FromRawFd;
        TcpListener: Send, Sync;
        UdpSocket: Debug, AsRef<Socket>, AsMut<Socket>, AsFd, AsRawFd, Send, Sync;
        Socket: Debug, AsFd, AsRawFd, IntoRawFd, FromRawFd, Send, Sync;
    }
    *count += n;
}

fn sockets(count: &mut usize) {
    let mut n = 0;
    functions! { n:
        Socket::new => fn(AddressFamily, SocketType) -> io::Result<Socket>;
        Socket::bind => fn(&Socket, &SocketAddr) -> io::Result<()>;
        Socket::listen => fn(&Socket, i32) -> io::Result<()>;
        Socket::accept => fn(&Socket, bool) -> io::Result<Socket>;
        Socket::connect => fn(&Socket, &SocketAddr) -> io::Result<()>;
        Socket::shutdown => fn(&Socket, Shutdown) -> io::Result<()>;
        Socket::get_local => fn(&Socket) -> io::Result<SocketAddr>;
        Socket::get_peer => fn(&Socket) -> io::Result<SocketAddr>;
        Socket::nonblocking => fn(&Socket) -> io::Result<bool>;
        Socket::set_nonblocking => fn(&Socket, bool) -> io::Result<()>;
        Socket::send => fn(&Socket, &[u8]) -> io::Result<usize>;
        Socket::send_vectored => fn(&Socket, &[IoSlice<'_>], u16) -> io::Result<usize>;
        Socket::send_to => fn(&Socket, &[u8], SocketAddr) -> io::Result<usize>;
        Socket::send_to_vectored =>
            fn(&Socket, &[IoSlice<'_>], SocketAddr, u16) -> io::Result<usize>;
        Socket::recv => fn(&Socket, &mut [u8]) -> io::Result<usize>;
        Socket::recv_with_flags =>
            fn(&Socket, &mut [MaybeUninit<u8>], u16) -> io::Result<(usize, usize)>;
        Socket::recv_vectored => fn(&Socket, &mut [IovecRead], u16) -> io::Result<(usize, usize)>;
        Socket::recv_from => fn(&Socket, &mut [u8]) -> io::Result<(usize, SocketAddr)>;
        Socket::recv_from_with_flags =>
            fn(&Socket, &mut [MaybeUninit<u8>], u16) -> io::Result<(usize, SocketAddr, usize)>;
        Socket::recv_from_vectored =>
            fn(&Socket, &mut [IovecRead], u16) -> io::Result<(usize, SocketAddr, usize)>;
        <IovecRead as From<iovec>>::from => fn(iovec) -> IovecRead;
        <IovecWrite as From<iovec>>::from => fn(iovec) -> IovecWrite;
        |it| it.buf => fn(&IovecRead) -> *mut u8;
        |it| it.buf => fn(&IovecWrite) -> *const u8;
        |it| it.size => fn(&IovecRead) -> usize;
        |it| it.size => fn(&IovecWrite) -> usize;
    }
    *count += n;
}

fn options(count: &mut usize) {
    type Timeout = Option<Duration>;
    let mut n = 0;
    functions! { n:
        Socket::setsockopt::<i32> =>
            fn(&Socket, SocketOptLevel, SocketOptName, i32) -> io::Result<()>;
        Socket::setsockopt::<libc::timeval> =>
            fn(&Socket, SocketOptLevel, SocketOptName, libc::timeval) -> io::Result<()>;
        Socket::is_listener => fn(&Socket) -> io::Result<bool>;
        Socket::r#type => fn(&Socket) -> io::Result<SocketType>;
        Socket::take_error => fn(&Socket) -> io::Result<()>;
        Socket::broadcast => fn(&Socket) -> io::Result<bool>;
        Socket::keepalive => fn(&Socket) -> io::Result<bool>;
        Socket::reuse_address => fn(&Socket) -> io::Result<bool>;
        Socket::recv_buffer_size => fn(&Socket) -> io::Result<usize>;
        Socket::send_buffer_size => fn(&Socket) -> io::Result<usize>;
        Socket::get_recv_timeout => fn(&Socket) -> io::Result<Timeout>;
        Socket::get_send_timeout => fn(&Socket) -> io::Result<Timeout>;
        Socket::set_recv_timeout => fn(&Socket, Timeout) -> io::Result<()>;
        Socket::set_send_timeout => fn(&Socket, Timeout) -> io::Result<()>;
        Socket::device => fn(&Socket) -> io::Result<Option<Vec<u8>>>;
        Socket::bind_device => fn(&Socket, Option<&[u8]>) -> io::Result<()>;
        SocketOptName::try_from => fn(i32) -> io::Result<SocketOptName>;
        SocketOptLevel::try_from => fn(i32) -> io::Result<SocketOptLevel>;
    }
    use SocketOptName::*;
    let names = [
        SoReuseaddr,
        SoType,
        SoError,
        SoDontroute,
        SoBroadcast,
        SoSndbuf,
        SoRcvbuf,
        SoKeepalive,
        SoOobinline,
        SoLinger,
        SoRcvlowat,
        SoRcvtimeo,
        SoSndtimeo,
        SoAcceptconn,
        SoBindToDevice,
    ];
    for (number, name) in (0..).zip(names) {
        assert_eq!(name as i32, number);
        n += 1;
    }
    assert_eq!(SocketOptLevel::SolSocket as i32, 0);
    assert_eq!(
        [socket::MSG_PEEK, socket::MSG_WAITALL, socket::MSG_TRUNC],
        [1, 2, 1]
    );
    *count += n + 4;
}

fn lookup(count: &mut usize) {
    type Found = io::Result<Vec<WasiAddrinfo>>;
    let mut n = 0;
    functions! { n:
        <AddressFamily as From<&SocketAddr>>::from => fn(&'static SocketAddr) -> AddressFamily;
        AddressFamily::is_unspec => fn(&AddressFamily) -> bool;
        AddressFamily::is_v4 => fn(&AddressFamily) -> bool;
        AddressFamily::is_v6 => fn(&AddressFamily) -> bool;
        WasiSockaddr::new => fn(AddressFamily, &mut [u8]) -> WasiSockaddr;
        WasiSockaddr::default => fn() -> WasiSockaddr;
        WasiAddrinfo::default => fn() -> WasiAddrinfo;
        WasiAddrinfo::get_addrinfo => fn(
            &str, &str, &WasiAddrinfo, usize, &mut Vec<WasiSockaddr>, &mut Vec<[u8; 26]>,
            &mut Vec<String>
        ) -> Found;
        |it| it.ai_flags => fn(&WasiAddrinfo) -> AiFlags;
        |it| it.ai_family => fn(&WasiAddrinfo) -> AddressFamily;
        |it| it.ai_socktype => fn(&WasiAddrinfo) -> SocketType;
        |it| it.ai_protocol => fn(&WasiAddrinfo) -> AiProtocol;
        |it| it.ai_addrlen => fn(&WasiAddrinfo) -> u32;
        |it| it.ai_addr => fn(&WasiAddrinfo) -> *mut WasiSockaddr;
        |it| it.ai_canonname => fn(&WasiAddrinfo) -> *mut u8;
        |it| it.ai_canonnamelen => fn(&WasiAddrinfo) -> u32;
        |it| it.ai_next => fn(&WasiAddrinfo) -> *mut WasiAddrinfo;
        |it| it.family => fn(&WasiSockaddr) -> AddressFamily;
        |it| it.sa_data_len => fn(&WasiSockaddr) -> u32;
        |it| it.sa_data => fn(&WasiSockaddr) -> *mut u8;
        |it| it.buf => fn(&WasiAddress) -> *const u8;
        |it| it.size => fn(&WasiAddress) -> usize;
    }
    implements! { n:
        AddressFamily: Copy, Debug;
        SocketType: Copy, Debug;
        AiFlags: Copy, Debug;
        AiProtocol: Copy, Debug;
        SocketOptLevel: Copy, Debug;
        SocketOptName: Copy, Debug;
        WasiAddress: Copy, Send;
        WasiSockaddr: Clone, Debug;
        WasiAddrinfo: Clone, Debug;
    }
    for (flag, number) in [
        (AiFlags::AiPassive, 0),
        (AiFlags::AiCanonname, 1),
        (AiFlags::AiNumericHost, 2),
        (AiFlags::AiNumericServ, 3),
        (AiFlags::AiV4Mapped, 4),
        (AiFlags::AiAll, 5),
        (AiFlags::AiAddrConfig, 6),
    ] {
        assert_eq!(flag as u16, number);
        n += 1;
    }
    use AiProtocol::{IPProtoIP, IPProtoTCP, IPProtoUDP};
    let numbers = [
        AddressFamily::Unspec as u8,
        AddressFamily::Inet4 as u8,
        AddressFamily::Inet6 as u8,
        SocketType::Any as u8,
        SocketType::Datagram as u8,
        SocketType::Stream as u8,
        IPProtoIP as u8,
        IPProtoTCP as u8,
        IPProtoUDP as u8,
    ];
    assert_eq!(numbers, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert_eq!(std::mem::size_of::<WasiAddrinfo>(), 28);
    *count += n + numbers.len();
}

fn polls(count: &mut usize) {
    use poll::{Event, EventType, Subscription};
    let mut n = 0;
    functions! { n:
        poll::poll => fn(&[Subscription]) -> io::Result<Vec<Event>>;
        Subscription::timeout => fn(u64, SystemTime) -> Subscription;
        Subscription::io::<TcpStream> =>
            fn(u64, &TcpStream, bool, bool, Option<SystemTime>) -> Subscription;
        |it| it.userdata => fn(&Event) -> u64;
        |it| match it.event_type {
            EventType::Timeout => 0,
            EventType::Error(error) => error.raw_os_error().unwrap_or(1),
            EventType::Read => 2,
            EventType::Write => 3,
        } => fn(Event) -> i32;
        |it| match it {
            Subscription::Timeout { userdata, timeout: _ } => (userdata, -1),
            Subscription::IO { userdata, fd, read_event: _, write_event: _ } => (userdata, fd),
            Subscription::TimeoutIO { userdata, fd, read_event: _, write_event: _, timeout: _ } =>
                (userdata, fd),
        } => fn(Subscription) -> (u64, RawFd);
    }
    implements! { n: Subscription: Clone; }
    *count += n;
}

fn raw_polls(count: &mut usize) {
    use wasi_poll::*;
    let _: unsafe fn(*const Subscription, *mut Event, usize) -> io::Result<usize> = wasi_poll::poll;
    let _: unsafe extern "C" fn(i32, i32, i32, i32) -> i32 = poll_oneoff;
    let clock = SubscriptionClock {
        id: CLOCKID_MONOTONIC,
        timeout: 0 as Timestamp,
        precision: 0,
        flags: SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME as Subclockflags,
    };
    let file_descriptor: Fd = 0;
    let subscription = Subscription {
        userdata: 7 as Userdata,
        u: SubscriptionU {
            tag: EVENTTYPE_CLOCK as Eventtype,
            u: SubscriptionUU { clock },
        },
    };
    let _ = SubscriptionUU {
        fd_read: SubscriptionFdReadwrite { file_descriptor },
    };
    let _ = SubscriptionUU {
        fd_write: SubscriptionFdReadwrite { file_descriptor },
    };
    let mut event = Event::empty();
    // SAFETY: one subscription, and room for one event.
    let events = unsafe { wasi_poll::poll(&subscription, &mut event, 1) };
    assert_eq!(
        (events.ok(), event.userdata, event.error as Errno),
        (Some(1), 7, 0)
    );
    let EventFdReadwrite { nbytes, flags } = event.fd_readwrite;
    let _: (Filesize, Eventrwflags) = (nbytes, flags);
    let clocks: [Clockid; 4] = [
        CLOCKID_REALTIME,
        CLOCKID_MONOTONIC,
        CLOCKID_PROCESS_CPUTIME_ID,
        CLOCKID_THREAD_CPUTIME_ID,
    ];
    assert_eq!(clocks, [0, 1, 2, 3]);
    assert_eq!(
        [event.type_, EVENTTYPE_FD_READ, EVENTTYPE_FD_WRITE],
        [0, 1, 2]
    );
    assert_eq!(EVENTRWFLAGS_FD_READWRITE_HANGUP, 1);
    *count += 27;
}
