use async_zip::base::read::mem::ZipFileReader;
use async_zip::tokio::write::ZipFileWriter;
use async_zip::{Compression, ZipEntryBuilder};

#[tokio::main]
async fn main() {
    let mut bytes = Vec::new();
    let mut writer = ZipFileWriter::with_tokio(&mut bytes);
    for name in ["one.txt", "two.txt"] {
        let entry = ZipEntryBuilder::new(name.into(), Compression::Deflate);
        writer
            .write_entry_whole(entry, name.repeat(100).as_bytes())
            .await
            .unwrap();
    }
    writer.close().await.unwrap();

    let zip = ZipFileReader::new(bytes).await.unwrap();
    for (at, entry) in zip.file().entries().iter().enumerate() {
        let mut text = String::new();
        let mut reader = zip.reader_with_entry(at).await.unwrap();
        reader.read_to_string_checked(&mut text).await.unwrap();
        println!("{} {}", entry.filename().as_str().unwrap(), text.len());
    }
}
