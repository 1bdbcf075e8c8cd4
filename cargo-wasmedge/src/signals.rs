//! Signals while a child runs that this process must not leave behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

#[cfg(unix)]
use anyhow::Context as _;

use crate::error::Result;
#[cfg(unix)]
use crate::process::Failed;

/// Keeps SIGINT, SIGTERM and SIGHUP from ending this process before its work is done:
/// the app's lockfile is put back, or what the child has printed is passed on. The child
/// gets them: those from the terminal by itself, others from us.
#[derive(Debug)]
pub(crate) struct Signals {
    /// The running child's process id, or 0.
    child: Arc<AtomicU32>,
    /// The first signal that came, or 0.
    came: Arc<AtomicI32>,
}

impl Signals {
    /// A child runs: it gets the signals that come from now on.
    pub(crate) fn started(&self, child: u32) {
        self.child.store(child, Ordering::SeqCst);
        // One that came while the child was being started has not reached it.
        #[cfg(unix)]
        match self.came.load(Ordering::SeqCst) {
            0 => {}
            signal => forward(child, signal),
        }
    }

    /// The child has ended: its number may soon be another program's.
    pub(crate) fn ended(&self) {
        self.child.store(0, Ordering::SeqCst);
    }
}

#[cfg(unix)]
impl Signals {
    /// Takes the signals from now on.
    pub(crate) fn watch() -> Result<Signals> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        let signals = Signals {
            child: Arc::default(),
            came: Arc::default(),
        };
        let (child, came) = (signals.child.clone(), signals.came.clone());
        let mut iterator = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
            .context("cannot watch for signals")?;
        std::thread::spawn(move || {
            for signal in &mut iterator {
                let _ = came.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
                if signal == SIGINT && is_in_foreground() {
                    continue;
                }
                forward(child.load(Ordering::SeqCst), signal);
            }
        });
        Ok(signals)
    }

    /// Ends the process as the signal that came would have done. To be called when the
    /// work is done.
    pub(crate) fn check(&self) -> Result<()> {
        match self.came.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
                Err(anyhow::Error::new(Failed(128 + signal)).into())
            }
        }
    }
}

/// Whether Ctrl-C reaches the child as well. A second one would tell nextest,
/// for one, to stop at once.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    std::fs::File::open("/dev/tty").is_ok_and(|terminal| {
        rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
    })
}

#[cfg(unix)]
fn forward(child: u32, signal: i32) {
    let pid = i32::try_from(child)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let signal = rustix::process::Signal::from_named_raw(signal);
    if let (Some(pid), Some(signal)) = (pid, signal) {
        // It may have ended just now.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn watch() -> Result<Signals> {
        Ok(Signals {
            child: Arc::default(),
            came: Arc::default(),
        })
    }

    pub(crate) fn check(&self) -> Result<()> {
        Ok(())
    }
}
