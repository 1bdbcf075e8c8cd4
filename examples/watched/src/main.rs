//! An HTTP server that can be watched: log lines in JSON, and numbers for Prometheus.

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::extract::{MatchedPath, Path, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tracing::{Instrument as _, info, info_span};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<()> {
    // `RUST_LOG` chooses: `RUST_LOG=debug`, `RUST_LOG=warn,watched=info`.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let numbers = PrometheusBuilder::new().install_recorder()?;
    tokio::spawn(look_at_the_scheduler(numbers.clone()));

    let app = Router::new()
        .route("/hello/{name}", get(hello))
        .route_layer(middleware::from_fn(observe))
        // Behind the layer: who asks for the numbers is not counted.
        .route("/metrics", get(async move || numbers.render()));
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8080")).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

async fn hello(Path(name): Path<String>) -> String {
    info!(name, "greeting");
    format!("Hello {name}!\n")
}

/// Counts a request, takes its time, and says in each of its log lines which it was.
async fn observe(path: MatchedPath, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let span = info_span!("request", method = %request.method(), path = path.as_str());
    let response = next.run(request).instrument(span).await;
    let path = path.as_str().to_owned();
    let status = response.status().as_str().to_owned();
    counter!("requests_total", "path" => path.clone(), "status" => status).increment(1);
    histogram!("request_seconds", "path" => path).record(started.elapsed());
    response
}

/// With one thread, whatever computes holds up all others: seen as ticks that are late.
async fn look_at_the_scheduler(numbers: PrometheusHandle) {
    let runtime = Handle::current().metrics();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        let late = ticks.tick().await.elapsed();
        gauge!("scheduler_late_seconds").set(late.as_secs_f64());
        gauge!("tasks_alive").set(runtime.num_alive_tasks() as f64);
        // So that times that nobody asks for do not pile up.
        numbers.run_upkeep();
    }
}
