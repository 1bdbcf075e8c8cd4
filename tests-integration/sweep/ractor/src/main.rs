use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call};

struct Counter;

enum Message {
    Add(u64),
    Read(RpcReplyPort<u64>),
}

impl Actor for Counter {
    type Msg = Message;
    type State = u64;
    type Arguments = u64;

    async fn pre_start(&self, _: ActorRef<Message>, start: u64) -> Result<u64, ActorProcessingErr> {
        Ok(start)
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        count: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Add(by) => *count += by,
            Message::Read(reply) => reply.send(*count)?,
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let (counter, ended) = Actor::spawn(None, Counter, 1).await.unwrap();
    for by in 0..10 {
        counter.cast(Message::Add(by)).unwrap();
    }
    println!("count {}", call!(counter, Message::Read).unwrap());
    counter.stop(None);
    ended.await.unwrap();
    println!("stopped");
}
