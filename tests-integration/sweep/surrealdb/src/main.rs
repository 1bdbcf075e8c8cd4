use surrealdb::{Surreal, engine::remote::ws::Ws};

#[tokio::main]
async fn main() {
    println!(
        "closed {}",
        Surreal::new::<Ws>("127.0.0.1:1").await.is_err()
    );
}
