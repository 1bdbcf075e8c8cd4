//! Standard output and error. Reading standard input is tested from outside,
//! where there is somebody to write to it.

use behaviour::within;
use tokio::io::{AsyncWriteExt, BufWriter};

#[tokio::test]
async fn stdout_takes_what_is_written() {
    within(async {
        let mut stdout = tokio::io::stdout();
        stdout.write_all(b"a line on stdout\n").await.unwrap();
        stdout.flush().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn stderr_takes_what_is_written() {
    within(async {
        let mut stderr = tokio::io::stderr();
        stderr.write_all(b"a line on stderr\n").await.unwrap();
        stderr.flush().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn large_output_is_taken_in_full() {
    within(async {
        let mut stdout = BufWriter::new(tokio::io::stdout());
        let line = [b'.'; 79];
        for _ in 0..100 {
            stdout.write_all(&line).await.unwrap();
            stdout.write_all(b"\n").await.unwrap();
        }
        stdout.flush().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn output_from_many_tasks_is_taken() {
    within(async {
        let tasks: Vec<_> = (0..20)
            .map(|i| {
                tokio::spawn(async move {
                    let mut stdout = tokio::io::stdout();
                    stdout
                        .write_all(format!("task {i}\n").as_bytes())
                        .await
                        .unwrap();
                    stdout.flush().await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
    .await;
}
