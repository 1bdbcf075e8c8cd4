use std::error::Error;

use tokio::fs::{self, File};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut builder = tokio_tar::Builder::new(File::create("t.tar").await?);
    builder.append_path("www/page.html").await?;
    builder.finish().await?;
    builder.into_inner().await?.sync_all().await?;
    let mut archive = tokio_tar::Archive::new(File::open("t.tar").await?);
    archive.unpack("out").await?;
    println!("{}", fs::read_to_string("out/www/page.html").await?);
    Ok(())
}
