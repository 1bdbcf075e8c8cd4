//! tracing-subscriber: filters, spans across tasks, JSON.

use tracing::{debug, info, info_span, warn, Instrument};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .json()
        .without_time()
        .with_env_filter(EnvFilter::new("info,tracing::quiet=off"))
        .with_writer(std::io::stdout)
        .init();
    info!(answer = 42, "started");
    debug!("not shown");
    warn!(target: "tracing::quiet", "not shown either");
    for n in 0..3 {
        let work = async move {
            tokio::task::yield_now().await;
            info!("done");
        };
        let _ = tokio::spawn(work.instrument(info_span!("task", n))).await;
    }
}
