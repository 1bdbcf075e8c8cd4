//! A chat room on WebSockets: what one says, all hear. `/ws/NAME` lets one in.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::RecvError};

/// So much of what was said is told to those who come later.
const REMEMBERED: usize = 20;

struct Room {
    said: broadcast::Sender<Utf8Bytes>,
    before: Mutex<VecDeque<Utf8Bytes>>,
}

impl Room {
    fn say(&self, text: Utf8Bytes) {
        let mut before = self.before.lock().unwrap_or_else(|e| e.into_inner());
        if before.len() == REMEMBERED {
            before.pop_front();
        }
        before.push_back(text.clone());
        // An error means that nobody is in the room.
        let _ = self.said.send(text);
    }

    /// What was said so far, and what will be: nothing is missed in between.
    fn listen(&self) -> (Vec<Utf8Bytes>, broadcast::Receiver<Utf8Bytes>) {
        let before = self.before.lock().unwrap_or_else(|e| e.into_inner());
        (before.iter().cloned().collect(), self.said.subscribe())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let room = Arc::new(Room {
        said: broadcast::Sender::new(100),
        before: Mutex::default(),
    });
    let app = Router::new()
        .route("/ws/{name}", get(enter))
        .with_state(room);
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8080")).await?;
    println!("listening on {}", listener.local_addr()?);
    // A chat has no end of its own: connections are dropped with the server.
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        stop = tokio::signal::ctrl_c() => stop?,
    }
    Ok(())
}

async fn enter(
    upgrade: WebSocketUpgrade,
    Path(name): Path<String>,
    State(room): State<Arc<Room>>,
) -> Response {
    upgrade
        .max_message_size(64 * 1024)
        .on_upgrade(async move |socket| {
            if let Err(error) = stay(socket, &name, &room).await {
                eprintln!("{name}: {error}");
            }
        })
}

/// One guest, until they leave.
async fn stay(mut socket: WebSocket, name: &str, room: &Room) -> Result<()> {
    let (before, mut said) = room.listen();
    for text in before {
        socket.send(Message::Text(text)).await?;
    }
    loop {
        tokio::select! {
            // Who leaves has heard what was said before.
            biased;
            heard = said.recv() => match heard {
                Ok(text) => socket.send(Message::Text(text)).await?,
                // Too slow a reader goes on with what is there still.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
            message = socket.recv() => match message.transpose()? {
                Some(Message::Text(text)) => room.say(format!("{name}: {text}").into()),
                Some(Message::Close(_)) => {
                    // The next read sends the answer.
                    socket.recv().await;
                    return Ok(());
                }
                None => return Ok(()),
                // axum answers pings.
                Some(_) => {}
            },
        }
    }
}
