# `cargo wasmedge` with all that it needs, to build and run apps with:
#     docker build --tag cargo-wasmedge .
#     docker run --rm --volume "$PWD:/app" cargo-wasmedge cargo wasmedge test
ARG RUST=1.95
FROM rust:${RUST}-trixie AS build
COPY . /sources
RUN cargo install --locked --path /sources/cargo-wasmedge --root /installed

FROM rust:${RUST}-trixie
COPY --from=build /installed/bin/cargo-wasmedge /usr/local/bin/cargo-wasmedge
# A folder that every user of the image can read: its toolchains, WasmEdge and the plugin.
ENV CARGO_WASMEDGE_HOME=/opt/cargo-wasmedge
RUN cargo wasmedge setup --c && chmod -R a+rwX /opt/cargo-wasmedge
WORKDIR /app
