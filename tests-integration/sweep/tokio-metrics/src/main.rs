use std::time::Duration;

#[tokio::main]
async fn main() {
    let monitor = tokio_metrics::TaskMonitor::new();
    monitor
        .instrument(tokio::time::sleep(Duration::from_millis(20)))
        .await;
    let metrics = monitor.cumulative();
    println!(
        "{} {}",
        metrics.instrumented_count,
        metrics.total_idle_duration >= Duration::from_millis(15)
    );
}
