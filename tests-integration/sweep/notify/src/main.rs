use std::path::Path;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (sender, events) = std::sync::mpsc::channel();
    let mut watcher = notify::recommended_watcher(sender)?;
    watcher.watch(Path::new("www"), RecursiveMode::Recursive)?;
    std::fs::write("www/new.txt", "x")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!("{}", events.try_recv().is_ok());
    Ok(())
}
