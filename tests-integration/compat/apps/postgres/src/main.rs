//! A tokio-postgres client: `postgres ADDRESS`.

use std::error::Error;

use bytes::Bytes;
use futures_util::{stream, SinkExt, StreamExt, TryStreamExt};
use tokio_postgres::{AsyncMessage, NoTls};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("no address")?;
    let (host, port) = address.split_once(':').ok_or("no port")?;
    let config = format!("host={host} port={port} user=test password=secret dbname=test");
    let (client, mut connection) = tokio_postgres::connect(&config, NoTls).await?;
    let (sender, mut notes) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(note) = message {
                let _ = sender.send(format!("{} {}", note.channel(), note.payload()));
            }
        }
    });
    client
        .batch_execute("CREATE TEMPORARY TABLE people (id serial PRIMARY KEY, name text, age int)")
        .await?;
    let insert = client
        .prepare("INSERT INTO people (name, age) VALUES ($1, $2) RETURNING id")
        .await?;
    for (name, age) in [("Ada", 36), ("Grace", 85)] {
        let row = client.query_one(&insert, &[&name, &age]).await?;
        println!("inserted {}", row.get::<_, i32>(0));
    }
    let sink = client.copy_in("COPY people (name, age) FROM STDIN").await?;
    let mut sink = std::pin::pin!(sink);
    for n in 0..1000 {
        sink.send(Bytes::from(format!("person {n}\t{}\n", n % 90)))
            .await?;
    }
    println!("copied in {}", sink.finish().await?);
    let out = client.copy_out("COPY people TO STDOUT").await?;
    let chunks: Vec<Bytes> = out.try_collect().await?;
    let lines = chunks
        .iter()
        .flat_map(|chunk| chunk.iter())
        .filter(|byte| **byte == b'\n')
        .count();
    println!("copied out {lines}");
    let rows = client
        .query(
            "SELECT name, age FROM people WHERE age > $1 ORDER BY age LIMIT 2",
            &[&85],
        )
        .await?;
    for row in rows {
        println!("{} {}", row.get::<_, String>(0), row.get::<_, i32>(1));
    }
    client.batch_execute("LISTEN news").await?;
    client.batch_execute("NOTIFY news, 'first'").await?;
    println!("notified {}", notes.recv().await.ok_or("no note")?);
    let error = client.query("SELECT 1 / $1::int", &[&0]).await.unwrap_err();
    println!(
        "{}",
        error
            .as_db_error()
            .ok_or("no error of the server's")?
            .message()
    );
    Ok(())
}
