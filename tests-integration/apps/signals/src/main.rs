//! Counts and prints the signals that come, until SIGTERM.

use tokio::signal::ctrl_c;
use tokio::signal::unix::{signal, SignalKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut user = signal(SignalKind::user_defined1())?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening");
    for count in 1.. {
        tokio::select! {
            biased;
            result = ctrl_c() => println!("{count}: ctrl_c {result:?}"),
            _ = hangup.recv() => println!("{count}: hangup"),
            _ = user.recv() => println!("{count}: user"),
            _ = terminate.recv() => break,
        }
    }
    println!("terminated");
    Ok(())
}
