//! A Debian whose apt and dpkg are scripts: a mirror is a folder of files, a
//! package is a shell script that makes its files in `$ROOT`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use cargo_wasmedge::error::Error;
use cargo_wasmedge::toolchain::{What, setup_in, wasmedge};

use crate::machine::{Machine, quiet, real};

const APT_GET: &str = r#"
echo "$@" >> "$BASE/apt-calls"
conf= action= archives= uris=
suite() { sed -n 's/^deb \[.*\] [^ ]* \([a-z]*\) main$/\1/p' "${conf%apt.conf}etc/sources.list"; }
while [ $# -gt 0 ]; do case $1 in
  -c) conf=$2; shift;;
  -o) shift;;
  --print-uris) uris=1;;
  update|install|indextargets) action=$1;;
  -*) ;;
  *) packages="$packages $1";;
esac; shift; done
case $action$uris in
indextargets) echo 'Debian|Debian|trixie|file:/mirror';;
update) [ -d "$BASE/mirror/$(suite)" ] || { echo 'E: no such suite' >&2; exit 100; };;
install1)
  for deb in "$BASE/mirror/$(suite)"/*.deb; do
    set -- $(sha256sum "$deb")
    echo "'file:/mirror/${deb##*/}' ${deb##*/} $(wc -c < "$deb") SHA256:$1"
  done;;
install)
  archives="${conf%apt.conf}cache/archives"
  for deb in "$BASE/mirror/$(suite)"/*.deb; do
    [ -e "$archives/${deb##*/}" ] && continue
    echo "${deb##*/}" >> "$BASE/downloads"
    cp "$deb" "$archives/"
  done;;
esac"#;

const LOADER: &str = r#"#!/bin/sh
[ "$1" = --library-path ] && [ "$3" = --argv0 ] || exit 1
shift 4
exec /bin/sh "$@""#;

impl Machine {
    pub fn debian() -> Machine {
        let machine = Machine::new();
        for tool in [
            "sh",
            "sed",
            "sha256sum",
            "wc",
            "cp",
            "mkdir",
            "cat",
            "chmod",
            "sleep",
        ] {
            symlink(real(tool), machine.path("bin").join(tool)).unwrap();
        }
        let keyring = machine.path("usr/share/keyrings/debian-archive-keyring.gpg");
        fs::create_dir_all(keyring.parent().unwrap()).unwrap();
        fs::write(keyring, "").unwrap();
        let base = format!("BASE='{}'", machine.folder.path().display());
        machine.script("bin/apt-get", &format!("{base}{APT_GET}"));
        machine.script("bin/dpkg", "echo amd64");
        machine.script("bin/dpkg-deb", "ROOT=$3 sh -e \"$2\"");
        fs::write(machine.path("loader"), LOADER).unwrap();
        machine.package(
            "trixie",
            "libc6_2.41-1_amd64",
            &format!(
                "lib=$ROOT/usr/lib/x86_64-linux-gnu\nmkdir -p $lib\n: > $lib/libc.so.6\n\
                 cp '{}' $lib/ld-linux-x86-64.so.2\nchmod +x $lib/ld-linux-x86-64.so.2",
                machine.path("loader").display()
            ),
        );
        machine.wasmedge_package("trixie", "0.14.1+dfsg-3.1", "0.14.1");
        machine
    }

    pub fn package(&self, suite: &str, file: &str, script: &str) -> PathBuf {
        let path = self.path(&format!("mirror/{suite}/{file}.deb"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, script).unwrap();
        path
    }

    pub fn wasmedge_package(&self, suite: &str, version: &str, upstream: &str) -> PathBuf {
        self.package(
            suite,
            &format!("wasmedge_{version}_amd64"),
            &format!(
                "mkdir -p $ROOT/usr/bin\n\
                 echo 'echo wasmedge version {upstream}' > $ROOT/usr/bin/wasmedge"
            ),
        )
    }

    pub fn set_up(&self, wasmedge: &str) -> Result<wasmedge::WasmEdge, Error> {
        let what = What {
            rust: false,
            c: false,
            unwinding: false,
            wasmedge: vec![wasmedge.parse().unwrap()],
        };
        let set_up = setup_in(&self.dirs(), &self.env(), &what, &quiet)?;
        Ok(set_up.wasmedge.into_iter().next().unwrap())
    }

    pub fn lines(&self, file: &str) -> usize {
        fs::read_to_string(self.path(file)).map_or(0, |text| text.lines().count())
    }
}
