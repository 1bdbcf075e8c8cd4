use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let (_, port) = peer.split_once(':').ok_or("no address")?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file("ca.pem")?)?;
    let tls = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config =
        format!("host=localhost port={port} user=test password=secret dbname=test sslmode=require");
    let (client, connection) =
        tokio_postgres::connect(&config, MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    println!(
        "{}",
        client
            .query_one("select 41 + 1", &[])
            .await?
            .get::<_, i32>(0)
    );
    Ok(())
}
