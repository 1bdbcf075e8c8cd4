//! std's sockets, names and folder for temporary files, called by the app itself and
//! by a library of its own, and handed to tokio and back. Prints the same everywhere.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::{env, fmt, thread};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Derives write paths of `std` and `core`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
struct Derived {
    name: String,
    numbers: Vec<u32>,
}

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::write!(f, "{}{:?}", self.name, self.numbers)
    }
}

thread_local! {
    static LOCAL: Cell<u32> = const { Cell::new(1) };
}

#[tokio::main]
async fn main() -> io::Result<()> {
    language();
    files()?;
    names()?;
    blocking()?;
    datagrams()?;
    handed_to_tokio().await?;
    errors();
    Ok(())
}

fn language() {
    let derived = Derived {
        name: "derived".into(),
        numbers: vec![1, 2],
    };
    println!(
        "{derived} {:?} {}",
        Derived::default(),
        derived < Derived::default()
    );
    LOCAL.with(|local| local.set(local.get() + 1));
    assert_eq!(LOCAL.with(Cell::get), 2);
    assert!(matches!(derived.numbers[..], [1, 2]), "not reached");
    let boxed: Box<dyn std::error::Error> = format!("{}", concat!("a", 1)).into();
    println!("{boxed} {:?}", thread::current().name());
}

fn files() -> io::Result<()> {
    let file = env::temp_dir().join("plain-std");
    std::fs::write(&file, "scratch")?;
    println!(
        "{}",
        std::fs::read_to_string(listening::scratch().join("plain-std"))?
    );
    std::fs::remove_file(file)
}

fn names() -> io::Result<()> {
    let is_local = |addr: SocketAddr| addr.ip().is_loopback() && addr.port() == 80;
    println!(
        "localhost {}",
        "localhost:80".to_socket_addrs()?.all(is_local)
    );
    println!(
        "localhost {}",
        ("localhost", 80).to_socket_addrs()?.any(is_local)
    );
    Ok(())
}

fn blocking() -> io::Result<()> {
    let listener: TcpListener = listening::listener()?;
    let mut client = listening::connect!(listener.local_addr()?)?;
    let (mut server, peer) = listener.accept()?;
    println!("same {}", peer == client.local_addr()?);
    client.write_all(b"blocking")?;
    client.shutdown(Shutdown::Write)?;
    let mut text = String::new();
    server.read_to_string(&mut text)?;
    drop(server);
    println!("{text} {}", client.read(&mut [0])?);
    Ok(())
}

fn datagrams() -> io::Result<()> {
    let (one, other): (UdpSocket, UdpSocket) =
        (UdpSocket::bind("127.0.0.1:0")?, listening::socket()?);
    one.send_to(b"datagram", other.local_addr()?)?;
    let mut buf = [0; 16];
    let (n, from) = other.recv_from(&mut buf)?;
    println!(
        "{} {}",
        String::from_utf8_lossy(&buf[..n]),
        from == one.local_addr()?
    );
    Ok(())
}

async fn handed_to_tokio() -> io::Result<()> {
    let listener = listening::listener()?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let to = listener.local_addr()?;

    let stream = TcpStream::connect(to)?;
    stream.set_nonblocking(true)?;
    let mut client = tokio::net::TcpStream::from_std(stream)?;
    let (mut server, _) = listener.accept().await?;
    client.write_all(b"over tokio").await?;
    let mut buf = [0; 10];
    server.read_exact(&mut buf).await?;
    println!("{}", String::from_utf8_lossy(&buf));

    let mut client: TcpStream = client.into_std()?;
    client.set_nonblocking(false)?;
    client.write_all(b" and back ")?;
    server.read_exact(&mut buf).await?;
    println!("{}", String::from_utf8_lossy(&buf));

    let listener: TcpListener = listener.into_std()?;
    println!("same {}", listener.local_addr()? == to);

    let socket = listening::socket()?;
    socket.set_nonblocking(true)?;
    let socket = tokio::net::UdpSocket::from_std(socket)?;
    socket.send_to(b"to itself", socket.local_addr()?).await?;
    let (n, _) = socket.recv_from(&mut buf).await?;
    let socket: UdpSocket = socket.into_std()?;
    println!("{n} {}", socket.local_addr()?.ip());
    Ok(())
}

fn errors() {
    let taken = listening::listener().and_then(|listener| {
        let addr = listener.local_addr()?;
        TcpListener::bind(addr)
    });
    println!("{:?}", taken.map(|_| ()).map_err(|error| error.kind()));
    let nobody = listening::listener().and_then(|listener| listener.local_addr());
    let refused = nobody.and_then(|addr| TcpStream::connect(addr));
    println!("{:?}", refused.map(|_| ()).map_err(|error| error.kind()));
}
