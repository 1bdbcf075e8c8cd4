//! tokio-cron-scheduler: a repeated job, one that is due once, one that is removed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio_cron_scheduler::{Job, JobScheduler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut scheduler = JobScheduler::new().await?;
    let (done, mut each) = tokio::sync::mpsc::unbounded_channel();
    let every_second = Job::new_async("* * * * * *", move |_, _| {
        let done = done.clone();
        Box::pin(async move {
            let _ = done.send(());
        })
    })?;
    scheduler.add(every_second).await?;
    let once = Arc::new(AtomicU32::new(0));
    let count = once.clone();
    let job = Job::new_one_shot(Duration::from_secs(1), move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
    })?;
    scheduler.add(job).await?;
    let removed = Job::new("* * * * * *", |_, _| println!("removed, but it ran"))?;
    let id = scheduler.add(removed).await?;
    scheduler.remove(&id).await?;
    scheduler.start().await?;
    for n in 1..=3 {
        each.recv().await.ok_or("no more")?;
        println!("ran {n}");
    }
    println!("once {}", once.load(Ordering::Relaxed));
    scheduler.shutdown().await?;
    Ok(())
}
