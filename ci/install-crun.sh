#!/usr/bin/env bash
# Unpacks Debian 13's crun, which runs WebAssembly with WasmEdge, into the cache folder of
# cargo wasmedge: it is for the tests. Needs no root, and nothing of the system changes.
# Where it comes from is what the machine's own apt says; Debian's keyring says whether it
# is Debian's.
set -euo pipefail

folder=${CARGO_WASMEDGE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/cargo-wasmedge}/crun
if [ -x "$folder/usr/bin/crun" ]; then exit; fi
for tool in apt-get dpkg dpkg-deb; do
    command -v "$tool" >/dev/null || { echo "no $tool here: no crun" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,etc/empty,root}
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
    grep -v -- '-security' | head -n 1 || true)
if [ -z "$mirror" ]; then
    # Without lists it says nothing; this it says always.
    mirror=$(apt-get update --print-uris |
        sed -n "s|^'\(.*\)/dists/[^/]*/InRelease'.*|\1|p" | grep -v -- '-security' | head -n 1)
fi
key=$(find /usr/share/keyrings -name 'debian-archive-keyring.*' | sort | head -n 1)
echo "deb [arch=$(dpkg --print-architecture) signed-by=$key] $mirror trixie main" \
    >"$work/etc/sources.list"
: >"$work/state/status"
options=(-qq -o "Dir::State=$work/state" -o "Dir::State::status=$work/state/status"
    -o "Dir::Cache=$work/cache" -o "Dir::Etc::SourceList=$work/etc/sources.list"
    -o "Dir::Etc::SourceParts=$work/etc/empty" -o "Dir::Etc::PreferencesParts=$work/etc/empty"
    -o Dir::Etc::Preferences=/dev/null -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Install-Recommends=false)
apt-get "${options[@]}" update
apt-get "${options[@]}" -y --download-only install crun
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done
mkdir -p "$(dirname "$folder")"
# A folder that is there is whole.
rm -rf "$folder"
mv "$work/root" "$folder"
chmod 755 "$folder"
