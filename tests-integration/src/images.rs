//! buildah, with images in a folder of the test's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::guard::Guard;
use crate::limits::LIMIT;

/// Images that are deleted with this. The user's own are left alone.
pub struct Images(TempDir);

impl Images {
    /// None yet.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn new() -> Result<Images> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        let text = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            at("graph"),
            at("run")
        );
        fs::write(folder.path().join("storage.conf"), text)?;
        Ok(Images(folder))
    }

    /// The folder, in which there is room for others' files.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Has buildah, called by `command`, keep its images here.
    pub fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(
            "CONTAINERS_STORAGE_CONF",
            self.0.path().join("storage.conf"),
        )
    }

    fn buildah(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new("buildah");
        self.tell(&mut command)
            .args(args)
            .current_dir(self.0.path());
        Ok(Guard::run(command, LIMIT)?.successful()?.stdout)
    }

    /// What the image says, by `buildah inspect`, and a folder with its files.
    ///
    /// # Errors
    /// When there is no such image.
    pub fn unpacked(&self, name: &str) -> Result<(Value, PathBuf)> {
        let said = serde_json::from_str(&self.buildah(&["inspect", "--type", "image", name])?)?;
        let (pushed, root) = (self.0.path().join("pushed"), self.0.path().join("root"));
        self.buildah(&["push", name, "dir:pushed"])?;
        let manifest: Value = serde_json::from_slice(&fs::read(pushed.join("manifest.json"))?)?;
        fs::create_dir(&root)?;
        for layer in manifest["layers"].as_array().context("no layers")? {
            let digest = layer["digest"].as_str().context("no digest")?;
            let file = digest.strip_prefix("sha256:").context("another digest")?;
            let mut unpack = Command::new("tar");
            unpack
                .arg("-xf")
                .arg(pushed.join(file))
                .arg("-C")
                .arg(&root);
            unpack.arg("--same-permissions");
            Guard::run(unpack, LIMIT)?.successful()?;
        }
        Ok((said, root))
    }
}
