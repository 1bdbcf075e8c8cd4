//! `/etc/hosts` and `/etc/resolv.conf`.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

const DNS_PORT: u16 = 53;

/// What the C library takes of each list, and its values where a file says
/// nothing (resolv.conf(5)).
const MOST_SERVERS: usize = 3;
const MOST_NDOTS: u8 = 15;
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);
const MOST_ATTEMPTS: u32 = 5;

/// Where names are looked up, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The lines of `/etc/hosts`: an address and its names, in lower case.
    pub hosts: Vec<(IpAddr, Vec<String>)>,
    /// Whom to ask, in this order.
    pub servers: Vec<SocketAddr>,
    /// Domains to try a short name in.
    pub search: Vec<String>,
    /// A name with at least so many dots is tried as it is first.
    pub ndots: u8,
    /// How long a server has to answer.
    pub timeout: Duration,
    /// How often all servers are asked.
    pub attempts: u32,
    /// Ask over TCP at once.
    pub tcp_only: bool,
}

impl Config {
    /// Reads the texts of the two files as the C library does: what it does not
    /// know, it passes over.
    pub fn parse(hosts: &str, resolv_conf: &str) -> Config {
        let mut config = Config {
            hosts: hosts.lines().filter_map(host_line).collect(),
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            tcp_only: false,
        };
        for line in resolv_conf.lines() {
            // A comment has its sign in the first column, or a word of its own.
            let mut words = line
                .split_whitespace()
                .take_while(|word| !word.starts_with(['#', ';']));
            match words.next() {
                Some("nameserver") => config.servers.extend(words.next().and_then(server)),
                // Of several such lines the last one counts.
                Some("search") => config.search = words.map(domain).collect(),
                Some("domain") => config.search = words.next().map(domain).into_iter().collect(),
                Some("options") => words.for_each(|option| config.option(option)),
                _ => {}
            }
        }
        config.servers.truncate(MOST_SERVERS);
        if config.servers.is_empty() {
            config
                .servers
                .push(SocketAddr::from(([127, 0, 0, 1], DNS_PORT)));
        }
        config.search.retain(|domain| !domain.is_empty());
        config
    }

    fn option(&mut self, option: &str) {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        match (name, value.parse::<u32>()) {
            ("ndots", Ok(n)) => {
                self.ndots = u8::try_from(n).map_or(MOST_NDOTS, |n| n.min(MOST_NDOTS));
            }
            ("timeout", Ok(n)) if n > 0 => {
                self.timeout = Duration::from_secs(n.into()).min(LONGEST_TIMEOUT);
            }
            ("attempts", Ok(n)) if n > 0 => self.attempts = n.min(MOST_ATTEMPTS),
            ("use-vc", _) => self.tcp_only = true,
            _ => {}
        }
    }

    /// The addresses that `/etc/hosts` has for a name.
    pub fn in_hosts(&self, name: &str) -> Vec<IpAddr> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let mut found = Vec::new();
        for (addr, names) in &self.hosts {
            if names.contains(&name) && !found.contains(addr) {
                found.push(*addr);
            }
        }
        found
    }
}

fn host_line(line: &str) -> Option<(IpAddr, Vec<String>)> {
    let line = line.split('#').next().unwrap_or("");
    let mut words = line.split_whitespace();
    let addr = words.next()?.parse().ok()?;
    Some((addr, words.map(str::to_ascii_lowercase).collect()))
}

/// A server's address. `fe80::1%eth0` is passed over: the host knows no scopes.
fn server(word: &str) -> Option<SocketAddr> {
    // With a port, for tests: what the C library would pass over.
    word.parse()
        .or_else(|_| word.parse().map(|ip: IpAddr| SocketAddr::new(ip, DNS_PORT)))
        .ok()
}

fn domain(word: &str) -> String {
    word.trim_matches('.').to_owned()
}

/// The program's configuration, read at its first lookup; `None` where the
/// program sees no `/etc/resolv.conf`.
pub fn config() -> Option<&'static Config> {
    static CONFIG: OnceLock<Option<Config>> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            let read = |name: &str| fs::read(Path::new("/etc").join(name));
            let resolv_conf = read("resolv.conf").ok()?;
            let hosts = read("hosts").unwrap_or_default();
            Some(Config::parse(
                &String::from_utf8_lossy(&hosts),
                &String::from_utf8_lossy(&resolv_conf),
            ))
        })
        .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_files_say() {
        let config = Config::parse(
            "127.0.0.1 localhost Loop # v4\n::1\tlocalhost\n\n# x\nnonsense here\n10.0.0.1\n",
            "# c\nnameserver 10.1.2.3 ; c\nnameserver fd00::1\nnameserver fe80::1%eth0\n\
             domain old.example\nsearch a.example. b.example\n\
             options ndots:3 timeout:7 attempts:99 rotate use-vc unknown:1\n",
        );
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(config.in_hosts("LOCALHOST."), [ip("127.0.0.1"), ip("::1")]);
        assert_eq!(config.in_hosts("loop"), [ip("127.0.0.1")]);
        assert!(config.in_hosts("here").is_empty());
        assert_eq!(
            config.servers,
            [
                "10.1.2.3:53".parse().unwrap(),
                "[fd00::1]:53".parse().unwrap()
            ]
        );
        assert_eq!(config.search, ["a.example", "b.example"]);
        assert_eq!((config.ndots, config.attempts), (3, 5));
        assert_eq!(config.timeout, Duration::from_secs(7));
        assert!(config.tcp_only);
    }

    #[test]
    fn empty_files_mean_what_the_c_library_makes_of_them() {
        let config = Config::parse("", "");
        assert_eq!(config.servers, ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!((config.ndots, config.attempts), (1, 2));
        assert_eq!(config.timeout, Duration::from_secs(5));
        assert!(!config.tcp_only && config.search.is_empty() && config.hosts.is_empty());
    }

    #[test]
    fn values_out_of_range_are_cut() {
        let config = Config::parse("", "options ndots:99999 timeout:99 attempts:0 timeout:0");
        assert_eq!((config.ndots, config.attempts), (15, 2));
        assert_eq!(config.timeout, Duration::from_secs(30));
        let many = "nameserver 1.1.1.1\n".repeat(9);
        assert_eq!(Config::parse("", &many).servers.len(), 3);
    }
}
