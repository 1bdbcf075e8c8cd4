use std::time::Duration;

use tokio_cron_scheduler::{Job, JobScheduler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (sender, mut runs) = tokio::sync::mpsc::unbounded_channel();
    let scheduler = JobScheduler::new().await?;
    let job = Job::new("* * * * * *", move |_, _| {
        let _ = sender.send("ran");
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    println!(
        "{:?}",
        tokio::time::timeout(Duration::from_secs(10), runs.recv()).await?
    );
    Ok(())
}
