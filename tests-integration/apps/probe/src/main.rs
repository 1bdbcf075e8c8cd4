//! Small programs for what only somebody outside can see: the processor time
//! of a waiting program, its system calls, its standard input.

use std::ffi::{OsStr, OsString};
use std::io::{Error, IoSlice, IsTerminal};
use std::time::Duration;

use tokio::io::{stdin, stdout, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{interval, sleep, timeout};

const USAGE: &str = "usage: probe COMMAND [ADDRESS]
  connect ADDRESS   connect, read once and say how it went
  vectored ADDRESS  send three buffers with one call
  flood ADDRESS     listen; send to every client without end; echo to none
  refused ADDRESS   send datagrams to ADDRESS, where nobody is; leave the errors
  lines             number the lines of standard input, with a clock beside
  wait              read a line of standard input, with nothing beside
  idle ADDRESS      listen; keep every connection, timer and task waiting
  exit CODE         exit with CODE
  variables NAME... print these variables
  arguments WORD... print the arguments
  input             say of standard input whether it is a terminal, and its length
  write             write lines until that fails, and say how on standard error
  leave ADDRESS HOW send in two writes, asked for no delay (`HOW delay`: not asked),
                    and end by return, exit, panic, or with more than the peer takes
                    (flood)";

fn said<T>(what: &str, result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => {
            println!("{what}: ok");
            Some(value)
        }
        Err(error) => {
            println!("{what}: {:?}: {error}", error.kind());
            None
        }
    }
}

async fn connect(address: &str) {
    if let Some(mut stream) = said("connect", TcpStream::connect(address).await) {
        said("read", stream.read(&mut [0; 16]).await);
    }
}

async fn vectored(address: &str) -> Result<(), Error> {
    let mut stream = TcpStream::connect(address).await?;
    let parts = ["head;", "middle;", "tail"].map(|part| IoSlice::new(part.as_bytes()));
    let sent = stream.write_vectored(&parts).await?;
    println!("sent {sent}");
    Ok(())
}

async fn flood(address: &str) -> Result<(), Error> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        // Only the writing half is used: nobody waits for reading.
        let (_reader, mut writer) = stream.into_split();
        tokio::spawn(async move {
            let block = vec![b'x'; 64 * 1024];
            while writer.write_all(&block).await.is_ok() {}
            println!("client gone");
        });
    }
}

async fn refused(address: &str) -> Result<(), Error> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(address).await?;
    println!("connected to {}", socket.peer_addr()?);
    let mut buffer = [0; 16];
    // A reader waits when the refusal comes, and collects it once...
    let (received, sent) = tokio::join!(socket.recv(&mut buffer), async {
        sleep(Duration::from_millis(50)).await;
        socket.send(b"anyone?").await
    });
    said("send", sent);
    said("receive", received);
    // ...and then one comes that nobody collects.
    let _ = timeout(Duration::from_millis(5), socket.recv(&mut buffer)).await;
    said("send", socket.send(b"anyone?").await);
    println!("waiting");
    sleep(Duration::from_secs(3600)).await;
    Ok(())
}

async fn lines() -> Result<(), Error> {
    let mut lines = BufReader::new(stdin()).lines();
    let mut clock = interval(Duration::from_millis(10));
    let (mut number, mut ticks) = (0, 0);
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line? else { break };
                number += 1;
                println!("line {number}: {line}");
            }
            _ = clock.tick() => {
                ticks += 1;
                if ticks == 20 {
                    println!("20 ticks");
                }
            }
        }
    }
    println!("end after {number} lines");
    Ok(())
}

async fn wait() -> Result<(), Error> {
    println!("waiting");
    let line = BufReader::new(stdin()).lines().next_line().await?;
    println!("line: {}", line.unwrap_or_default());
    Ok(())
}

async fn idle(address: &str) -> Result<(), Error> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let notify = tokio::sync::Notify::new();
    tokio::spawn(async { sleep(Duration::from_secs(3600)).await });
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut byte = [0; 1];
                while stream.read_exact(&mut byte).await.is_ok() {
                    stream.write_all(&byte).await?;
                }
                Ok::<(), Error>(())
            });
        }
    };
    tokio::select! {
        result = serve => result,
        () = notify.notified() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}

async fn leave(address: &str, how: &str, no_delay: bool) -> Result<(), Error> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(no_delay)?;
    stream.write_all(b"last ").await?;
    stream.write_all(b"words").await?;
    match how {
        "return" => {}
        "exit" => std::process::exit(7),
        "panic" => panic!("as told"),
        "flood" => {
            let mut sent = 10;
            while let Ok(n) = stream.try_write(&[b'.'; 1000]) {
                sent += n;
            }
            println!("sent {sent}");
            std::process::exit(7);
        }
        _ => return Err(Error::other("no such way to end")),
    }
    Ok(())
}

async fn input() -> Result<(), Error> {
    println!("terminal: {}", std::io::stdin().is_terminal());
    let mut content = Vec::new();
    println!("read: {}", stdin().read_to_end(&mut content).await?);
    Ok(())
}

async fn write() {
    let mut out = stdout();
    let error = loop {
        let written = out.write_all(b"line\n").await;
        if let Err(error) = written.and(out.flush().await) {
            break error;
        }
    };
    eprintln!("written: {:?}", error.kind());
}

/// What need not be Unicode.
fn printed(command: &OsStr, words: &[OsString]) -> bool {
    for word in words {
        match command.to_str() {
            Some("variables") => println!("{}: {:?}", word.display(), std::env::var_os(word)),
            Some("arguments") => println!("{word:?}"),
            _ => return false,
        }
    }
    !words.is_empty()
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let [command, words @ ..] = &words[..] {
        if printed(command, words) {
            return Ok(());
        }
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["connect", address] => connect(address).await,
        ["vectored", address] => vectored(address).await?,
        ["flood", address] => flood(address).await?,
        ["refused", address] => refused(address).await?,
        ["lines"] => lines().await?,
        ["wait"] => wait().await?,
        ["input"] => input().await?,
        ["write"] => write().await,
        ["idle", address] => idle(address).await?,
        ["leave", address, how] => leave(address, how, true).await?,
        ["leave", address, how, "delay"] => leave(address, how, false).await?,
        ["exit", code] => std::process::exit(code.parse().expect("a number")),
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    }
    Ok(())
}
