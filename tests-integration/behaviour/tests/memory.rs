//! What connections leave behind when they are gone.

use behaviour::{within, Random};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How much memory the program has, in pages of 64 KiB. A guest's never shrinks, so what is
/// left behind shows. Natively there is no such number.
fn pages() -> usize {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size(0);
    #[cfg(not(target_arch = "wasm32"))]
    0
}

/// Answers with more than the kernel takes, so that each connection is reset in the midst
/// of a write, with something coalesced and something unread.
async fn serve(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let answer = vec![7; 8 << 10];
    let mut block = [0; 64];
    while let Ok(1..) = stream.read(&mut block).await {
        for _ in 0..4 {
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// Eight clients at a time, each of which asks, reads a little and resets.
async fn flood(address: std::net::SocketAddr, random: &mut Random) {
    for _ in 0..40 {
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let asks = 1 + random.below(40);
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    for _ in 0..asks {
                        // The server may have gone already.
                        let _ = stream.write_all(&[1; 64]).await;
                    }
                    let _ = stream.read(&mut [0; 100]).await;
                    stream.set_zero_linger().unwrap();
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    }
}

#[tokio::test]
async fn resets_leave_nothing_behind() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                // One that was reset meanwhile is no reason to stop.
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream));
                }
            }
        });
        let mut random = Random::new(6);
        // What the largest number of connections at once needs stays.
        flood(address, &mut random).await;
        let first = pages();
        for _ in 0..2 {
            flood(address, &mut random).await;
        }
        let grown = pages() - first;
        assert!(grown <= 1, "{grown} pages more than the {first} of before");
    })
    .await;
}
