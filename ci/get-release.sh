#!/usr/bin/env bash
# Installs the program of a release: get-release.sh VERSION FOLDER
# The archive's checksum is compared with the release's SHA256SUMS. CARGO_WASMEDGE_RELEASES
# is where releases are, a folder for each version.
set -euo pipefail

version=${1:?the version of cargo-wasmedge, such as 0.1.0}
folder=${2:?the folder for the program, such as ~/.cargo/bin}
releases=${CARGO_WASMEDGE_RELEASES:-https://github.com/tokio-wasmedge/tokio-wasmedge/releases/download}

system=$(uname -sm)
case $system in
'Linux x86_64') target=x86_64-unknown-linux-gnu ;;
'Linux aarch64') target=aarch64-unknown-linux-gnu ;;
*)
    echo "error: there is no archive for $system" >&2
    echo "  help: cargo install cargo-wasmedge --locked" >&2
    exit 1
    ;;
esac

name=cargo-wasmedge-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "$name.tar.gz" SHA256SUMS; do
    curl --fail --silent --show-error --location --output "$work/$file" "$releases/v$version/$file" || {
        echo "error: cannot get $file of release $version" >&2
        exit 1
    }
done
# The list has the other files, too: a line that is missing is an error.
grep " $name.tar.gz\$" "$work/SHA256SUMS" >"$work/sum" || {
    echo "error: SHA256SUMS of release $version has no line for $name.tar.gz" >&2
    exit 1
}
(cd "$work" && sha256sum --check --quiet --strict sum)
tar -xzf "$work/$name.tar.gz" -C "$work"
mkdir -p "$folder"
install -m 755 "$work/$name/cargo-wasmedge" "$folder/cargo-wasmedge"
echo "installed $folder/cargo-wasmedge"
