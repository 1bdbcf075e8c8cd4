//! Sends back what it receives.
//!
//! Usage: `echo [ADDRESS]`

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:7000")).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (mut stream, peer) = listener.accept().await?;
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            loop {
                match stream.read(&mut buffer).await {
                    Ok(0) => break,
                    Ok(n) => {
                        if let Err(error) = stream.write_all(&buffer[..n]).await {
                            eprintln!("{peer}: {error}");
                            break;
                        }
                    }
                    Err(error) => {
                        eprintln!("{peer}: {error}");
                        break;
                    }
                }
            }
        });
    }
}
