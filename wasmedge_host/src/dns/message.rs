//! Questions and answers on the wire.

use simple_dns::rdata::RData;
use simple_dns::{Name, Packet, PacketFlag, Question, CLASS, QCLASS, QTYPE, RCODE, TYPE};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    fn qtype(self) -> QTYPE {
        QTYPE::TYPE(match self {
            Family::V4 => TYPE::A,
            Family::V6 => TYPE::AAAA,
        })
    }
}

/// What a server said to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// These addresses; none if the name exists and has none of this family.
    Addresses(Vec<IpAddr>),
    /// There is no such name.
    NoSuchName,
    /// It was cut off: the whole answer is to be had over TCP.
    Truncated,
    /// The server cannot say.
    Failed,
}

/// The question for a name's addresses; `None` for what is no name.
pub(super) fn question(id: u16, name: &str, family: Family) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let class = QCLASS::CLASS(CLASS::IN);
    let name = Name::new(name).ok()?;
    packet
        .questions
        .push(Question::new(name, family.qtype(), class, false));
    packet.build_bytes_vec().ok()
}

/// The answer to that question; `None` if the message is something else, which
/// anyone could have sent.
pub(super) fn answer(message: &[u8], id: u16, name: &str, family: Family) -> Option<Answer> {
    use simple_dns::header_buffer as header;

    // Of a message that was cut off, only the header can be relied on.
    if header::id(message).ok()? != id
        || !header::has_flags(message, PacketFlag::RESPONSE).ok()?
        || header::questions(message).ok()? != 1
    {
        return None;
    }
    if header::has_flags(message, PacketFlag::TRUNCATION).ok()? {
        return Some(Answer::Truncated);
    }
    let packet = Packet::parse(message).ok()?;
    let name = Name::new(name).ok()?;
    let asked = packet.questions.first()?;
    if asked.qtype != family.qtype() || !same_name(&asked.qname, &name) {
        return None;
    }
    Some(match packet.rcode() {
        RCODE::NoError => Answer::Addresses(addresses(&packet, name, family)),
        RCODE::NameError => Answer::NoSuchName,
        _ => Answer::Failed,
    })
}

/// The addresses of the name, or of what it is an alias for.
fn addresses(packet: &Packet<'_>, name: Name<'_>, family: Family) -> Vec<IpAddr> {
    // Aliases may stand in any order, and in a circle.
    let mut names = vec![name];
    while let Some(next) = packet
        .answers
        .iter()
        .find_map(|record| match &record.rdata {
            RData::CNAME(alias)
                if names
                    .last()
                    .is_some_and(|name| same_name(name, &record.name))
                    && !names.iter().any(|name| same_name(name, &alias.0)) =>
            {
                Some(alias.0.clone())
            }
            _ => None,
        })
    {
        names.push(next);
    }
    let mut found = Vec::new();
    for record in &packet.answers {
        let addr = match (&record.rdata, family) {
            (RData::A(a), Family::V4) => IpAddr::from(Ipv4Addr::from(a.address)),
            (RData::AAAA(a), Family::V6) => IpAddr::from(Ipv6Addr::from(a.address)),
            _ => continue,
        };
        let ours = names.iter().any(|name| same_name(name, &record.name));
        if ours && !found.contains(&addr) {
            found.push(addr);
        }
    }
    found
}

fn same_name(one: &Name<'_>, other: &Name<'_>) -> bool {
    let (one, other) = (one.get_labels(), other.get_labels());
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| one.as_ref().eq_ignore_ascii_case(other.as_ref()))
}
