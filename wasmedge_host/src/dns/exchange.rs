//! One name put to one server: its IPv4 and its IPv6 addresses at once.

use super::id::fresh_id;
use super::message::{answer, question, Answer, Family};
use std::net::SocketAddr;
use std::time::Duration;

/// The longest answer that UDP brings to a question without extensions. A
/// buffer needs not be longer than what a datagram can be cut to unnoticed, so
/// there is room for servers that do not keep to 512 bytes.
pub const LONGEST_ANSWER: usize = 4096;

/// What to ask a server, and what it answered.
#[derive(Debug)]
pub struct Exchange {
    server: SocketAddr,
    timeout: Duration,
    tcp: bool,
    pub(super) name: String,
    asked: [Asked; 2],
}

#[derive(Debug)]
struct Asked {
    family: Family,
    id: u16,
    question: Vec<u8>,
    answer: Option<Answer>,
}

impl Exchange {
    /// `None` where the name cannot be asked for.
    pub(super) fn new(
        name: &str,
        server: SocketAddr,
        timeout: Duration,
        tcp: bool,
    ) -> Option<Exchange> {
        let asked = |family, id| {
            Some(Asked {
                family,
                id,
                question: question(id, name, family)?,
                answer: None,
            })
        };
        let id = fresh_id();
        Some(Exchange {
            server,
            timeout,
            tcp,
            name: name.to_owned(),
            // Two questions of one socket must differ.
            asked: [asked(Family::V4, id)?, asked(Family::V6, id ^ 1)?],
        })
    }

    /// Whom to ask, over a connected socket: a stranger's answer is none.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// How long to wait for all answers together.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether to ask over TCP.
    pub fn is_tcp(&self) -> bool {
        self.tcp
    }

    /// What to send: over UDP a datagram each.
    pub fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        self.asked.iter().map(|asked| asked.question.as_slice())
    }

    /// What to send over TCP: each question behind its length.
    pub fn stream(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for question in self.datagrams() {
            // A question is a few hundred bytes at most.
            let len = u16::try_from(question.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&len.to_be_bytes());
            bytes.extend_from_slice(question);
        }
        bytes
    }

    /// Takes a datagram that came. `true` when nothing more is waited for.
    /// What is no answer to these questions is passed over.
    pub fn received(&mut self, message: &[u8]) -> bool {
        for asked in &mut self.asked {
            if asked.answer.is_none() {
                asked.answer = answer(message, asked.id, &self.name, asked.family);
            }
        }
        self.is_answered()
    }

    /// Takes the whole messages off the front of what came over TCP. `true` when
    /// nothing more is waited for.
    pub fn received_stream(&mut self, bytes: &mut Vec<u8>) -> bool {
        while let Some((len, rest)) = bytes.split_first_chunk() {
            let len = usize::from(u16::from_be_bytes(*len));
            let Some(message) = rest.get(..len) else {
                break;
            };
            self.received(message);
            bytes.drain(..2 + len);
        }
        self.is_answered()
    }

    fn is_answered(&self) -> bool {
        self.asked.iter().all(|asked| asked.answer.is_some())
    }

    /// What came of it, IPv4 first.
    pub(super) fn into_answers(self) -> [Option<Answer>; 2] {
        self.asked.map(|asked| asked.answer)
    }
}
