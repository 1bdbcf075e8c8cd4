//! Descriptors that are not the guest's, and must stay as they are.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// The descriptors of this process, and what they are.
pub fn descriptors() -> BTreeMap<RawFd, PathBuf> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir("/proc/self/fd").expect("/proc") {
        let name = entry.expect("a descriptor").file_name();
        let fd = name.to_string_lossy().parse().expect("a number");
        // The one that reads this folder is gone by now.
        if let Ok(link) = std::fs::read_link(format!("/proc/self/fd/{fd}")) {
            found.insert(fd, link);
        }
    }
    found
}

pub struct Decoys {
    file: File,
    pair: [UnixStream; 2],
    links: BTreeMap<RawFd, PathBuf>,
    modes: Vec<i32>,
}

const TEXT: &[u8] = b"the guest cannot see this";
const PLACE: u64 = 5;

impl Decoys {
    pub fn new() -> Decoys {
        let name = "decoy";
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(name);
        let mut file = options.expect("a file in this folder");
        std::fs::remove_file(name).expect("it is there");
        file.write_all(TEXT).expect("room");
        file.seek(std::io::SeekFrom::Start(PLACE)).expect("a file");
        let (one, two) = UnixStream::pair().expect("a pair");
        one.set_nonblocking(true).expect("a socket");
        let mut decoys = Decoys {
            file,
            pair: [one, two],
            links: BTreeMap::new(),
            modes: Vec::new(),
        };
        decoys.links = decoys.links();
        decoys.modes = decoys.modes();
        decoys
    }

    fn numbers(&self) -> [RawFd; 3] {
        let [one, two] = &self.pair;
        [self.file.as_raw_fd(), one.as_raw_fd(), two.as_raw_fd()]
    }

    fn links(&self) -> BTreeMap<RawFd, PathBuf> {
        let mut all = descriptors();
        all.retain(|fd, _| self.numbers().contains(fd));
        all
    }

    fn modes(&self) -> Vec<i32> {
        // SAFETY: no pointers.
        let mode = |fd| unsafe { libc::fcntl(fd, libc::F_GETFL) };
        self.numbers().map(mode).to_vec()
    }

    /// Panics if one is not as it was.
    pub fn check(&mut self, seed: u64) {
        assert_eq!(self.links(), self.links, "seed {seed}");
        assert_eq!(self.modes(), self.modes, "seed {seed}");
        assert_eq!(self.file.stream_position().ok(), Some(PLACE), "seed {seed}");
        self.file.rewind().expect("a file");
        let mut text = Vec::new();
        self.file.read_to_end(&mut text).expect("a file");
        assert_eq!(text, TEXT, "seed {seed}");
        // Nothing came, and nothing was shut.
        let [one, two] = &mut self.pair;
        let read = one.read(&mut [0]);
        let kind = read.err().map(|error| error.kind());
        assert_eq!(kind, Some(std::io::ErrorKind::WouldBlock), "seed {seed}");
        one.write_all(b"x").expect("it is open");
        let mut byte = [0];
        two.read_exact(&mut byte).expect("it is open");
        assert_eq!(&byte, b"x", "seed {seed}");
    }
}
