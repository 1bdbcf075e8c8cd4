//! The mirrors of Debian in the machine's own apt configuration. No address of
//! a mirror is written down in this program.

/// The mirrors in lines of `ORIGIN|LABEL|RELEASE|SITE` from `apt-get
/// indextargets`: those known to be Debian's first, then those of unknown
/// origin (a field that is not known is printed as it was asked for). The
/// security archive has another layout of suites.
pub(super) fn of_targets(text: &str) -> Vec<String> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let [origin, label, release, site] = match line.split('|').collect::<Vec<_>>()[..] {
            [origin, label, release, site] => [origin, label, release, site],
            _ => continue,
        };
        let security = label.ends_with("-Security")
            || release.contains("security")
            || site.trim_end_matches('/').ends_with("-security");
        let unset = |field: &str| field.is_empty() || field.starts_with("$(");
        if security || unset(site) || site.starts_with("cdrom:") {
            continue;
        }
        if origin == "Debian" {
            add(&mut known, site);
        } else if unset(origin) {
            add(&mut unknown, site);
        }
    }
    for site in unknown {
        add(&mut known, &site);
    }
    known
}

/// The mirrors in what `apt-get update --print-uris` prints:
/// `'<mirror>/dists/<suite>/InRelease' <file> 0`.
pub(super) fn of_uris(text: &str) -> Vec<String> {
    let lines: String = text
        .lines()
        .filter_map(|line| {
            let uri = line.strip_prefix('\'')?.split('\'').next()?;
            let (site, rest) = uri.split_once("/dists/")?;
            let suite = rest.strip_suffix("/InRelease")?;
            Some(format!("||{suite}|{site}\n"))
        })
        .collect();
    of_targets(&lines)
}

fn add(list: &mut Vec<String>, site: &str) {
    let site = site.trim_end_matches('/');
    if !list.iter().any(|other| other == site) {
        list.push(site.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_known_to_be_debians_come_first() {
        let text = "\
$(ORIGIN)|$(LABEL)|stable|http://unknown.invalid/apt
Debian|Debian|trixie|http://mirror.invalid/debian/
Debian|Debian|trixie-updates|http://mirror.invalid/debian
Debian|Debian-Security|trixie-security|http://mirror.invalid/debian-security
Node Source|Node Source|nodistro|http://node.invalid/node
";
        assert_eq!(
            of_targets(text),
            ["http://mirror.invalid/debian", "http://unknown.invalid/apt"]
        );
    }

    #[test]
    fn mirrors_on_a_machine_without_lists() {
        let text = "\
||trixie|http://mirror.invalid/debian
||trixie-security|http://mirror.invalid/debian-security
$(ORIGIN)|$(LABEL)|sid|mirror+file:/etc/apt/mirrors/debian.list
||trixie|cdrom:[Debian]/
not a line of fields
";
        assert_eq!(
            of_targets(text),
            [
                "http://mirror.invalid/debian",
                "mirror+file:/etc/apt/mirrors/debian.list"
            ]
        );
        assert!(of_targets("").is_empty());
    }

    #[test]
    fn mirrors_of_printed_uris() {
        let text = "\
'http://mirror.invalid/debian/dists/bookworm/InRelease' mirror_InRelease 0 
'http://mirror.invalid/debian/dists/bookworm/main/binary-amd64/Packages.xz' mirror_Packages 0 
'http://mirror.invalid/debian-security/dists/bookworm-security/InRelease' mirror_sec 0 
";
        assert_eq!(of_uris(text), ["http://mirror.invalid/debian"]);
    }
}
