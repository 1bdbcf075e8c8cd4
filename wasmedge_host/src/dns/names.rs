//! Which names a name may stand for.

use super::config::Config;
use std::io;

/// Splits `host:port`.
///
/// # Errors
///
/// `InvalidInput` in std's words.
pub fn split_port(host_port: &str) -> io::Result<(&str, u16)> {
    let invalid = |message: &'static str| io::Error::new(io::ErrorKind::InvalidInput, message);
    let (host, port) = host_port
        .rsplit_once(':')
        .ok_or_else(|| invalid("invalid socket address"))?;
    let port = port.parse().map_err(|_| invalid("invalid port value"))?;
    Ok((host, port))
}

/// What the wire format has room for, without the final dot.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// The names to ask for, one after the other until one exists.
///
/// A name that ends in a dot is complete. Others are tried in the domains of
/// the search list, too: after the name itself if it has dots enough, else
/// before it.
pub(super) fn candidates(name: &str, config: &Config) -> Vec<String> {
    if let Some(complete) = name.strip_suffix('.') {
        return Vec::from_iter(valid(complete).then(|| complete.to_owned()));
    }
    let dots = name.bytes().filter(|&byte| byte == b'.').count();
    let as_is_first = dots >= usize::from(config.ndots);
    let searched = config
        .search
        .iter()
        .map(|domain| format!("{name}.{domain}"));
    let mut names = Vec::from_iter(searched);
    names.insert(if as_is_first { 0 } else { names.len() }, name.to_owned());
    names.retain(|name| valid(name));
    names
}

/// Whether the wire format can hold it.
pub fn valid(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name
            .split('.')
            .all(|label| (1..=LONGEST_LABEL).contains(&label.len()))
}

/// Whether the C library would read it as an address in one of the old forms
/// (`127.1`, `0x7f000001`), or as one with a scope (`fe80::1%eth0`).
pub(super) fn is_numeric(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let numeric = match hex {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    numeric || name.contains([':', '%'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, ndots: u8) -> Vec<String> {
        let mut config = Config::parse("", "search a.example b.example");
        config.ndots = ndots;
        candidates(name, &config)
    }

    #[test]
    fn the_search_list_comes_first_for_short_names() {
        assert_eq!(asked("db", 1), ["db.a.example", "db.b.example", "db"]);
        assert_eq!(
            asked("db.x", 1),
            ["db.x", "db.x.a.example", "db.x.b.example"]
        );
        assert_eq!(
            asked("db.x", 2),
            ["db.x.a.example", "db.x.b.example", "db.x"]
        );
        assert_eq!(asked("db.", 1), ["db"]);
    }

    #[test]
    fn what_the_wire_has_no_room_for_is_not_asked() {
        let label = "x".repeat(64);
        for name in [".", "", "a..b", &label, &"x.".repeat(127).repeat(2)] {
            assert_eq!(asked(name, 1), [""; 0], "{name}");
        }
        // With a domain behind it the name is too long.
        let long = format!("{}y", "x.".repeat(125));
        assert_eq!(asked(&long, 1), [long]);
    }

    #[test]
    fn old_forms_of_addresses_are_told_apart_from_names() {
        for text in ["127.1", "1", "0x7f000001", "10.0X1", "fe80::1%eth0", "::1"] {
            assert!(is_numeric(text), "{text}");
        }
        for text in ["a1", "1a", "1.a", "x.1x", "", "a.", "0xg"] {
            assert!(!is_numeric(text), "{text}");
        }
    }
}
