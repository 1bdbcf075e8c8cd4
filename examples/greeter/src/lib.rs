//! What `build.rs` made of `proto/greeter.proto`.

tonic::include_proto!("greeter");
