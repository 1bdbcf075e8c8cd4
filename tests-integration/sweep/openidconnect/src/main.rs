use openidconnect::reqwest::{ClientBuilder, redirect::Policy};
use openidconnect::{IssuerUrl, core::CoreProviderMetadata};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let http = ClientBuilder::new().redirect(Policy::none()).build()?;
    let issuer = IssuerUrl::new(format!("http://{peer}"))?;
    println!(
        "{}",
        CoreProviderMetadata::discover_async(issuer, &http)
            .await
            .is_err()
    );
    Ok(())
}
