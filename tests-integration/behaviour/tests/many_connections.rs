//! Many connections, opened and closed in any order.

use std::time::Duration;

use behaviour::{tcp_pair, within, Random};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An echo server; it counts nothing and forgives every connection's errors.
async fn echo_server() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let Ok((mut far, _)) = listener.accept().await else {
                continue;
            };
            tokio::spawn(async move {
                let (mut reader, mut writer) = far.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    address
}

async fn check(stream: &mut TcpStream, value: u64) {
    stream.write_u64(value).await.unwrap();
    assert_eq!(stream.read_u64().await.unwrap(), value);
}

#[tokio::test]
async fn hundred_connections_opened_and_closed_at_random() {
    within(async {
        let address = echo_server().await;
        let mut random = Random::new(15);
        let mut open: Vec<TcpStream> = Vec::new();
        for step in 0..1500 {
            match random.below(4) {
                0 if open.len() < 100 => open.push(TcpStream::connect(address).await.unwrap()),
                1 if !open.is_empty() => {
                    let stream = open.swap_remove(random.below(open.len()));
                    // Every other one leaves with a reset.
                    if step % 2 == 0 {
                        stream.set_zero_linger().unwrap();
                    }
                }
                _ if !open.is_empty() => {
                    let i = random.below(open.len());
                    check(&mut open[i], step).await;
                }
                _ => {}
            }
        }
        while open.len() < 100 {
            open.push(TcpStream::connect(address).await.unwrap());
        }
        for (i, stream) in open.iter_mut().enumerate() {
            check(stream, i as u64).await;
        }
    })
    .await;
}

#[tokio::test]
async fn hundred_connections_talk_at_once() {
    within(async {
        let address = echo_server().await;
        let clients: Vec<_> = (0..100u64)
            .map(|id| {
                tokio::spawn(async move {
                    let mut random = Random::new(id + 1);
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    for _ in 0..10 {
                        let size = 1 + random.below(3000);
                        let data = random.bytes(size);
                        stream.write_all(&data).await.unwrap();
                        let mut got = vec![0; data.len()];
                        stream.read_exact(&mut got).await.unwrap();
                        assert!(got == data);
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn one_busy_connection_among_many_idle_ones() {
    within(async {
        let mut idle = Vec::new();
        for _ in 0..150 {
            let (mut near, far) = tcp_pair().await;
            // A reader waits on each, so that its interest is registered.
            let reader = tokio::spawn(async move { near.read(&mut [0; 1]).await.unwrap() });
            idle.push((reader, far));
        }
        let (mut near, mut far) = tcp_pair().await;
        for i in 0..200u64 {
            near.write_u64(i).await.unwrap();
            assert_eq!(far.read_u64().await.unwrap(), i);
        }
        // The idle ones have not been forgotten.
        for (reader, far) in idle {
            drop(far);
            assert_eq!(reader.await.unwrap(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn any_one_of_many_waiting_connections_wakes() {
    within(async {
        let (sender, mut awake) = tokio::sync::mpsc::unbounded_channel();
        let mut fars = Vec::new();
        for id in 0..100usize {
            let (mut near, far) = tcp_pair().await;
            fars.push(far);
            let sender = sender.clone();
            tokio::spawn(async move {
                while near.read_u8().await.is_ok() {
                    sender.send(id).unwrap();
                }
            });
        }
        let mut random = Random::new(16);
        for _ in 0..300 {
            let id = random.below(fars.len());
            fars[id].write_u8(1).await.unwrap();
            assert_eq!(awake.recv().await, Some(id));
        }
    })
    .await;
}

#[tokio::test]
async fn connections_one_after_another_leak_nothing() {
    within(async {
        let address = echo_server().await;
        // More than the usual limit of 1024 open files.
        for i in 0..1500 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            check(&mut stream, i).await;
        }
    })
    .await;
}

#[tokio::test]
async fn closing_while_the_other_side_waits() {
    within(async {
        for _ in 0..100 {
            let (mut near, far) = tcp_pair().await;
            let reader = tokio::spawn(async move { near.read(&mut [0; 8]).await.unwrap() });
            tokio::task::yield_now().await;
            drop(far);
            assert_eq!(reader.await.unwrap(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_a_registered_stream_and_opening_another() {
    within(async {
        for _ in 0..100u8 {
            let (mut near, far) = tcp_pair().await;
            let reader = tokio::spawn(async move {
                let _ = near.read(&mut [0; 8]).await;
            });
            tokio::task::yield_now().await;
            // The stream goes while its interest is registered.
            reader.abort();
            let _ = reader.await;
            drop(far);
            let (mut near, mut far) = tcp_pair().await;
            far.write_u8(7).await.unwrap();
            assert_eq!(near.read_u8().await.unwrap(), 7);
        }
    })
    .await;
}

#[tokio::test]
async fn refused_connects_between_good_ones() {
    within(async {
        let address = echo_server().await;
        let closed = behaviour::closed_port("127.0.0.1:0").await;
        for i in 0..50 {
            let (refused, good) =
                tokio::join!(TcpStream::connect(closed), TcpStream::connect(address));
            assert!(refused.is_err());
            check(&mut good.unwrap(), i).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_survives_clients_that_reset_in_the_middle() {
    within(async {
        let address = echo_server().await;
        let rude = (0..50).map(|_| {
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(&[1; 10_000]).await.unwrap();
                stream.set_zero_linger().unwrap();
            })
        });
        for client in rude.collect::<Vec<_>>() {
            client.await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        check(&mut stream, 99).await;
    })
    .await;
}
