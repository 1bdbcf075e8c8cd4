use async_compression::tokio::{bufread, write};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

macro_rules! round_trip {
    ($data:ident, $($encoder:ident $decoder:ident),*) => {$(
        let mut encoder = write::$encoder::new(Vec::new());
        encoder.write_all(&$data).await?;
        encoder.shutdown().await?;
        let packed = encoder.into_inner();
        let mut unpacked = vec![];
        bufread::$decoder::new(&packed[..]).read_to_end(&mut unpacked).await?;
        println!("{} {} {}", stringify!($encoder), packed.len(), unpacked == $data);
    )*};
}

#[tokio::main]
async fn main() -> Result<(), std::io::Error> {
    let data = b"hello hello hello ".repeat(1000);
    round_trip!(data, BrotliEncoder BrotliDecoder, BzEncoder BzDecoder, GzipEncoder GzipDecoder, ZstdEncoder ZstdDecoder, XzEncoder XzDecoder, Lz4Encoder Lz4Decoder);
    Ok(())
}
