//! tokio::io, which needs no host.

use std::io::ErrorKind;

use behaviour::{kind, within};
use tokio::io::{
    self, AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufStream,
    BufWriter,
};

#[tokio::test]
async fn duplex_carries_both_ways() {
    within(async {
        let (mut a, mut b) = io::duplex(8);
        let writer = tokio::spawn(async move {
            a.write_all(b"longer than eight bytes").await.unwrap();
            a.shutdown().await.unwrap();
            let mut got = String::new();
            a.read_to_string(&mut got).await.unwrap();
            got
        });
        let mut got = String::new();
        b.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "longer than eight bytes");
        b.write_all(b"answer").await.unwrap();
        drop(b);
        assert_eq!(writer.await.unwrap(), "answer");
    })
    .await;
}

#[tokio::test]
async fn closed_duplex_is_a_broken_pipe() {
    within(async {
        let (mut a, b) = io::duplex(8);
        drop(b);
        assert_eq!(kind(a.write_all(b"x").await), ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn numbers_are_written_and_read() {
    within(async {
        let (mut a, mut b) = io::duplex(64);
        a.write_u16(0x0102).await.unwrap();
        a.write_u32_le(0x0304_0506).await.unwrap();
        a.write_i64(-5).await.unwrap();
        a.write_f64(1.5).await.unwrap();
        assert_eq!(b.read_u8().await.unwrap(), 1);
        assert_eq!(b.read_u8().await.unwrap(), 2);
        assert_eq!(b.read_u32_le().await.unwrap(), 0x0304_0506);
        assert_eq!(b.read_i64().await.unwrap(), -5);
        assert_eq!(b.read_f64().await.unwrap(), 1.5);
    })
    .await;
}

#[tokio::test]
async fn chain_take_and_copy_combine() {
    within(async {
        let mut reader = (&b"hello "[..]).chain(&b"world and more"[..]).take(11);
        let mut out = Vec::new();
        assert_eq!(io::copy(&mut reader, &mut out).await.unwrap(), 11);
        assert_eq!(out, b"hello world");
    })
    .await;
}

#[tokio::test]
async fn buffered_reader_reads_until_and_splits() {
    within(async {
        let mut reader = BufReader::with_capacity(4, &b"a=1;b=2;c"[..]);
        let mut first = Vec::new();
        reader.read_until(b';', &mut first).await.unwrap();
        assert_eq!(first, b"a=1;");
        let mut rest = reader.split(b';');
        assert_eq!(rest.next_segment().await.unwrap().unwrap(), b"b=2");
        assert_eq!(rest.next_segment().await.unwrap().unwrap(), b"c");
        assert!(rest.next_segment().await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn buffered_writer_holds_back_until_flush() {
    within(async {
        let mut writer = BufWriter::new(Vec::new());
        writer.write_all(b"held").await.unwrap();
        assert!(writer.get_ref().is_empty());
        writer.flush().await.unwrap();
        assert_eq!(writer.get_ref(), b"held");
    })
    .await;
}

#[tokio::test]
async fn buffered_stream_talks() {
    within(async {
        let (a, b) = io::duplex(64);
        let (mut a, mut b) = (BufStream::new(a), BufStream::new(b));
        a.write_all(b"line\n").await.unwrap();
        a.flush().await.unwrap();
        let mut line = String::new();
        b.read_line(&mut line).await.unwrap();
        assert_eq!(line, "line\n");
    })
    .await;
}

#[tokio::test]
async fn cursor_seeks() {
    within(async {
        let mut cursor = std::io::Cursor::new(b"0123456789".to_vec());
        cursor.seek(std::io::SeekFrom::End(-3)).await.unwrap();
        let mut got = String::new();
        cursor.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "789");
    })
    .await;
}

#[tokio::test]
async fn empty_repeat_and_sink_do_their_parts() {
    within(async {
        assert_eq!(io::empty().read(&mut [0; 4]).await.unwrap(), 0);
        let mut got = [0; 4];
        io::repeat(7).read_exact(&mut got).await.unwrap();
        assert_eq!(got, [7; 4]);
        io::sink().write_all(&[0; 1000]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn simplex_goes_one_way() {
    within(async {
        let (mut reader, mut writer) = io::simplex(4);
        let (sent, got) = tokio::join!(
            async {
                writer.write_all(b"one way").await?;
                writer.shutdown().await
            },
            async {
                let mut got = String::new();
                reader.read_to_string(&mut got).await.map(|_| got)
            }
        );
        sent.unwrap();
        assert_eq!(got.unwrap(), "one way");
    })
    .await;
}

#[tokio::test]
async fn copy_of_endless_input_lets_others_run() {
    within(async {
        let endless = tokio::spawn(async {
            io::copy(&mut io::repeat(0), &mut io::sink()).await.unwrap();
        });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        endless.abort();
        assert!(endless.await.unwrap_err().is_cancelled());
    })
    .await;
}
