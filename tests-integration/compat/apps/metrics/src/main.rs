//! metrics with the Prometheus exporter, whose server curl talks to.

use metrics_exporter_prometheus::PrometheusBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The exporter tells nobody which port it took.
    let port: u16 = std::env::args().nth(1).ok_or("no port")?.parse()?;
    PrometheusBuilder::new()
        .with_http_listener(([127, 0, 0, 1], port))
        .install()?;
    metrics::counter!("visits", "page" => "home").increment(3);
    metrics::gauge!("temperature").set(21.5);
    println!("listening on 127.0.0.1:{port}");
    std::future::pending::<()>().await;
    Ok(())
}
