use ldap3::LdapConnAsync;

#[tokio::main]
async fn main() {
    let connection = LdapConnAsync::new("ldap://127.0.0.1:1").await;
    println!("closed {}", connection.is_err());
}
