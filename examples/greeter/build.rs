//! Rust from `proto`. protox stands in for protoc, so that no machine needs one.

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["proto/greeter.proto"], ["proto"])?;
    tonic_prost_build::compile_fds(files)?;
    Ok(())
}
