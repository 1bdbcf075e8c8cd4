//! Unix sockets: prints what happened, the same on every host.
//!
//! * `unix all FOLDER` goes through everything, with sockets in `FOLDER`;
//! * `unix serve PATH` and `unix serve-datagrams PATH` answer what they are sent in
//!   capitals, for ever;
//! * `unix flood PATH COUNT` sends datagrams as fast as they are taken;
//! * `unix client PATH` sends two lines to a server, and prints its answers;
//! * `unix lacks PATH` tries what not every host has;
//! * `unix more FOLDER NAME` goes through that: pairs, credentials, and the abstract name.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Interest};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        ["all", folder] => match tokio::time::timeout(LIMIT, all(Path::new(folder))).await {
            Ok(result) => result,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        },
        ["serve", path] => serve(path).await,
        ["serve-datagrams", path] => serve_datagrams(path).await,
        ["flood", path, count] => flood(path, count).await,
        ["client", path] => client(path).await,
        ["lacks", path] => lacks(path).await,
        ["more", folder, name] => more(Path::new(folder), name).await,
        _ => return ExitCode::from(2),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{:?}: {error}", error.kind());
            ExitCode::FAILURE
        }
    }
}

fn kind<T: Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("Ok({value:?})"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// The last part of a path, as folders differ.
fn name(addr: io::Result<SocketAddr>) -> String {
    match addr {
        Ok(addr) if addr.is_unnamed() => "unnamed".to_owned(),
        Ok(addr) => match addr.as_pathname().and_then(Path::file_name) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => format!("{addr:?}"),
        },
        Err(error) => format!("{:?}", error.kind()),
    }
}

async fn all(folder: &Path) -> io::Result<()> {
    let path = |name: &str| folder.join(name);
    echo(&path("echo")).await?;
    split(&path("split")).await?;
    many(&path("many")).await?;
    large(&path("large")).await?;
    closed(&path("closed")).await?;
    errors(folder).await?;
    try_operations(&path("try")).await?;
    datagrams(folder).await?;
    datagram_errors(folder).await?;
    many_datagrams(&path("crowd")).await?;
    unix_socket(folder).await?;
    standard(&path("std")).await
}

async fn echo(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    println!("echo: listener at {}", name(listener.local_addr()));
    let server = tokio::spawn(async move {
        let (mut stream, peer) = listener.accept().await?;
        let at = format!(
            "echo: server at {}, peer {} and {}",
            name(stream.local_addr()),
            name(Ok(peer)),
            name(stream.peer_addr())
        );
        let mut buf = [0; 100];
        loop {
            let n = stream.read(&mut buf).await?;
            if n == 0 {
                return io::Result::Ok(at);
            }
            stream.write_all(&buf[..n]).await?;
        }
    });
    let mut client = UnixStream::connect(path).await?;
    println!(
        "echo: client at {}, peer {}",
        name(client.local_addr()),
        name(client.peer_addr())
    );
    for word in ["hello", "unix", "sockets"] {
        client.write_all(word.as_bytes()).await?;
        let mut answer = vec![0; word.len()];
        client.read_exact(&mut answer).await?;
        println!("echo: {}", String::from_utf8_lossy(&answer));
    }
    println!("echo: error {:?}", client.take_error()?.map(|e| e.kind()));
    drop(client);
    println!("{}", server.await??);
    std::fs::remove_file(path)?;
    println!("echo: file removed, there: {}", path.exists());
    Ok(())
}

async fn split(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        while let Some(line) = lines.next_line().await? {
            write
                .write_all(format!("{}\n", line.to_uppercase()).as_bytes())
                .await?;
        }
        write.write_all(b"end\n").await?;
        io::Result::Ok(())
    });
    let (read, mut write) = UnixStream::connect(path).await?.into_split();
    let reader = tokio::spawn(async move {
        let mut text = String::new();
        let mut read = read;
        read.read_to_string(&mut text).await?;
        io::Result::Ok((text, read))
    });
    for line in ["one", "two", "three"] {
        write.write_all(format!("{line}\n").as_bytes()).await?;
        tokio::task::yield_now().await;
    }
    write.shutdown().await?;
    let (text, read) = reader.await??;
    println!("split: {:?}", text.split_whitespace().collect::<Vec<_>>());
    println!("split: reunited {}", read.reunite(write).is_ok());
    server.await?
}

