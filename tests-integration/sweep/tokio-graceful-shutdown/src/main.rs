use std::time::Duration;

use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

async fn part(subsystem: &mut SubsystemHandle) -> Result<(), std::io::Error> {
    println!("started");
    subsystem.request_shutdown();
    Ok(())
}

#[tokio::main]
async fn main() {
    let top = Toplevel::new(async |subsystem: &mut SubsystemHandle| {
        subsystem.start(SubsystemBuilder::new("part", part));
    });
    let ended = top
        .catch_signals()
        .handle_shutdown_requests(Duration::from_secs(1))
        .await;
    println!("{}", ended.is_ok());
}
