//! The work that is measured.
//!
//! Usage: `work http|echo|pairs|bulk|redis`: a server; prints `listening on ADDRESS`
//!        `work http ADDRESS [THREADS]`: the same; natively with a runtime of more threads
//!        `work write-write-read ADDRESS`: a client of `pairs`
//!        `work compute|yield|spawn|sleep|mpsc|ping-pong|random`
//!        `work busy`: computes for ever
//!
//! All but the servers print the nanoseconds that the work took.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    runtime(&words)?.block_on(async move {
        match words[..] {
            ["http"] => http(ANY).await,
            ["http", address, ..] => http(address).await,
            ["echo"] => echo().await,
            ["pairs"] => pairs().await,
            ["bulk"] => bulk().await,
            ["redis"] => redis().await,
            ["write-write-read", address] => write_write_read(address).await,
            ["compute"] => timed(compute(20_000_000)).await,
            ["yield"] => timed(yields(1_000_000)).await,
            ["spawn"] => timed(spawns(100_000)).await,
            ["sleep"] => timed(sleeps(100_000)).await,
            ["mpsc"] => timed(messages(1_000_000)).await,
            ["random"] => timed(random_numbers(1_000_000)).await,
            ["busy"] => loop {
                compute(20_000_000).await;
            },
            ["ping-pong"] => timed(ping_pong(200_000)).await,
            _ => Err("no such work; see the source".into()),
        }
    })
}

/// An address with a port that is free.
const ANY: &str = "127.0.0.1:0";

fn runtime(words: &[&str]) -> Result<Runtime> {
    let mut builder = match words {
        #[cfg(not(target_os = "wasi"))]
        ["http", _, threads] => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads.parse()?);
            builder
        }
        _ => Builder::new_current_thread(),
    };
    Ok(builder.enable_all().build()?)
}

async fn timed(work: impl std::future::Future<Output = ()>) -> Result<()> {
    let start = Instant::now();
    work.await;
    println!("{}", start.elapsed().as_nanos());
    Ok(())
}

async fn listen(address: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}

/// Says hello; where it is asked for `/compute`, after some tens of microseconds of work.
async fn hello(
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/compute" {
        compute(50_000).await;
    }
    Ok(Response::new(Full::from("Hello, World!\n")))
}

/// hyper as people write it: head and body are written vectored.
async fn http(address: &str) -> Result<()> {
    let listener = listen(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // Clients leave as they like.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(hello))
                .await;
        });
    }
}

async fn echo() -> Result<()> {
    let listener = listen(ANY).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..n]).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// Answers each two bytes, and not the first of them, with two.
async fn pairs() -> Result<()> {
    let listener = listen(ANY).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut pair = [0; 2];
            while stream.read_exact(&mut pair).await.is_ok() {
                if stream.write_all(&pair).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// Takes what a client sends and then says `.`, or sends what a client asks for:
/// nine bytes say which, and how much.
async fn bulk() -> Result<()> {
    let listener = listen(ANY).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            // The load program reports a transfer that ends too early.
            let _ = transfer(stream).await;
        });
    }
}

async fn transfer(mut stream: TcpStream) -> std::io::Result<()> {
    let up = stream.read_u8().await? == b'u';
    let mut left = usize::try_from(stream.read_u64().await?).unwrap_or(usize::MAX);
    let mut buffer = vec![b'x'; 64 * 1024];
    while left > 0 {
        let size = left.min(buffer.len());
        left -= match up {
            true => match stream.read(&mut buffer[..size]).await? {
                0 => return Ok(()),
                n => n,
            },
            false => {
                stream.write_all(&buffer[..size]).await?;
                size
            }
        };
    }
    if up {
        stream.write_all(b".").await?;
    }
    Ok(())
}

/// The server of mini-redis as its own program starts it, on one thread and
/// without a log.
async fn redis() -> Result<()> {
    let listener = listen(ANY).await?;
    mini_redis::server::run(listener, tokio::signal::ctrl_c()).await?;
    Ok(())
}

async fn write_write_read(address: &str) -> Result<()> {
    // What the machine does meanwhile lasts milliseconds; natively these take thirty.
    const ROUNDS: u32 = 500;
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut pair = [0; 2];
    let start = Instant::now();
    for _ in 0..ROUNDS {
        stream.write_all(b"a").await?;
        stream.write_all(b"b").await?;
        stream.read_exact(&mut pair).await?;
    }
    println!("{}", start.elapsed().as_nanos() / u128::from(ROUNDS));
    Ok(())
}

/// Nothing but arithmetic: tells a compiled program from an interpreted one.
async fn compute(count: u32) {
    let mut sum = 1u32;
    for n in 0..count {
        sum = std::hint::black_box(sum.wrapping_mul(31) ^ n);
    }
    std::hint::black_box(sum);
}

async fn random_numbers(count: u32) {
    let mut bytes = [0; 16];
    for _ in 0..count {
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        std::hint::black_box(&bytes);
    }
}

async fn yields(count: u32) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

async fn spawns(count: u32) {
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(async move { n })).collect();
    for task in tasks {
        task.await.expect("the task does not fail");
    }
}

async fn sleeps(count: u64) {
    let tasks: Vec<_> = (0..count)
        .map(|n| tokio::spawn(tokio::time::sleep(Duration::from_millis(n % 50))))
        .collect();
    for task in tasks {
        task.await.expect("the task does not fail");
    }
}

async fn messages(count: u32) {
    let (sender, mut receiver) = mpsc::channel(128);
    tokio::spawn(async move {
        for n in 0..count {
            sender.send(n).await.expect("the receiver listens");
        }
    });
    while receiver.recv().await.is_some() {}
}

async fn ping_pong(rounds: u32) {
    let (ping, mut pings) = mpsc::channel(1);
    let (pong, mut pongs) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(n) = pings.recv().await {
            if pong.send(n).await.is_err() {
                break;
            }
        }
    });
    for n in 0..rounds {
        ping.send(n).await.expect("the other side listens");
        pongs.recv().await.expect("the other side answers");
    }
}
