//! What is left to do once everything is made: the commands that publish it. Nothing here
//! carries them out.

use std::path::Path;

use cargo_wasmedge::shell::quoted;
use semver::Version;

use crate::branches;
use crate::versions::PACKAGE;

/// The commands, one a line.
pub fn commands(version: &Version, commit: &str, out: &Path, branches: &[String]) -> String {
    let folder = quoted(&out.to_string_lossy());
    let tag = format!("v{version}");
    let mut lines = vec![
        format!("git tag --annotate {tag} --message {PACKAGE}-{version} {commit}"),
        format!("git push origin {tag}"),
    ];
    // A branch begins anew with each release: who names an older state finds it by the tag.
    let refs: Vec<String> = branches
        .iter()
        .flat_map(|branch| {
            [
                format!("+refs/heads/{branch}"),
                format!("refs/tags/{}", branches::tag(&tag, branch)),
            ]
        })
        .collect();
    if !refs.is_empty() {
        lines.push(format!(
            "git -C {folder}/{} push $(git remote get-url origin) {}",
            branches::REPOSITORY,
            refs.join(" ")
        ));
    }
    lines.push(format!("cargo publish --locked --package {PACKAGE}"));
    lines.push(format!(
        "gh release create {tag} --notes-file {folder}/NOTES.md {folder}/*.tar.gz {folder}/SHA256SUMS"
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_pushed_with_a_tag_that_keeps_them() {
        let version = Version::new(0, 2, 0);
        let branches = ["tokio-1.54".to_owned()];
        let said = commands(&version, "abc", Path::new("/out"), &branches);
        assert!(said.contains("git tag --annotate v0.2.0"), "{said}");
        assert!(
            said.contains("+refs/heads/tokio-1.54 refs/tags/v0.2.0-tokio-1.54"),
            "{said}"
        );
        assert!(!commands(&version, "abc", Path::new("/out"), &[]).contains("-C"));
    }
}
