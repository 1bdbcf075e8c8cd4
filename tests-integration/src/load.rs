//! Clients that ask one request after the other while an instance is killed.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::{connect, wait_until};

/// How many clients ask at the same time.
const CLIENTS: usize = 6;

/// What the clients have done so far.
pub struct Load {
    stop: AtomicBool,
    done: AtomicUsize,
}

impl Load {
    /// Waits until `count` more requests are answered.
    pub fn more(&self, count: usize) -> Result<()> {
        let done = || self.done.load(Ordering::Relaxed);
        let until = done() + count;
        wait_until("requests are answered", || done() >= until)
    }
}

/// Has clients ask for something, each on one connection as long as that works, and runs
/// `kill` meanwhile. It kills an instance, and returns a moment when that was gone.
///
/// # Errors
/// `kill` fails, or a request on a connection that was opened later than that moment. What
/// is lost with an instance is what its connections had under way, which can be more than
/// one for a client: the kernel closes one file after the other, and the one that listens
/// takes connections until it is its turn.
pub fn lose_an_instance(
    address: SocketAddr,
    ask: impl Fn(&mut TcpStream) -> Result<()> + Sync,
    kill: impl FnOnce(&Load) -> Result<Instant>,
) -> Result<()> {
    let load = Load {
        stop: AtomicBool::new(false),
        done: AtomicUsize::new(0),
    };
    let client = || {
        let mut failed = Vec::new();
        while !load.stop.load(Ordering::Relaxed) {
            let opened = Instant::now();
            if let Err(error) = asks_on_one(&load, address, &ask) {
                failed.push((opened, error));
            }
        }
        failed
    };
    let (gone, failed) = thread::scope(|scope| -> Result<_> {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        let gone = kill(&load);
        load.stop.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for client in clients {
            failed.extend(client.join().ok().context("a client panicked")?);
        }
        Ok((gone?, failed))
    })?;
    let later = failed.iter().filter(|(opened, _)| *opened > gone);
    let later: Vec<_> = later.map(|(_, error)| format!("{error:#}")).collect();
    ensure!(later.is_empty(), "without the instance: {later:?}");
    Ok(())
}

fn asks_on_one(
    load: &Load,
    address: SocketAddr,
    ask: impl Fn(&mut TcpStream) -> Result<()>,
) -> Result<()> {
    let mut stream = connect(address)?;
    while !load.stop.load(Ordering::Relaxed) {
        ask(&mut stream)?;
        load.done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
