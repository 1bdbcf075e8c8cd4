//! The package files that an installation takes, as apt prints them.

use std::collections::BTreeMap;

use semver::Version;

/// What an installation of some packages takes: them and what they depend on.
#[derive(Debug)]
pub(super) struct Plan(Vec<Deb>);

impl Plan {
    /// Parses what `apt-get -qq --print-uris install` prints for `packages`.
    ///
    /// # Errors
    /// Which line is no package file with a strong hash, or which package is
    /// not among them.
    pub fn parse(printed: &str, packages: &[&str]) -> Result<Plan, String> {
        let debs = printed
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(|line| {
                Deb::parse(line).ok_or_else(|| format!("apt printed no usable file: {line}"))
            })
            .collect::<Result<Vec<Deb>, String>>()?;
        for package in packages {
            if !debs.iter().any(|deb| deb.name == *package) {
                return Err(format!("it has no {package}"));
            }
        }
        Ok(Plan(debs))
    }

    pub fn debs(&self) -> &[Deb] {
        &self.0
    }

    /// Of all files, in bytes.
    pub fn size(&self) -> u64 {
        self.0.iter().map(|deb| deb.size).sum()
    }

    /// The version of a package, without what Debian adds to it.
    pub fn upstream_version(&self, package: &str) -> Option<Version> {
        let deb = self.0.iter().find(|deb| deb.name == package)?;
        let version = deb.version.rsplit(':').next()?;
        let end = version
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(version.len());
        Version::parse(&version[..end]).ok()
    }

    /// Package names and Debian's versions.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let debs = self.0.iter();
        debs.map(|deb| (deb.name.clone(), deb.version.clone()))
            .collect()
    }
}

/// A package file to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deb {
    pub name: String,
    /// Debian's version, such as `1:21.1.8-13`.
    pub version: String,
    /// The file's name in the archive folder.
    pub file: String,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
}

impl Deb {
    /// Parses a line of `apt-get --print-uris install`:
    /// `'<uri>' <name>_<version>_<architecture>.deb <size> SHA256:<hash>`.
    fn parse(line: &str) -> Option<Deb> {
        let (_, rest) = line.strip_prefix('\'')?.split_once("' ")?;
        let mut words = rest.split_whitespace();
        let (file, size, hash) = (words.next()?, words.next()?, words.next()?);
        let mut parts = file.strip_suffix(".deb")?.split('_');
        let (name, version) = (parts.next()?, parts.next()?);
        parts.next()?;
        let sha256 = hash.strip_prefix("SHA256:")?;
        let hex = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex || file.contains('/') || name.is_empty() {
            return None;
        }
        Some(Deb {
            name: name.to_owned(),
            version: version.replace("%3a", ":").replace("%3A", ":"),
            file: file.to_owned(),
            size: size.parse().ok()?,
            sha256: sha256.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_lines() {
        let hash = "ab".repeat(32);
        let line = format!(
            "'http://mirror.invalid/pool/lld_21.1.8-74_amd64.deb' lld_1%3a21.1.8-74_amd64.deb 1234 SHA256:{hash}"
        );
        assert_eq!(
            Deb::parse(&line),
            Some(Deb {
                name: "lld".into(),
                version: "1:21.1.8-74".into(),
                file: "lld_1%3a21.1.8-74_amd64.deb".into(),
                size: 1234,
                sha256: hash.clone(),
            })
        );
        // A weak hash, or none, is not enough.
        assert_eq!(Deb::parse(&line.replace("SHA256:", "MD5Sum:")), None);
        assert_eq!(
            Deb::parse("'http://mirror.invalid/a' a_1_all.deb 1234"),
            None
        );
        assert_eq!(Deb::parse(&line.replace(" lld_", " ../lld_")), None);
    }

    #[test]
    fn versions_without_debians_part() {
        let of = |version: &str| {
            let deb = Deb {
                name: "tool".into(),
                version: version.into(),
                file: String::new(),
                size: 0,
                sha256: String::new(),
            };
            Plan(vec![deb])
                .upstream_version("tool")
                .map(|version| version.to_string())
        };
        assert_eq!(of("0.14.1+dfsg-3.1"), Some("0.14.1".into()));
        assert_eq!(of("0.17.1-1+b1"), Some("0.17.1".into()));
        assert_eq!(of("1:1.97.1+dfsg1-1"), Some("1.97.1".into()));
        assert_eq!(of("21-1"), None);
        assert_eq!(Plan(Vec::new()).upstream_version("tool"), None);
    }

    #[test]
    fn a_plan_has_every_package_that_was_asked_for() {
        let hash = "ab".repeat(32);
        let line = |name: &str, size: u64| {
            format!("'file:/mirror/{name}.deb' {name}_1.2.3-1_all.deb {size} SHA256:{hash}\n")
        };
        let printed = line("tool", 1) + "NOTE: not a file\n" + &line("libtool", 2);
        let plan = Plan::parse(&printed, &["tool"]).unwrap();
        assert_eq!((plan.debs().len(), plan.size()), (2, 3));
        assert_eq!(plan.versions()["libtool"], "1.2.3-1");

        let reason = Plan::parse(&printed, &["tool", "other"]).unwrap_err();
        assert_eq!(reason, "it has no other");
        let weak = printed.replace("SHA256", "MD5Sum");
        let reason = Plan::parse(&weak, &["tool"]).unwrap_err();
        assert!(reason.contains("no usable file"), "{reason}");
    }
}
