//! Packs a folder, looks at the archive and unpacks it.

use std::io::Result;

use tokio::fs::{self, File};
use tokio_stream::StreamExt as _;
use tokio_tar::{Archive, Builder, Header};

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::temp_dir().join("tar-app");
    let _ = fs::remove_dir_all(&folder).await;
    let from = folder.join("from");
    fs::create_dir_all(from.join("deep")).await?;
    fs::write(from.join("a.txt"), "one").await?;
    fs::write(from.join("deep/b.txt"), "two two").await?;

    let path = folder.join("all.tar");
    let mut builder = Builder::new(File::create(&path).await?);
    builder.append_dir_all("all", &from).await?;
    let mut up = Header::new_gnu();
    // `set_path` refuses such a name.
    up.as_gnu_mut().unwrap().name[..9].copy_from_slice(b"../up.txt");
    up.set_size(2);
    up.set_cksum();
    builder.append(&up, &b"up"[..]).await?;
    builder.into_inner().await?.sync_all().await?;

    let mut archive = Archive::new(File::open(&path).await?);
    let mut entries = archive.entries()?;
    let mut lines = Vec::new();
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        let header = entry.header();
        let name = entry.path()?.display().to_string();
        let kind = header.entry_type();
        let is_new = header.mtime()? > 1_700_000_000;
        let size = header.size()?;
        lines.push(format!("{name} {kind:?} {size} {is_new}"));
    }
    lines.sort();
    println!("{}", lines.join("\n"));

    let to = folder.join("to/deeper");
    fs::create_dir_all(&to).await?;
    Archive::new(File::open(&path).await?).unpack(&to).await?;
    for name in ["all/a.txt", "all/deep/b.txt", "../up.txt"] {
        let text = fs::read_to_string(to.join(name)).await;
        println!("{name}: {:?}", text.map_err(|error| error.kind()));
    }
    Ok(())
}
