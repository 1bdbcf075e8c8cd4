use kameo::Actor;
use kameo::actor::Spawn as _;
use kameo::message::{Context, Message};

#[derive(Actor)]
struct Counter {
    count: i64,
}

struct Add(i64);

impl Message<Add> for Counter {
    type Reply = i64;

    async fn handle(&mut self, Add(by): Add, _: &mut Context<Self, Self::Reply>) -> i64 {
        self.count += by;
        self.count
    }
}

#[tokio::main]
async fn main() {
    let counter = Counter::spawn(Counter { count: 1 });
    println!("count {}", counter.ask(Add(41)).await.unwrap());
    counter.stop_gracefully().await.unwrap();
    counter.wait_for_shutdown().await;
    println!("stopped {}", counter.is_alive());
}