async fn many(path: &Path) -> io::Result<()> {
    const CLIENTS: u32 = 50;
    let listener = UnixListener::bind(path)?;
    let server = tokio::spawn(async move {
        for _ in 0..CLIENTS {
            let (mut stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                let number = stream.read_u32().await?;
                stream.write_u32(number * 2).await
            });
        }
        io::Result::Ok(())
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let path = path.to_owned();
            tokio::spawn(async move {
                let mut stream = UnixStream::connect(path).await?;
                stream.write_u32(number).await?;
                stream.read_u32().await
            })
        })
        .collect();
    let mut sum = 0;
    for client in clients {
        sum += client.await??;
    }
    server.await??;
    println!("many: {sum}");
    Ok(())
}

async fn large(path: &Path) -> io::Result<()> {
    const TOTAL: usize = 2 * 1024 * 1024;
    let byte = |at: usize| (at % 251) as u8;
    let listener = UnixListener::bind(path)?;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        // The writer meets a full buffer meanwhile.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (mut at, mut right) = (0, true);
        let mut buf = vec![0; 50_000];
        loop {
            let n = stream.read(&mut buf).await?;
            if n == 0 {
                break;
            }
            right &= buf[..n].iter().enumerate().all(|(i, b)| *b == byte(at + i));
            at += n;
        }
        stream.write_all(b"thanks").await?;
        io::Result::Ok((at, right))
    });
    let mut client = UnixStream::connect(path).await?;
    let data: Vec<u8> = (0..TOTAL).map(byte).collect();
    let mut first = 0;
    client.writable().await?;
    loop {
        match client.try_write(&data[first..]) {
            Ok(n) => first += n,
            Err(error) => {
                println!(
                    "large: {:?} before the end: {}",
                    error.kind(),
                    first < TOTAL
                );
                break;
            }
        }
    }
    client.write_all(&data[first..]).await?;
    client.shutdown().await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    println!("large: {:?}, {answer}", server.await??);
    Ok(())
}

