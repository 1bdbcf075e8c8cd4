//! Joins the chat from a terminal: lines that are typed are said in the room.

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let address = words.next().context("join ADDRESS NAME")?;
    let name = words.next().context("join ADDRESS NAME")?;
    let (socket, _) = connect_async(format!("ws://{address}/ws/{name}"))
        .await
        .with_context(|| format!("cannot join {address}"))?;
    let (mut to_room, mut from_room) = socket.split();
    let mut typed = BufReader::new(tokio::io::stdin()).lines();
    let mut leaving = false;
    loop {
        tokio::select! {
            line = typed.next_line(), if !leaving => match line? {
                Some(line) => to_room.send(Message::text(line)).await?,
                // What is on its way is still shown: the room says when it ends.
                None => {
                    leaving = true;
                    to_room.send(Message::Close(None)).await?;
                }
            },
            message = from_room.next() => match message.transpose()? {
                Some(Message::Text(text)) => println!("{text}"),
                Some(Message::Close(_)) | None => return Ok(()),
                Some(_) => {}
            },
        }
    }
}
