use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::server::{RpcModule, Server};
use jsonrpsee::{http_client::HttpClient, rpc_params, ws_client::WsClientBuilder};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder().build("127.0.0.1:0").await?;
    let address = server.local_addr()?;
    let mut module = RpcModule::new(());
    module.register_method("hi", |_, _, _| "hello")?;
    let handle = server.start(module);
    let http = HttpClient::builder().build(format!("http://{address}"))?;
    println!(
        "http {}",
        http.request::<String, _>("hi", rpc_params![]).await?
    );
    let ws = WsClientBuilder::default()
        .build(format!("ws://{address}"))
        .await?;
    println!("ws {}", ws.request::<String, _>("hi", rpc_params![]).await?);
    handle.stop()?;
    Ok(())
}
