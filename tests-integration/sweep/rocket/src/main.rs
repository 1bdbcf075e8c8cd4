use rocket::{Build, Config, Rocket, get, launch, routes};

#[get("/<name>")]
fn hi(name: &str) -> String {
    format!("hello {name}\n")
}

#[launch]
fn rocket() -> Rocket<Build> {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse::<u16>().ok());
    let config = Config::figment().merge(("port", port.unwrap_or_default()));
    rocket::custom(config).mount("/", routes![hi])
}
