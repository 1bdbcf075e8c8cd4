//! The host's resolver. Its one call stops the whole program until it answers.

use super::abi::{AddrInfo, AddressFamily, SockAddr, SocketType};
use super::conv::{self, check, SOCKADDR_DATA_LEN};
use super::imports;
use crate::Errno;
use std::net::SocketAddr;

/// Room for a canonical name: the longest that a resolver returns, with its
/// terminator (`NI_MAXHOST`), and one byte that stays zero.
const CANONNAME_LEN: usize = 1026;

/// Room for a name that was not asked for.
const UNASKED_NAME_LEN: usize = 256;

/// What a lookup asks for.
#[derive(Clone, Copy, Debug)]
pub struct Hints {
    /// The host's flags; see [`CANONNAME`].
    pub flags: u16,
    /// `None` is both.
    pub family: Option<AddressFamily>,
    /// Never "any": the host ends the process on that.
    pub socktype: SocketType,
    /// 0 is the one that belongs to the type.
    pub protocol: u8,
}

/// Asks for the canonical name.
pub const CANONNAME: u16 = 2;

impl Hints {
    /// Any address for a stream.
    pub const STREAM: Hints = Hints {
        flags: 0,
        family: None,
        socktype: SocketType::Stream,
        protocol: 0,
    };
}

/// One entry of a lookup's answer.
#[derive(Clone, Debug)]
pub struct LookedUp {
    /// The host's number of the family.
    pub family: u8,
    /// The host's number of the type.
    pub socktype: u8,
    /// The host's number of the protocol.
    pub protocol: u8,
    /// How long the system's own form of the address is.
    pub addrlen: u32,
    /// Port and address in the host's form, see `conv.rs`.
    pub data: [u8; SOCKADDR_DATA_LEN],
    /// Only where it was asked for, and there only the first entry's.
    pub canonname: Vec<u8>,
}

impl LookedUp {
    /// The port of the service that was asked for.
    pub fn port(&self) -> u16 {
        conv::sockaddr_port(&self.data)
    }
}

/// The IP addresses among `found`, with `port`, each once and in order.
pub fn addrs(found: &[LookedUp], port: u16) -> Vec<SocketAddr> {
    conv::found_addrs(found.iter().map(|each| (each.family, &each.data)), port)
}

/// Asks the host for the addresses of `node` with the port of `service`, at most
/// `max` of them.
///
/// The host fills a list that the guest has built beforehand. It writes an
/// address and a name of whatever length they have, so each entry gets room for
/// the longest of either.
pub fn addrinfo(
    node: &str,
    service: &str,
    hints: &Hints,
    max: usize,
) -> Result<Vec<LookedUp>, Errno> {
    if max == 0 {
        // The host would follow a list without an entry.
        return Err(Errno::INVAL);
    }
    let names_len = if hints.flags & CANONNAME == 0 {
        UNASKED_NAME_LEN
    } else {
        CANONNAME_LEN
    };
    let mut data = vec![[0u8; SOCKADDR_DATA_LEN]; max];
    let mut names = vec![0u8; max * names_len];
    let data_ptr = data.as_mut_ptr() as u32;
    let names_ptr = names.as_mut_ptr() as u32;
    let mut addrs: Vec<SockAddr> = (0..max as u32)
        .map(|i| SockAddr {
            family: 0,
            data_len: SOCKADDR_DATA_LEN as u32,
            data: data_ptr + i * SOCKADDR_DATA_LEN as u32,
        })
        .collect();
    let addrs_ptr = addrs.as_mut_ptr() as u32;
    let mut list = vec![AddrInfo::default(); max];
    let list_ptr = list.as_mut_ptr() as u32;
    for (i, entry) in (0..max as u32).zip(&mut list) {
        entry.addr = addrs_ptr + i * std::mem::size_of::<SockAddr>() as u32;
        entry.canonname = names_ptr + i * names_len as u32;
        entry.canonname_len = names_len as u32;
        if i + 1 < max as u32 {
            entry.next = list_ptr + (i + 1) * std::mem::size_of::<AddrInfo>() as u32;
        }
    }
    let hint = AddrInfo {
        flags: hints.flags,
        family: hints.family.map_or(0, |family| family as u8),
        socktype: hints.socktype as u8,
        protocol: hints.protocol,
        ..AddrInfo::default()
    };
    let mut res = list_ptr;
    let mut found = 0;
    // SAFETY: the list has `max` entries, each pointing to a `SockAddr` and a
    // name buffer, each of those to a data buffer; all live to the end of this
    // function and are long enough for whatever the host writes. `node` and
    // `service` are texts with their lengths.
    check(unsafe {
        imports::sock_getaddrinfo(
            node.as_ptr(),
            node.len() as u32,
            service.as_ptr(),
            service.len() as u32,
            &hint,
            &mut res,
            max as u32,
            &mut found,
        )
    })?;
    // Read back through the pointers the host wrote through, so that the
    // compiler cannot take the buffers for unchanged.
    let found = (found as usize).min(max);
    let (addrs, data) = (std::hint::black_box(addrs), std::hint::black_box(data));
    let (list, names) = (std::hint::black_box(list), std::hint::black_box(names));
    let name = |bytes: &[u8]| bytes.iter().copied().take_while(|&b| b != 0).collect();
    Ok(list
        .iter()
        .zip(addrs)
        .zip(data)
        .zip(names.chunks(names_len))
        .take(found)
        .map(|(((entry, addr), data), canonname)| LookedUp {
            family: addr.family,
            socktype: entry.socktype,
            protocol: entry.protocol,
            addrlen: entry.addrlen,
            data,
            canonname: name(canonname),
        })
        .collect())
}
