use futures::StreamExt as _;
use tarpc::server::{BaseChannel, Channel as _};
use tarpc::tokio_serde::formats::Json;
use tarpc::{client, context, serde_transport::tcp};

#[tarpc::service]
trait World {
    async fn hello(name: String) -> String;
}

#[derive(Clone)]
struct Server;

impl World for Server {
    async fn hello(self, _: context::Context, name: String) -> String {
        format!("hello {name}")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut listener = tcp::listen("127.0.0.1:0", Json::default).await?;
    let address = listener.local_addr();
    tokio::spawn(async move {
        while let Some(Ok(transport)) = listener.next().await {
            let answers = BaseChannel::with_defaults(transport).execute(Server.serve());
            tokio::spawn(answers.for_each(|answer| async {
                tokio::spawn(answer);
            }));
        }
    });
    let transport = tcp::connect(address, Json::default).await?;
    let client = WorldClient::new(client::Config::default(), transport).spawn();
    println!(
        "{:?}",
        client.hello(context::current(), "tarpc".into()).await?
    );
    Ok(())
}
