//! Looks names up, one after the other, and prints what they stand for.
//!
//! Usage: `names [--no-timers | --ticking] NAME…`
//!
//! `--no-timers` has a runtime without timers do it. `--ticking` looks them up
//! all at once beside an interval and an echoing connection, and prints by how
//! much each was late at worst.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{lookup_host, TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::{interval, MissedTickBehavior};

/// Microseconds that a tick came late, at worst.
static LATE: AtomicU64 = AtomicU64::new(0);
/// Messages that went to and fro.
static ROUNDS: AtomicU64 = AtomicU64::new(0);

const PERIOD: Duration = Duration::from_millis(10);

fn main() -> io::Result<()> {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let mut option = |name: &str| {
        let given = names.first().is_some_and(|first| first == name);
        if given {
            names.remove(0);
        }
        given
    };
    let (no_timers, ticking) = (option("--no-timers"), option("--ticking"));
    let mut builder = Builder::new_current_thread();
    builder.enable_io();
    if !no_timers {
        builder.enable_time();
    }
    builder.build()?.block_on(async {
        if ticking {
            return tick(names).await;
        }
        for name in &names {
            print(name, look_up(name).await);
        }
        Ok(())
    })
}

async fn look_up(name: &str) -> io::Result<Vec<String>> {
    let found = lookup_host((name, 7)).await?;
    Ok(found.map(|address| address.ip().to_string()).collect())
}

fn print(name: &str, found: io::Result<Vec<String>>) {
    match found {
        Ok(addresses) => println!("{name}: {}", addresses.join(" ")),
        Err(error) => println!("{name}: error: {error}"),
    }
}

async fn tick(names: Vec<String>) -> io::Result<()> {
    let lookups: Vec<_> = names
        .into_iter()
        .map(|name| tokio::spawn(async move { (look_up(&name).await, name) }))
        .collect();

    let ticker = tokio::spawn(async {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut worst, mut last) = (Duration::ZERO, Instant::now());
        ticks.tick().await;
        loop {
            ticks.tick().await;
            worst = worst.max(last.elapsed().saturating_sub(PERIOD));
            last = Instant::now();
            tokio::task::yield_now().await;
            LATE.store(worst.as_micros() as u64, Relaxed);
        }
    });
    let echo = tokio::spawn(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (client, server) = tokio::join!(
            TcpStream::connect(listener.local_addr()?),
            listener.accept()
        );
        let (mut client, (mut server, _)) = (client?, server?);
        let mut rounds = 0_u64;
        loop {
            let mut byte = [0];
            client.write_all(b"x").await?;
            server.read_exact(&mut byte).await?;
            server.write_all(&byte).await?;
            client.read_exact(&mut byte).await?;
            rounds += 1;
            ROUNDS.store(rounds, Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    });

    for lookup in lookups {
        let (found, name) = lookup.await?;
        print(&name, found);
    }
    println!(
        "late by {} µs, {} rounds",
        LATE.load(Relaxed),
        ROUNDS.load(Relaxed)
    );
    ticker.abort();
    echo.abort();
    Ok(())
}
