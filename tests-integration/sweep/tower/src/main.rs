use std::time::Duration;

use tower::{Service as _, ServiceBuilder, ServiceExt as _, service_fn};

#[tokio::main]
async fn main() -> Result<(), tower::BoxError> {
    let mut service = ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(2)
        .rate_limit(3, Duration::from_millis(200))
        .timeout(Duration::from_millis(300))
        .service(service_fn(|pause: u64| async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            Ok::<_, tower::BoxError>(pause)
        }));
    for pause in [1, 2, 3, 4, 2000] {
        println!("{:?}", service.ready().await?.call(pause).await.ok());
    }
    Ok(())
}
