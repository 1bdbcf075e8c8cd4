use std::collections::BTreeMap;

use jsonwebtoken::{EncodingKey, Header, encode};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let claims = BTreeMap::from([("sub", "me")]);
    let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(b"s"))?;
    println!("{token}");
    Ok(())
}
