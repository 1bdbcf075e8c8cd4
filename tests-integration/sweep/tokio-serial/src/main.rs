use tokio_serial::SerialPortBuilderExt as _;

#[tokio::main]
async fn main() {
    let port = tokio_serial::new("no-such-port", 9600).open_native_async();
    println!("{}", port.is_err());
}
