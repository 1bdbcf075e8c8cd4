//! A name's lookup from its first question to its addresses.

use super::config::Config;
use super::exchange::Exchange;
use super::message::Answer;
use super::names;
use crate::Errno;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How a name is to be looked up.
#[derive(Debug)]
pub enum Plan {
    /// It is known without asking anyone.
    Known(Vec<IpAddr>),
    /// There cannot be such a name.
    Failed(Errno),
    /// Ask name servers.
    Ask(Lookup),
    /// Ask the host: an address in an old form, which it reads without asking
    /// anyone, or there is no configuration here.
    Host,
}

/// How to look `name` up, which is not an address in the usual form.
pub fn plan(name: &str, config: Option<&'static Config>) -> Plan {
    let Some(config) = config else {
        return Plan::Host;
    };
    if names::is_numeric(name) {
        return Plan::Host;
    }
    let known = config.in_hosts(name);
    if !known.is_empty() {
        return Plan::Known(known);
    }
    if is_localhost(name) {
        // RFC 6761: no server is asked for it.
        return Plan::Known(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]);
    }
    let candidates = names::candidates(name, config);
    if candidates.is_empty() {
        return Plan::Failed(Errno::NO_NAME);
    }
    Plan::Ask(Lookup {
        config,
        candidates: candidates.into_iter(),
        current: None,
        tries: 0,
        tcp: config.tcp_only,
        failure: Errno::NO_NAME,
    })
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("localhost")
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Do this exchange, then hand it to [`Lookup::exchanged`], also if it
    /// failed or ran out of time.
    Exchange(Exchange),
    /// The name has these addresses, in no order yet.
    Found(Vec<IpAddr>),
    /// It has none.
    Failed(Errno),
}

/// A lookup under way.
#[derive(Debug)]
pub struct Lookup {
    config: &'static Config,
    candidates: std::vec::IntoIter<String>,
    /// The candidate being asked for.
    current: Option<String>,
    /// How many exchanges it has had.
    tries: usize,
    /// The next exchange goes over TCP.
    tcp: bool,
    /// What to say if no candidate has addresses: what the most telling of
    /// them said.
    failure: Errno,
}

impl Lookup {
    /// The first thing to do.
    pub fn start(&mut self) -> Step {
        self.next_candidate()
    }

    /// What to do after an exchange.
    pub fn exchanged(&mut self, exchange: Exchange) -> Step {
        let was_tcp = exchange.is_tcp();
        let answers = exchange.into_answers();
        if !was_tcp && answers.contains(&Some(Answer::Truncated)) {
            // The same server once more.
            self.tcp = true;
            return self.exchange();
        }
        let mut found = Vec::new();
        let (mut exists, mut no_such_name) = (false, false);
        for answer in &answers {
            match answer {
                Some(Answer::Addresses(addrs)) => {
                    exists = true;
                    found.extend_from_slice(addrs);
                }
                Some(Answer::NoSuchName) => no_such_name = true,
                Some(Answer::Truncated | Answer::Failed) | None => {}
            }
        }
        let complete = answers
            .iter()
            .all(|answer| matches!(answer, Some(Answer::Addresses(_) | Answer::NoSuchName)));
        // A server that fails at one family of a name is not asked again.
        let answered = answers.iter().all(Option::is_some);
        if !found.is_empty() && (answered || self.was_last_try()) {
            return Step::Found(found);
        }
        if complete || (no_such_name && !exists) {
            if exists {
                self.failure = Errno::NO_DATA;
            }
            return self.next_candidate();
        }
        if self.was_last_try() {
            // Whether the name exists is not known. The C library looks no
            // further either.
            return Step::Failed(Errno::TRY_AGAIN);
        }
        self.tries += 1;
        self.tcp = self.config.tcp_only;
        self.exchange()
    }

    fn was_last_try(&self) -> bool {
        self.tries + 1 >= self.config.servers.len() * self.config.attempts as usize
    }

