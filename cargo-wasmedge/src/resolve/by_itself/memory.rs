//! What is remembered of a graph, in one small file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Candidate;
use crate::error::Result;
use crate::fs::{read_optional, write_atomically};
use crate::resolve::std_calls::Call;

/// Graphs that are remembered at most; the oldest are forgotten first.
const MOST: usize = 256;

/// What is remembered of a graph.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    path: PathBuf,
    /// Whether nothing was known of the graph when this was opened.
    pub(super) is_new: bool,
    pub(super) file: File,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    /// Name, version, call, file, line.
    pub(super) candidates: Vec<(String, String, String, String, usize)>,
    /// What the trial was made with.
    pub(super) made_with: String,
    /// Crates that are kept off the facade.
    pub(super) refused: Vec<Refused>,
    /// Crates that do not compile without the facade either.
    pub(super) broken: Vec<String>,
    pub(super) is_tried: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) name: String,
    pub(super) why: String,
    /// The crate that does not compile, if it is another one.
    pub(super) by: Option<String>,
}

impl Memory {
    /// What is remembered in this folder under this name. A file that cannot be read is
    /// forgotten: it costs only time.
    pub(super) fn open(folder: &Path, name: &str) -> Memory {
        let path = folder.join(name).with_extension("json");
        let bytes = read_optional(&path).ok().flatten();
        let file: Option<File> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if file.is_none() {
            forget_oldest(folder);
        }
        Memory {
            path,
            is_new: file.is_none(),
            file: file.unwrap_or_default(),
        }
    }

    pub(super) fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(&self.file);
        let bytes = bytes.context("cannot write what is known of the std facade")?;
        Ok(write_atomically(&self.path, &bytes)?)
    }

    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let candidates = self.file.candidates.iter();
        let candidates = candidates.filter_map(|(name, version, what, file, line)| {
            Some(Candidate {
                name: name.clone(),
                version: version.clone(),
                call: Call::of(what, file.clone(), *line)?,
            })
        });
        candidates.collect()
    }
}

fn forget_oldest(folder: &Path) {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.map(|entry| entry.path()).collect();
    if entries.len() < MOST {
        return;
    }
    let changed = |path: &PathBuf| {
        std::fs::metadata(path)
            .and_then(|file| file.modified())
            .ok()
    };
    entries.sort_by_key(changed);
    for path in entries.iter().take(MOST / 2) {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_is_known_once_it_is_saved_and_the_oldest_are_forgotten() {
        let temp = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(temp.path(), "a");
        assert!(memory.is_new);
        memory.file.made_with = "this compiler".to_owned();
        memory.save().unwrap();
        let again = Memory::open(temp.path(), "a");
        assert_eq!(again.file, memory.file);
        assert!(!again.is_new);

        let minutes = |count| std::time::Duration::from_secs(60 * count);
        let now = std::time::SystemTime::now();
        for count in 1..MOST as u64 {
            let path = temp.path().join(format!("{count}.json"));
            let file = std::fs::File::create(path).unwrap();
            file.set_modified(now - minutes(count)).unwrap();
        }
        assert!(Memory::open(temp.path(), "b").is_new);
        let left = temp.path().read_dir().unwrap().count();
        assert_eq!(left, MOST / 2);
        assert!(!Memory::open(temp.path(), "a").is_new);
    }

    #[test]
    fn a_file_that_is_cut_off_is_a_new_graph() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("a.json"), "{\"candidates\":[").unwrap();
        assert!(Memory::open(temp.path(), "a").is_new);
    }
}
