//! Questions to a name server over a stream of the caller's.

use dns_parser::{Builder, Packet, QueryClass, QueryType, RData, ResponseCode};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use wasmedge_host::dns;

/// What can be asked for with [`resolve`].
pub trait ToQType: Sized {
    /// The type of the question.
    fn q_type() -> QueryType;

    /// The value of a record of the answer; `None` for a record of another type.
    fn from_rr(rr: RData<'_>) -> Option<Self>;
}

macro_rules! address_records {
    ($($ip:ty = $record:ident;)*) => {
        $(
            impl ToQType for $ip {
                fn q_type() -> QueryType {
                    QueryType::$record
                }

                fn from_rr(rr: RData<'_>) -> Option<$ip> {
                    match rr {
                        RData::$record(found) => Some(found.0),
                        _ => None,
                    }
                }
            }
        )*
    };
}

address_records! {
    Ipv4Addr = A;
    Ipv6Addr = AAAA;
}

/// Asks the name server at the other end of `conn`, over TCP, for what is known
/// of `name`.
///
/// # Errors
///
/// `name` is no name; what reading and writing say; the server's refusal.
pub fn resolve<S: Write + Read, T: ToQType>(
    conn: &mut S,
    name: &str,
) -> Result<Vec<T>, Box<dyn Error>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if !dns::is_valid(name) || name.split('.').any(|label| label.len() > LONGEST_LABEL) {
        return Err(format!("`{name}` cannot be asked for").into());
    }
    let id = dns::fresh_id();
    let mut question = Builder::new_query(id, true);
    question.add_question(name, false, T::q_type(), QueryClass::IN);
    let Ok(question) = question.build() else {
        return Err("the question is too long".into());
    };
    // One write, so that the length does not wait for an acknowledgement.
    let mut message = u16::try_from(question.len())?.to_be_bytes().to_vec();
    message.extend(question);
    conn.write_all(&message)?;

    // An answer comes in as many pieces as the network makes of it.
    let mut length = [0; 2];
    conn.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    conn.read_exact(&mut answer)?;
    let answer = Packet::parse(&answer)?;
    if answer.header.id != id || answer.header.query {
        return Err("the answer is to another question".into());
    }
    match answer.header.response_code {
        ResponseCode::NoError => {}
        refusal => return Err(refusal.into()),
    }
    let records = answer.answers.into_iter();
    Ok(records.filter_map(|each| T::from_rr(each.data)).collect())
}

/// `dns_parser` panics on one more, though there may be 63.
const LONGEST_LABEL: usize = 62;