    fn next_candidate(&mut self) -> Step {
        self.current = self.candidates.next();
        self.tries = 0;
        self.tcp = self.config.tcp_only;
        self.exchange()
    }

    fn exchange(&mut self) -> Step {
        let Some(name) = &self.current else {
            return Step::Failed(self.failure);
        };
        let servers = &self.config.servers;
        // Without a server nobody can say whether the name exists.
        let Some(at) = self.tries.checked_rem(servers.len()) else {
            return Step::Failed(Errno::TRY_AGAIN);
        };
        let server = servers[at];
        match Exchange::new(name, server, self.config.timeout, self.tcp) {
            Some(exchange) => Step::Exchange(exchange),
            // What the wire cannot carry is no name.
            None => self.next_candidate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::rdata::{RData, A, AAAA, CNAME};
    use simple_dns::{Name, Packet, PacketFlag, ResourceRecord, CLASS, QTYPE, RCODE, TYPE};

    fn config(resolv_conf: &str) -> &'static Config {
        let hosts = "192.0.2.50 in-hosts.example in-hosts\n::50 in-hosts\n";
        Box::leak(Box::new(Config::parse(hosts, resolv_conf)))
    }

    const TWO_SERVERS: &str = "nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch s.example";

    /// What a server of the test does with a question.
    #[derive(Clone, Copy)]
    enum Reply {
        /// These addresses, where they are of the family asked for.
        Addresses(&'static [&'static str]),
        /// An alias of a name that has an address of either family.
        Alias,
        Code(RCODE),
        Truncated,
        Silence,
        Garbage,
        /// An answer to another question, then the right one.
        StrangerFirst,
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn records<'a>(name: &Name<'a>, v4: bool, addrs: &[&str]) -> Vec<ResourceRecord<'a>> {
        let rdata = |addr: &&str| match ip(addr) {
            IpAddr::V4(addr) if v4 => Some(RData::A(A {
                address: addr.into(),
            })),
            IpAddr::V6(addr) if !v4 => Some(RData::AAAA(AAAA {
                address: addr.into(),
            })),
            _ => None,
        };
        addrs
            .iter()
            .filter_map(rdata)
            .map(|rdata| ResourceRecord::new(name.clone(), CLASS::IN, 60, rdata))
            .collect()
    }

    /// The messages that come back to one question.
    fn replies(question: &[u8], reply: Reply) -> Vec<Vec<u8>> {
        let packet = Packet::parse(question).unwrap();
        assert!(packet.has_flags(PacketFlag::RECURSION_DESIRED));
        let asked = packet.questions[0].clone();
        let v4 = asked.qtype == QTYPE::TYPE(TYPE::A);
        let mut answer = packet.into_reply();
        let mut stranger = None;
        match reply {
            Reply::Silence => return Vec::new(),
            Reply::Garbage => return vec![vec![], vec![0xff; 40], question.to_vec()],
            Reply::Addresses(addrs) => answer.answers = records(&asked.qname, v4, addrs),
            Reply::Alias => {
                let (middle, last) = (Name::new_unchecked("Mid.x"), Name::new_unchecked("end.x"));
                // The chain in the wrong order, and a circle behind it.
                answer.answers = records(&last, v4, &["192.0.2.9", "2001:db8::9"]);
                answer.answers.extend(records(
                    &Name::new_unchecked("other.x"),
                    v4,
                    &["192.0.2.66", "::66"],
                ));
                for (from, to) in [
                    (&middle, &last),
                    (&asked.qname, &Name::new_unchecked("mid.X")),
                    (&last, &asked.qname),
                ] {
                    let alias = RData::CNAME(CNAME(to.clone()));
                    answer
                        .answers
                        .push(ResourceRecord::new(from.clone(), CLASS::IN, 60, alias));
                }
            }
            Reply::Code(code) => *answer.rcode_mut() = code,
            Reply::Truncated => answer.set_flags(PacketFlag::TRUNCATION),
            Reply::StrangerFirst => {
                let mut other = Packet::new_reply(answer.id() ^ 0x100);
                other.questions = answer.questions.clone();
                other.answers = records(&asked.qname, v4, &["192.0.2.66", "::66"]);
                stranger = Some(other.build_bytes_vec().unwrap());
                answer.answers = records(&asked.qname, v4, &["192.0.2.1"]);
            }
        }
        let mut messages = Vec::from_iter(stranger);
        messages.push(answer.build_bytes_vec_compressed().unwrap());
        messages
    }

    /// Looks `name` up with servers that do what `server` says; also returns who
    /// was asked for what.
    fn run(
        name: &str,
        config: &'static Config,
        server: impl Fn(&Exchange) -> Reply,
    ) -> (Result<Vec<IpAddr>, Errno>, Vec<String>) {
        let Plan::Ask(mut lookup) = plan(name, Some(config)) else {
            panic!("{name} is not asked for");
        };
        let mut log = Vec::new();
        let mut step = lookup.start();
        let result = loop {
            assert!(log.len() < 100, "without end: {log:?}");
            match step {
                Step::Found(addrs) => break Ok(addrs),
                Step::Failed(errno) => break Err(errno),
                Step::Exchange(mut exchange) => {
                    let over = if exchange.is_tcp() { "tcp" } else { "udp" };
                    log.push(format!(
                        "{over} {} {}",
                        exchange.server().ip(),
                        exchange.name
                    ));
                    let reply = server(&exchange);
                    let messages: Vec<_> = exchange
                        .datagrams()
                        .flat_map(|question| replies(question, reply))
                        .collect();
                    if exchange.is_tcp() {
                        // Byte by byte, as a stream may come.
                        let mut received = Vec::new();
                        for message in messages {
                            let len = u16::try_from(message.len()).unwrap().to_be_bytes();
                            for byte in len.into_iter().chain(message) {
                                received.push(byte);
                                exchange.received_stream(&mut received);
                            }
                        }
                        assert!(received.is_empty());
                    } else {
                        for message in messages {
                            exchange.received(&message);
                        }
                    }
                    step = lookup.exchanged(exchange);
                }
            }
        };
        (result, log)
    }

    #[test]
    fn both_families_are_found() {
        let both = Reply::Addresses(&["192.0.2.1", "2001:db8::1", "192.0.2.2"]);
        let (found, log) = run("db.example", config(TWO_SERVERS), |_| both);
        assert_eq!(
            found.unwrap(),
            [ip("192.0.2.1"), ip("192.0.2.2"), ip("2001:db8::1")]
        );
        assert_eq!(log, ["udp 10.0.0.1 db.example"]);
    }

    #[test]
    fn aliases_are_followed_and_strangers_left_out() {
        let (found, _) = run("db.example", config(TWO_SERVERS), |_| Reply::Alias);
        assert_eq!(found.unwrap(), [ip("192.0.2.9"), ip("2001:db8::9")]);
        let (found, _) = run("db.example", config(TWO_SERVERS), |_| Reply::StrangerFirst);
        assert_eq!(found.unwrap(), [ip("192.0.2.1")]);
    }

    #[test]
    fn a_name_that_does_not_exist_is_tried_in_the_search_list() {
        let (found, log) = run("db.example", config(TWO_SERVERS), |_| {
            Reply::Code(RCODE::NameError)
        });
        assert_eq!(found, Err(Errno::NO_NAME));
        assert_eq!(
            log,
            [
                "udp 10.0.0.1 db.example",
                "udp 10.0.0.1 db.example.s.example"
            ]
        );
        let (found, log) = run("db", config(TWO_SERVERS), |exchange| {
            match exchange.name.as_str() {
                "db" => Reply::Addresses(&["192.0.2.1"]),
                _ => Reply::Code(RCODE::NameError),
            }
        });
        assert_eq!(found.unwrap(), [ip("192.0.2.1")]);
        assert_eq!(log, ["udp 10.0.0.1 db.s.example", "udp 10.0.0.1 db"]);
    }

    #[test]
    fn a_name_without_addresses_is_told_apart() {
        let (found, _) = run("db.example", config(TWO_SERVERS), |exchange| match exchange
            .name
            .as_str()
        {
            "db.example" => Reply::Addresses(&[]),
            _ => Reply::Code(RCODE::NameError),
        });
        assert_eq!(found, Err(Errno::NO_DATA));
    }

    #[test]
    fn a_truncated_answer_is_fetched_over_tcp() {
        let (found, log) = run("db.example", config(TWO_SERVERS), |exchange| {
            if exchange.is_tcp() {
                Reply::Addresses(&["192.0.2.1", "::2"])
            } else {
                Reply::Truncated
            }
        });
        assert_eq!(found.unwrap(), [ip("192.0.2.1"), ip("::2")]);
        assert_eq!(log, ["udp 10.0.0.1 db.example", "tcp 10.0.0.1 db.example"]);
        let tcp = config("nameserver 10.0.0.1\noptions use-vc");
        let (_, log) = run("x.y", tcp, |_| Reply::Addresses(&["192.0.2.1"]));
        assert_eq!(log, ["tcp 10.0.0.1 x.y"]);
    }

    #[test]
    fn each_server_is_asked_as_often_as_configured() {
        for reply in [
            Reply::Silence,
            Reply::Garbage,
            Reply::Code(RCODE::ServerFailure),
            Reply::Code(RCODE::Refused),
        ] {
            let (found, log) = run("db.example", config(TWO_SERVERS), |_| reply);
            assert_eq!(found, Err(Errno::TRY_AGAIN));
            let asked = ["udp 10.0.0.1 db.example", "udp 10.0.0.2 db.example"];
            assert_eq!(log, asked.repeat(2));
        }
        let (found, log) = run("db.example", config(TWO_SERVERS), |exchange| {
            if exchange.server().ip() == ip("10.0.0.2") {
                Reply::Addresses(&["192.0.2.1"])
            } else {
                Reply::Silence
            }
        });
        assert_eq!(found.unwrap(), [ip("192.0.2.1")]);
        assert_eq!(log.len(), 2);
    }

    #[test]
    fn without_a_server_nobody_can_say() {
        let mut without = config(TWO_SERVERS).clone();
        without.servers.clear();
        let without = Box::leak(Box::new(without));
        let Plan::Ask(mut lookup) = plan("name.example", Some(without)) else {
            panic!("a name that has to be asked for");
        };
        assert!(matches!(lookup.start(), Step::Failed(Errno::TRY_AGAIN)));
    }

    #[test]
    fn what_is_known_is_not_asked() {
        let config = config(TWO_SERVERS);
        let known = |name| match plan(name, Some(config)) {
            Plan::Known(addrs) => addrs,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(known("In-Hosts"), [ip("192.0.2.50"), ip("::50")]);
        assert_eq!(known("in-hosts.example."), [ip("192.0.2.50")]);
        assert_eq!(known("localhost"), [ip("::1"), ip("127.0.0.1")]);
        assert_eq!(known("a.LocalHost."), [ip("::1"), ip("127.0.0.1")]);
        for name in ["127.1", "fe80::1%eth0", "0x7f000001"] {
            assert!(matches!(plan(name, Some(config)), Plan::Host), "{name}");
        }
        assert!(matches!(plan("db.example", None), Plan::Host));
        for name in [".", "a..b", &"x".repeat(64)] {
            let plan = plan(name, Some(config));
            assert!(matches!(plan, Plan::Failed(Errno::NO_NAME)), "{plan:?}");
        }
    }

    #[test]
    fn numbers_of_questions_differ() {
        let config = config(TWO_SERVERS);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..64 {
            let Plan::Ask(mut lookup) = plan("x.y", Some(config)) else {
                unreachable!();
            };
            let Step::Exchange(exchange) = lookup.start() else {
                unreachable!();
            };
            let ids: Vec<_> = exchange.datagrams().map(|d| [d[0], d[1]]).collect();
            assert_ne!(ids[0], ids[1]);
            seen.insert(ids);
        }
        assert!(seen.len() > 60, "{}", seen.len());
    }
}
