//! Files: the folder used is one that the guest may see.

use std::io::{ErrorKind, SeekFrom};

use behaviour::{kind, within, Random, Scratch};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter};

fn scratch(name: &str) -> Scratch {
    Scratch::new(env!("CARGO_TARGET_TMPDIR"), name)
}

#[tokio::test]
async fn written_file_reads_back() {
    within(async {
        let folder = scratch("read-back");
        let path = folder.join("file");
        fs::write(&path, b"some text").await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"some text");
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "some text");
        fs::write(&path, b"new").await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"new");
    })
    .await;
}

#[tokio::test]
async fn missing_file_is_not_found() {
    within(async {
        let folder = scratch("missing");
        let path = folder.join("none");
        assert_eq!(kind(File::open(&path).await), ErrorKind::NotFound);
        assert_eq!(kind(fs::read(&path).await), ErrorKind::NotFound);
        assert_eq!(kind(fs::metadata(&path).await), ErrorKind::NotFound);
        assert_eq!(kind(fs::remove_file(&path).await), ErrorKind::NotFound);
        assert_eq!(kind(fs::read_dir(&path).await), ErrorKind::NotFound);
        let error = File::open(&path).await.unwrap_err();
        assert!(error.to_string().contains("No such file"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn existing_file_is_already_exists() {
    within(async {
        let folder = scratch("exists");
        let path = folder.join("file");
        fs::write(&path, b"").await.unwrap();
        let result = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .await;
        assert_eq!(kind(result), ErrorKind::AlreadyExists);
        assert_eq!(
            kind(fs::create_dir(folder.path()).await),
            ErrorKind::AlreadyExists
        );
    })
    .await;
}

#[tokio::test]
async fn buffered_writes_land_after_flush() {
    within(async {
        let folder = scratch("flush");
        let path = folder.join("file");
        let mut file = File::create(&path).await.unwrap();
        for i in 0..100u32 {
            file.write_all(format!("line {i}\n").as_bytes())
                .await
                .unwrap();
        }
        file.flush().await.unwrap();
        let text = fs::read_to_string(&path).await.unwrap();
        assert_eq!(text.lines().count(), 100);
        assert!(text.ends_with("line 99\n"));
    })
    .await;
}

#[tokio::test]
async fn writes_land_without_flush_when_shut_down() {
    within(async {
        let folder = scratch("shutdown");
        let path = folder.join("file");
        let mut file = BufWriter::new(File::create(&path).await.unwrap());
        file.write_all(b"kept").await.unwrap();
        file.shutdown().await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"kept");
    })
    .await;
}

#[tokio::test]
async fn synced_file_is_complete() {
    within(async {
        let folder = scratch("sync");
        let path = folder.join("file");
        let mut file = File::create(&path).await.unwrap();
        file.write_all(&[5; 10_000]).await.unwrap();
        file.sync_data().await.unwrap();
        file.sync_all().await.unwrap();
        assert_eq!(fs::metadata(&path).await.unwrap().len(), 10_000);
    })
    .await;
}

#[tokio::test]
async fn large_file_goes_through_unchanged() {
    within(async {
        let folder = scratch("large");
        let path = folder.join("file");
        let data = Random::new(12).bytes(5 << 20);
        let mut file = File::create(&path).await.unwrap();
        file.write_all(&data).await.unwrap();
        file.flush().await.unwrap();
        drop(file);
        let mut file = File::open(&path).await.unwrap();
        let mut got = Vec::new();
        file.read_to_end(&mut got).await.unwrap();
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn seeking_moves_reading_and_writing() {
    within(async {
        let folder = scratch("seek");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(folder.join("file"))
            .await
            .unwrap();
        file.write_all(b"0123456789").await.unwrap();
        assert_eq!(file.seek(SeekFrom::Start(3)).await.unwrap(), 3);
        let mut got = [0; 2];
        file.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"34");
        assert_eq!(file.seek(SeekFrom::Current(-1)).await.unwrap(), 4);
        file.write_all(b"X").await.unwrap();
        file.flush().await.unwrap();
        assert_eq!(file.seek(SeekFrom::End(-2)).await.unwrap(), 8);
        file.rewind().await.unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "0123X56789");
    })
    .await;
}

#[tokio::test]
async fn appending_keeps_what_was_there() {
    within(async {
        let folder = scratch("append");
        let path = folder.join("file");
        for part in ["a", "b", "c"] {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(&path)
                .await
                .unwrap();
            file.write_all(part.as_bytes()).await.unwrap();
            file.flush().await.unwrap();
        }
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "abc");
    })
    .await;
}

#[tokio::test]
async fn set_len_cuts_and_extends() {
    within(async {
        let folder = scratch("set-len");
        let path = folder.join("file");
        let mut file = File::create(&path).await.unwrap();
        file.write_all(b"0123456789").await.unwrap();
        file.flush().await.unwrap();
        file.set_len(4).await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"0123");
        file.set_len(6).await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"0123\0\0");
    })
    .await;
}

#[tokio::test]
async fn metadata_tells_files_from_folders() {
    within(async {
        let folder = scratch("metadata");
        let path = folder.join("file");
        fs::write(&path, b"12345").await.unwrap();
        let file = fs::metadata(&path).await.unwrap();
        assert!(file.is_file());
        assert_eq!(file.len(), 5);
        assert!(fs::metadata(folder.path()).await.unwrap().is_dir());
        let open = File::open(&path).await.unwrap();
        assert_eq!(open.metadata().await.unwrap().len(), 5);
        let now = std::time::SystemTime::now();
        let age = now.duration_since(file.modified().unwrap());
        assert!(age.map_or(true, |age| age.as_secs() < 60));
    })
    .await;
}

#[tokio::test]
async fn folder_is_listed() {
    within(async {
        let folder = scratch("list");
        for name in ["b", "a", "c"] {
            fs::write(folder.join(name), name).await.unwrap();
        }
        fs::create_dir(folder.join("sub")).await.unwrap();
        let mut entries = fs::read_dir(folder.path()).await.unwrap();
        let mut seen = Vec::new();
        while let Some(entry) = entries.next_entry().await.unwrap() {
            let kind = entry.file_type().await.unwrap();
            seen.push((entry.file_name().into_string().unwrap(), kind.is_dir()));
        }
        seen.sort();
        let expected = [("a", false), ("b", false), ("c", false), ("sub", true)];
        assert_eq!(seen, expected.map(|(name, dir)| (name.to_owned(), dir)));
    })
    .await;
}

#[tokio::test]
async fn folder_of_many_files_is_listed_in_full() {
    within(async {
        let folder = scratch("list-many");
        for i in 0..150 {
            fs::write(folder.join(&format!("file-with-a-long-name-{i:04}")), b"")
                .await
                .unwrap();
        }
        let mut entries = fs::read_dir(folder.path()).await.unwrap();
        let mut seen = std::collections::HashSet::new();
        while let Some(entry) = entries.next_entry().await.unwrap() {
            seen.insert(entry.file_name());
        }
        assert_eq!(seen.len(), 150);
    })
    .await;
}

#[tokio::test]
async fn folders_are_made_and_removed() {
    within(async {
        let folder = scratch("folders");
        let deep = folder.join("a/b/c");
        fs::create_dir_all(&deep).await.unwrap();
        fs::write(deep.join("file"), b"x").await.unwrap();
        assert!(fs::remove_dir(folder.join("a")).await.is_err());
        fs::remove_dir_all(folder.join("a")).await.unwrap();
        assert!(!fs::try_exists(folder.join("a")).await.unwrap());
        fs::create_dir(folder.join("d")).await.unwrap();
        fs::remove_dir(folder.join("d")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn files_are_copied_renamed_and_removed() {
    within(async {
        let folder = scratch("rename");
        let (a, b, c) = (folder.join("a"), folder.join("b"), folder.join("c"));
        fs::write(&a, b"content").await.unwrap();
        assert_eq!(fs::copy(&a, &b).await.unwrap(), 7);
        fs::rename(&b, &c).await.unwrap();
        assert!(!fs::try_exists(&b).await.unwrap());
        assert_eq!(fs::read(&c).await.unwrap(), b"content");
        fs::remove_file(&a).await.unwrap();
        assert!(!fs::try_exists(&a).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn lines_of_a_file_are_read() {
    within(async {
        let folder = scratch("lines");
        let path = folder.join("file");
        fs::write(&path, "one\ntwo\nthree").await.unwrap();
        let mut lines = BufReader::new(File::open(&path).await.unwrap()).lines();
        let mut got = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            got.push(line);
        }
        assert_eq!(got, ["one", "two", "three"]);
    })
    .await;
}

#[tokio::test]
async fn files_are_used_side_by_side() {
    within(async {
        let folder = scratch("parallel");
        let writes: Vec<_> = (0..20u8)
            .map(|i| {
                let path = folder.join(&i.to_string());
                tokio::spawn(async move {
                    fs::write(&path, vec![i; 1000]).await.unwrap();
                    fs::read(&path).await.unwrap()
                })
            })
            .collect();
        for (i, write) in writes.into_iter().enumerate() {
            assert_eq!(write.await.unwrap(), vec![i as u8; 1000]);
        }
    })
    .await;
}

#[tokio::test]
async fn file_is_sent_over_a_connection() {
    within(async {
        let folder = scratch("send");
        let path = folder.join("file");
        let data = Random::new(13).bytes(400_000);
        fs::write(&path, &data).await.unwrap();
        let (mut near, mut far) = behaviour::tcp_pair().await;
        let sender = tokio::spawn(async move {
            let mut file = File::open(&path).await.unwrap();
            tokio::io::copy(&mut file, &mut near).await.unwrap()
        });
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(sender.await.unwrap(), 400_000);
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn reading_a_folder_as_a_file_is_an_error() {
    within(async {
        let folder = scratch("folder-as-file");
        assert!(fs::read(folder.path()).await.is_err());
        assert!(File::create(folder.path()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn errors_of_files_have_the_native_kinds() {
    within(async {
        let folder = scratch("kinds");
        let (full, file) = (folder.join("full"), folder.join("full/file"));
        fs::create_dir(&full).await.unwrap();
        fs::write(&file, b"").await.unwrap();
        assert_eq!(
            kind(fs::remove_dir(&full).await),
            ErrorKind::DirectoryNotEmpty
        );
        let other = folder.join("other");
        fs::create_dir(&other).await.unwrap();
        assert_eq!(
            kind(fs::rename(&other, &full).await),
            ErrorKind::DirectoryNotEmpty
        );
        assert_eq!(kind(fs::remove_dir(&file).await), ErrorKind::NotADirectory);
        assert_eq!(
            kind(File::open(file.join("below")).await),
            ErrorKind::NotADirectory
        );
        assert_eq!(kind(fs::read_dir(&file).await), ErrorKind::NotADirectory);
        assert_eq!(kind(fs::read(&full).await), ErrorKind::IsADirectory);
        assert_eq!(kind(fs::write(&full, b"").await), ErrorKind::IsADirectory);
        let into_itself = fs::rename(&full, full.join("itself")).await;
        assert_eq!(kind(into_itself), ErrorKind::InvalidInput);
        let long = folder.join(&"x".repeat(300));
        assert_eq!(kind(File::open(long).await), ErrorKind::InvalidFilename);
        let error = fs::remove_dir(&full).await.unwrap_err();
        assert!(
            error.to_string().starts_with("Directory not empty"),
            "{error}"
        );
    })
    .await;
}

/// Natively the kernel refuses it, under WasmEdge the folder is opened read-only.
#[tokio::test]
async fn writing_where_it_is_not_allowed_is_permission_denied() {
    within(async {
        let file = "/proc/sys/kernel/random/boot_id";
        if fs::metadata(file).await.is_ok() {
            assert_eq!(
                kind(fs::write(file, b"x").await),
                ErrorKind::PermissionDenied
            );
        }
    })
    .await;
}

#[tokio::test]
async fn file_moves_through_std() {
    within(async {
        let folder = scratch("std");
        let path = folder.join("file");
        let mut file = File::create(&path).await.unwrap();
        file.write_all(b"tokio,").await.unwrap();
        let mut std = file.into_std().await;
        std::io::Write::write_all(&mut std, b"std,").unwrap();
        let mut file = File::from_std(std);
        file.write_all(b"tokio").await.unwrap();
        file.flush().await.unwrap();
        assert_eq!(fs::read(&path).await.unwrap(), b"tokio,std,tokio");
    })
    .await;
}