async fn closed(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    let mut client = UnixStream::connect(path).await?;
    let (server, _) = listener.accept().await?;
    drop(server);
    let mut buf = [0; 10];
    println!("closed: read {}", kind(client.read(&mut buf).await));
    println!("closed: write {}", kind(client.write(b"x").await));
    println!("closed: write {}", kind(client.write(b"x").await));

    let mut client = UnixStream::connect(path).await?;
    let (server, _) = listener.accept().await?;
    client.write_all(b"never read").await?;
    drop(server);
    println!("closed: unread, read {}", kind(client.read(&mut buf).await));
    println!("closed: unread, read {}", kind(client.read(&mut buf).await));

    // A task that waits is told.
    let mut client = UnixStream::connect(path).await?;
    let (server, _) = listener.accept().await?;
    let waiting = tokio::spawn(async move { client.read(&mut [0; 10]).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(server);
    println!("closed: waiting read {}", kind(waiting.await?));

    // So is one whose buffer is full.
    let mut client = UnixStream::connect(path).await?;
    let (server, _) = listener.accept().await?;
    let waiting = tokio::spawn(async move { client.write_all(&vec![0; 4 << 20]).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(server);
    println!("closed: waiting write {}", kind(waiting.await?));
    Ok(())
}

async fn errors(folder: &Path) -> io::Result<()> {
    let gone = folder.join("gone");
    drop(UnixListener::bind(&gone)?);
    println!(
        "errors: nobody listens {}",
        kind(UnixStream::connect(&gone).await)
    );
    println!("errors: in use {}", kind(UnixListener::bind(&gone)));
    std::fs::remove_file(&gone)?;
    println!("errors: missing {}", kind(UnixStream::connect(&gone).await));
    println!(
        "errors: missing folder {}",
        kind(UnixListener::bind(gone.join("x")))
    );

    let file = folder.join("file");
    std::fs::write(&file, "text")?;
    println!(
        "errors: no socket {}",
        kind(UnixStream::connect(&file).await)
    );
    println!("errors: in use {}", kind(UnixDatagram::bind(&file)));

    let long = folder.join("x".repeat(108));
    println!(
        "errors: too long {}",
        kind(UnixStream::connect(&long).await)
    );
    println!("errors: too long {}", kind(UnixListener::bind(&long)));
    println!("errors: too long {}", kind(UnixDatagram::bind(&long)));
    println!(
        "errors: zero {}",
        kind(UnixListener::bind(folder.join("a\0b")))
    );
    println!("errors: empty {}", kind(UnixStream::connect("").await));

    // The longest path that there is.
    let folder = folder.to_str().ok_or(io::ErrorKind::InvalidInput)?;
    let path = PathBuf::from(format!("{folder}/{}", "y".repeat(106 - folder.len())));
    let listener = UnixListener::bind(&path)?;
    let stream = UnixStream::connect(&path).await?;
    let peer = stream.peer_addr()?;
    println!("errors: 107 bytes {}", peer.as_pathname() == Some(&path));
    drop((listener, stream));

    // A socket of the other type.
    let datagrams = PathBuf::from(folder).join("datagrams");
    let _socket = UnixDatagram::bind(&datagrams)?;
    let error = UnixStream::connect(&datagrams).await.err();
    println!("errors: wrong type {}", error.is_some());
    Ok(())
}

async fn try_operations(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    let client = UnixStream::connect(path).await?;
    let (server, _) = listener.accept().await?;
    let mut buf = [0; 10];
    println!("try: read {}", kind(client.try_read(&mut buf)));
    let early = tokio::time::timeout(Duration::from_millis(20), client.readable()).await;
    println!("try: readable too early {}", early.is_ok());
    server.writable().await?;
    println!("try: write {}", kind(server.try_write(b"ping")));
    client.readable().await?;
    println!("try: read {}", kind(client.try_read(&mut buf)));
    println!("try: read {}", kind(client.try_read(&mut buf)));
    let bufs = [io::IoSlice::new(b"two "), io::IoSlice::new(b"parts")];
    println!(
        "try: write vectored {}",
        kind(client.try_write_vectored(&bufs))
    );
    let ready = server
        .ready(Interest::READABLE | Interest::WRITABLE)
        .await?;
    println!("try: ready {}", ready.is_writable());
    server.readable().await?;
    println!("try: read {}", kind(server.try_read(&mut buf)));
    // Each write leaves at once, whatever came before it.
    server.try_write(b"-")?;
    client.readable().await?;
    client.try_read(&mut buf[..1])?;
    server.try_write(b"one")?;
    server.try_write(b" two")?;
    println!("try: read {}", kind(client.try_read(&mut buf)));
    Ok(())
}

async fn datagrams(folder: &Path) -> io::Result<()> {
    let (a, b) = (folder.join("a"), folder.join("b"));
    let first = UnixDatagram::bind(&a)?;
    let second = UnixDatagram::bind(&b)?;
    println!(
        "datagrams: {} {}",
        name(first.local_addr()),
        name(first.peer_addr())
    );
    let mut buf = [0; 100];

    first.send_to(b"question", &b).await?;
    let (n, from) = second.recv_from(&mut buf).await?;
    println!("datagrams: {n} bytes from {}", name(Ok(from.clone())));
    let path = from.as_pathname().ok_or(io::ErrorKind::InvalidData)?;
    second.send_to(b"answer", path).await?;
    let (n, from) = first.recv_from(&mut buf).await?;
    println!("datagrams: {n} bytes from {}", name(Ok(from)));

    first.connect(&b)?;
    println!("datagrams: connected to {}", name(first.peer_addr()));
    for text in ["x", "", "three"] {
        first.send(text.as_bytes()).await?;
    }
    for _ in 0..3 {
        let n = second.recv(&mut buf).await?;
        println!("datagrams: {:?}", String::from_utf8_lossy(&buf[..n]));
    }
    second.send_to(b"to the connected one", &a).await?;
    let (n, from) = first.recv_from(&mut buf).await?;
    println!("datagrams: {n} bytes from {}", name(Ok(from)));

    // What does not fit is lost.
    second.send_to(b"0123456789", &a).await?;
    let n = first.recv(&mut buf[..4]).await?;
    println!("datagrams: {:?}", String::from_utf8_lossy(&buf[..n]));

    let unbound = UnixDatagram::unbound()?;
    println!(
        "datagrams: {} {}",
        name(unbound.local_addr()),
        name(unbound.peer_addr())
    );
    unbound.send_to(b"without a name", &b).await?;
    println!("datagrams: {} bytes", second.recv(&mut buf).await?);
    println!("datagrams: try {}", kind(second.try_recv(&mut buf)));
    unbound.connect(&b)?;
    unbound.send(b"connected without a name").await?;
    second.readable().await?;
    println!("datagrams: try {}", kind(second.try_recv(&mut buf)));
    Ok(())
}

async fn datagram_errors(folder: &Path) -> io::Result<()> {
    let gone = folder.join("gone-datagrams");
    let socket = UnixDatagram::unbound()?;
    println!(
        "datagram errors: missing {}",
        kind(socket.send_to(b"x", &gone).await)
    );
    println!("datagram errors: missing {}", kind(socket.connect(&gone)));
    println!(
        "datagram errors: not connected {}",
        kind(socket.send(b"x").await)
    );
    let receiver = UnixDatagram::bind(&gone)?;
    println!(
        "datagram errors: in use {}",
        kind(UnixDatagram::bind(&gone))
    );
    socket.connect(&gone)?;
    drop(receiver);
    println!("datagram errors: gone {}", kind(socket.send(b"x").await));
    println!(
        "datagram errors: gone {}",
        kind(socket.send_to(b"x", &gone).await)
    );
    Ok(())
}

/// The receiver's queue is short: senders wait.
async fn many_datagrams(path: &Path) -> io::Result<()> {
    const EACH: u32 = 300;
    let receiver = UnixDatagram::bind(path)?;
    let mut senders = Vec::new();
    for connected in [true, false] {
        let path = path.to_owned();
        senders.push(tokio::spawn(async move {
            let socket = UnixDatagram::unbound()?;
            if connected {
                socket.connect(&path)?;
            }
            for number in 0..EACH {
                let number = number.to_be_bytes();
                if connected {
                    socket.send(&number).await?;
                } else {
                    socket.send_to(&number, &path).await?;
                }
            }
            io::Result::Ok(())
        }));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (mut count, mut sum) = (0, 0);
    let mut buf = [0; 4];
    while count < 2 * EACH {
        receiver.recv(&mut buf).await?;
        count += 1;
        sum += u32::from_be_bytes(buf);
        if count % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    for sender in senders {
        sender.await??;
    }
    println!("many datagrams: {count}, {sum}");
    Ok(())
}

async fn unix_socket(folder: &Path) -> io::Result<()> {
    let (stream, datagram) = (folder.join("socket"), folder.join("socket-datagrams"));
    let socket = UnixSocket::new_stream()?;
    socket.bind(&stream)?;
    let listener = socket.listen(16)?;
    let mut client = UnixSocket::new_stream()?.connect(&stream).await?;
    let (mut server, _) = listener.accept().await?;
    client.write_all(b"x").await?;
    println!("unix socket: {}", server.read_u8().await?);

    let socket = UnixSocket::new_datagram()?;
    socket.bind(&datagram)?;
    let receiver = socket.datagram()?;
    let sender = UnixSocket::new_datagram()?.datagram()?;
    sender.send_to(b"datagram", &datagram).await?;
    println!("unix socket: {} bytes", receiver.recv(&mut [0; 20]).await?);

    println!(
        "unix socket: {}",
        kind(UnixSocket::new_datagram()?.listen(1))
    );
    println!(
        "unix socket: {}",
        kind(UnixSocket::new_stream()?.datagram())
    );
    let missing = UnixSocket::new_stream()?
        .connect(folder.join("nothing"))
        .await;
    println!("unix socket: {}", kind(missing));
    println!(
        "unix socket: in use {}",
        kind(UnixSocket::new_stream()?.bind(&stream))
    );
    Ok(())
}

/// To std and back, and descriptors.
async fn standard(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?.into_std()?;
    let listener = UnixListener::from_std(listener)?;
    let client = UnixStream::connect(path).await?;
    let mut client = UnixStream::from_std(client.into_std()?)?;
    let (mut server, _) = listener.accept().await?;
    client.write_all(b"over std").await?;
    drop(client);
    let mut text = String::new();
    server.read_to_string(&mut text).await?;
    println!("std: {text}");
    Ok(())
}

async fn serve(path: &str) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    println!("ready");
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut buf = vec![0; 16 * 1024];
            loop {
                let n = stream.read(&mut buf).await?;
                if n == 0 {
                    return io::Result::Ok(());
                }
                buf[..n].make_ascii_uppercase();
                stream.write_all(&buf[..n]).await?;
            }
        });
    }
}

async fn serve_datagrams(path: &str) -> io::Result<()> {
    let socket = UnixDatagram::bind(path)?;
    println!("ready");
    let mut buf = vec![0; 1024];
    loop {
        let (n, from) = socket.recv_from(&mut buf).await?;
        buf[..n].make_ascii_uppercase();
        match from.as_pathname() {
            Some(path) => drop(socket.send_to(&buf[..n], path).await?),
            None => println!(
                "{} from nobody: {from:?}",
                String::from_utf8_lossy(&buf[..n])
            ),
        }
    }
}

async fn flood(path: &str, count: &str) -> io::Result<()> {
    let count: u32 = count.parse().map_err(io::Error::other)?;
    let socket = UnixDatagram::unbound()?;
    for number in 0..count {
        socket.send_to(&number.to_be_bytes(), path).await?;
    }
    println!("{count} sent");
    Ok(())
}

async fn client(path: &str) -> io::Result<()> {
    let stream = UnixStream::connect(path).await?;
    let (read, mut write) = stream.into_split();
    write.write_all(b"first\nsecond\n").await?;
    write.shutdown().await?;
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
    }
    Ok(())
}

async fn lacks(path: &str) -> io::Result<()> {
    println!("pair: {}", kind(UnixStream::pair().map(drop)));
    println!("datagram pair: {}", kind(UnixDatagram::pair().map(drop)));
    println!("no name: {}", kind(UnixDatagram::bind("").map(drop)));
    let listener = UnixListener::bind(path)?;
    let client = UnixStream::connect(path).await?;
    println!("credentials: {}", kind(client.peer_cred().map(drop)));
    drop(listener);
    Ok(())
}

async fn more(folder: &Path, name: &str) -> io::Result<()> {
    let (mut near, mut far) = UnixStream::pair()?;
    near.write_all(b"pair").await?;
    let mut got = [0; 4];
    far.read_exact(&mut got).await?;
    println!("pair: {}", String::from_utf8_lossy(&got));
    println!("pair: itself {}", near.peer_cred()? == far.peer_cred()?);

    let listener = UnixListener::bind(folder.join("socket"))?;
    let (client, server) = tokio::join!(
        UnixStream::connect(folder.join("socket")),
        listener.accept()
    );
    let (one, other) = (client?.peer_cred()?, server?.0.peer_cred()?);
    println!("credentials: itself {}", one == near.peer_cred()?);
    println!("credentials: alike {}", one == other);
    println!("credentials: a process {}", one.pid() > Some(0));

    let hidden = format!("\0{name}");
    let listener = UnixListener::bind(&hidden)?;
    let abstract_name = |addr: &SocketAddr| addr.as_abstract_name() == Some(name.as_bytes());
    println!("abstract: {}", abstract_name(&listener.local_addr()?));
    println!("abstract: in use {}", kind(UnixListener::bind(&hidden)));
    let (client, server) = tokio::join!(UnixStream::connect(&hidden), listener.accept());
    let (mut client, mut server) = (client?, server?.0);
    println!("abstract: peer {}", abstract_name(&client.peer_addr()?));
    client.write_all(b"hidden").await?;
    drop(client);
    let mut all = String::new();
    server.read_to_string(&mut all).await?;
    println!("abstract: {all}");
    drop(listener);
    println!(
        "abstract: gone {}",
        kind(UnixStream::connect(&hidden).await)
    );
    let longer = UnixStream::connect(format!("{hidden}\0")).await;
    println!("abstract: another name {}", kind(longer));

    let socket = UnixSocket::new_stream()?;
    socket.bind(&hidden)?;
    let listener = socket.listen(1)?;
    println!(
        "abstract: unix socket {}",
        abstract_name(&listener.local_addr()?)
    );
    let client = UnixSocket::new_stream()?.connect(&hidden).await?;
    println!(
        "abstract: unix socket {}",
        abstract_name(&client.peer_addr()?)
    );

    let chosen = UnixDatagram::bind("")?.local_addr()?;
    let length = chosen.as_abstract_name().map(<[u8]>::len);
    println!("no name: chosen {length:?}");
    Ok(())
}
