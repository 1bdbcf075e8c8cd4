//! How host names become addresses.
//!
//! Elsewhere std looks them up on a thread of its own. On WasmEdge there is
//! neither, and a task does it: the host layer's resolver says whom to ask
//! what, and the sockets and timers here are the runtime's. A runtime that was
//! built without the drivers for them, and a tokio without timers, falls back to
//! the host layer's blocking lookup in the place of a blocking closure.

#[cfg(not(all(target_os = "wasi", target_env = "p1", feature = "rt", feature = "time")))]
pub(crate) use crate::blocking::spawn_blocking;

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
pub(crate) use std::net::ToSocketAddrs;
#[cfg(all(
    target_os = "wasi",
    target_env = "p1",
    not(all(feature = "rt", feature = "time"))
))]
pub(crate) use wasmedge_host::net::ToSocketAddrs;

#[cfg(all(target_os = "wasi", target_env = "p1", feature = "rt", feature = "time"))]
pub(crate) use wasmedge::{spawn_blocking, ToSocketAddrs};

#[cfg(all(target_os = "wasi", target_env = "p1", feature = "rt", feature = "time"))]
mod wasmedge {
    use crate::net::{TcpStream, UdpSocket};
    use crate::runtime::scheduler;
    use crate::task::JoinHandle;

    use std::future::Future;
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::vec;
    use wasmedge_host::dns::{self, Exchange, Lookup, Plan, Step, LONGEST_ANSWER};

    type Addrs = io::Result<vec::IntoIter<SocketAddr>>;

    /// What is to be looked up.
    pub(crate) enum Name {
        HostPort(String),
        Host(String, u16),
    }

    /// Has the shape of std's trait, and only says what to look up.
    pub(crate) trait ToSocketAddrs {
        fn to_socket_addrs(&self) -> Name;
    }

    impl ToSocketAddrs for String {
        fn to_socket_addrs(&self) -> Name {
            Name::HostPort(self.clone())
        }
    }

    impl ToSocketAddrs for (&str, u16) {
        fn to_socket_addrs(&self) -> Name {
            Name::Host(self.0.to_owned(), self.1)
        }
    }

    /// In the place of a blocking closure: a task of the same result.
    #[track_caller]
    pub(crate) fn spawn_blocking<F>(name: F) -> JoinHandle<Addrs>
    where
        F: FnOnce() -> Name,
    {
        let name = name();
        let has_drivers = {
            let handle = scheduler::Handle::current();
            let driver = handle.driver();
            driver.io.as_ref().is_some() && driver.time.is_some()
        };
        if has_drivers {
            crate::spawn(lookup(name))
        } else {
            crate::task::spawn_blocking(|| blocking(name))
        }
    }

    fn blocking(name: Name) -> Addrs {
        use wasmedge_host::lookup;

        match name {
            Name::HostPort(name) => lookup::lookup_with_port(&name),
            Name::Host(host, port) => lookup::lookup(&host, port),
        }
        .map(Vec::into_iter)
    }

    async fn lookup(name: Name) -> Addrs {
        let (host, port) = match &name {
            Name::Host(host, port) => (host.as_str(), *port),
            Name::HostPort(text) => match dns::split_port(text) {
                Ok(parts) => parts,
                // Not to be looked up: an error, or an address.
                Err(_) => return blocking(name),
            },
        };
        let Plan::Ask(lookup) = dns::plan(host, dns::config()) else {
            // Nobody else is asked, or only the host can be.
            return blocking(name);
        };
        let mut addrs = drive(lookup).await?;
        dns::order(&mut addrs, dns::source);
        let with_port = |ip| SocketAddr::new(ip, port);
        Ok(Vec::from_iter(addrs.into_iter().map(with_port)).into_iter())
    }

    async fn drive(mut lookup: Lookup) -> io::Result<Vec<IpAddr>> {
        let mut step = lookup.start();
        loop {
            match step {
                Step::Exchange(mut exchange) => {
                    // A server that cannot be reached gives no answer; the
                    // lookup goes on with the next one.
                    let timeout = exchange.timeout();
                    let _ = if exchange.is_tcp() {
                        within(timeout, ask_over_tcp(&mut exchange)).await
                    } else {
                        within(timeout, ask_over_udp(&mut exchange)).await
                    };
                    step = lookup.exchanged(exchange);
                }
                Step::Found(addrs) => return Ok(addrs),
                Step::Failed(errno) => return Err(errno.into()),
            }
        }
    }

    async fn within(
        timeout: std::time::Duration,
        ask: impl Future<Output = io::Result<()>>,
    ) -> io::Result<()> {
        crate::time::timeout(timeout, ask).await?
    }

    async fn ask_over_udp(exchange: &mut Exchange) -> io::Result<()> {
        let server = exchange.server();
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(server).await?;
        for datagram in exchange.datagrams() {
            socket.send(datagram).await?;
        }
        let mut buf = vec![0; LONGEST_ANSWER];
        loop {
            let len = socket.recv(&mut buf).await?;
            if exchange.received(&buf[..len]) {
                return Ok(());
            }
        }
    }

    async fn ask_over_tcp(exchange: &mut Exchange) -> io::Result<()> {
        let stream = TcpStream::connect(exchange.server()).await?;
        send(&stream, &exchange.stream()).await?;
        let mut received = Vec::new();
        let mut buf = vec![0; LONGEST_ANSWER];
        loop {
            match receive(&stream, &mut buf).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => received.extend_from_slice(&buf[..len]),
            }
            if exchange.received_stream(&mut received) {
                return Ok(());
            }
        }
    }

    /// Sends all of `bytes`. The traits for that are there with the feature `io-util`
    /// only, which an app that looks up names need not have.
    async fn send(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            stream.writable().await?;
            match stream.try_write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Receives what there is; 0 at the end.
    async fn receive(stream: &TcpStream, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            stream.readable().await?;
            match stream.try_read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }
}
