//! The host's name lookup, in the host's form.
//!
//! 0.5.5 lets the host write into the caller's buffers, and the host heeds no
//! length. Here it writes into buffers of [`sys`](crate::sys), which are long
//! enough for whatever it may write, and what came is copied.

use super::kinds::{AddressFamily, SocketType};
use crate::names::{check_service, without_end};
use std::io;
use std::ptr;
use wasmedge_host::backend::{self, Hints, CANONNAME};
use wasmedge_host::{abi, Errno};

/// More addresses no name has.
const MOST: usize = 512;

/// Length of a [`WasiSockaddr`]'s data: IPv4, IPv6.
const DATA_LEN: [u32; 2] = [14, 26];

/// A buffer that holds an address. Nothing here takes one.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct WasiAddress {
    /// Its first byte.
    pub buf: *const u8,
    /// Its length in bytes.
    pub size: usize,
}

// SAFETY: as in 0.5.5. The pointer is only ever followed by `unsafe` code of the
// caller's.
#[allow(unsafe_code)]
unsafe impl Send for WasiAddress {}

/// A flag of a lookup. 0.5.5 hands the host its place in this list in the place
/// of the bit that the name stands for.
#[derive(Clone, Copy, Debug)]
#[repr(u16)]
pub enum AiFlags {
    /// Without a name: addresses to listen on.
    AiPassive,
    /// The canonical name is wanted, too.
    AiCanonname,
    /// The name is an address in text form.
    AiNumericHost,
    /// The service is a number.
    AiNumericServ,
    /// IPv4 addresses as IPv6 ones, where there are none.
    AiV4Mapped,
    /// With [`AiV4Mapped`](Self::AiV4Mapped): both.
    AiAll,
    /// Only families that this machine has addresses of.
    AiAddrConfig,
}

impl AiFlags {
    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A protocol.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum AiProtocol {
    /// The one that belongs to the socket's type.
    IPProtoIP,
    /// TCP.
    IPProtoTCP,
    /// UDP.
    IPProtoUDP,
}

/// An address that was looked up.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct WasiSockaddr {
    /// The family of the address.
    pub family: AddressFamily,
    /// How many bytes `sa_data` points to.
    pub sa_data_len: u32,
    /// The port, big-endian, in two bytes; then an IPv4 address, or four bytes
    /// of flow information, an IPv6 address and its scope.
    pub sa_data: *mut u8,
}

impl WasiSockaddr {
    /// An address in this buffer.
    pub fn new(family: AddressFamily, sa_data: &mut [u8]) -> WasiSockaddr {
        WasiSockaddr {
            sa_data_len: u32::try_from(sa_data.len()).unwrap_or(u32::MAX),
            sa_data: sa_data.as_mut_ptr(),
            family,
        }
    }
}

impl Default for WasiSockaddr {
    /// IPv4, without a buffer.
    fn default() -> WasiSockaddr {
        let mut none = WasiSockaddr::new(AddressFamily::Inet4, &mut []);
        none.sa_data = ptr::null_mut();
        none
    }
}

/// An entry of a lookup, as hint and as answer.
#[derive(Clone, Debug)]
#[repr(C, packed(4))]
pub struct WasiAddrinfo {
    /// As a hint: what kind of answer is wanted.
    pub ai_flags: AiFlags,
    /// The family of the address; as a hint, `Unspec` is both.
    pub ai_family: AddressFamily,
    /// The type of the socket; as a hint, `Any` is the one of the protocol.
    pub ai_socktype: SocketType,
    /// The protocol.
    pub ai_protocol: AiProtocol,
    /// How long the system's form of the address is.
    pub ai_addrlen: u32,
    /// The address: an element of the `addrs` of the call.
    pub ai_addr: *mut WasiSockaddr,
    /// The canonical name: an element of the `names` of the call.
    pub ai_canonname: *mut u8,
    /// Its length in bytes.
    pub ai_canonnamelen: u32,
    /// The next entry, in the same vector.
    pub ai_next: *mut WasiAddrinfo,
}

impl WasiAddrinfo {
    /// Hints for TCP over IPv4.
    #[allow(clippy::should_implement_trait)]
    pub fn default() -> WasiAddrinfo {
        WasiAddrinfo {
            ai_next: ptr::null_mut(),
            ai_canonname: ptr::null_mut(),
            ai_canonnamelen: 0,
            ai_addr: ptr::null_mut(),
            ai_addrlen: 0,
            ai_protocol: AiProtocol::IPProtoTCP,
            ai_socktype: SocketType::Stream,
            ai_family: AddressFamily::Inet4,
            ai_flags: AiFlags::AiPassive,
        }
    }

    /// Asks the host for the addresses of `node` with the port of `service`, and
    /// for no more than `most` of them.
    ///
    /// Entry `i` of the result goes with the elements `i` of the three vectors
    /// and points to them, as long as they are left alone. They get `most`
    /// elements each, or 512 if that is less.
    ///
    /// # Errors
    ///
    /// "failed to lookup address information" and the reason.
    pub fn get_addrinfo(
        node: &str,
        service: &str,
        hints: &WasiAddrinfo,
        most: usize,
        addrs: &mut Vec<WasiSockaddr>,
        data: &mut Vec<[u8; 26]>,
        names: &mut Vec<String>,
    ) -> io::Result<Vec<WasiAddrinfo>> {
        let (node, service) = (without_end(node), without_end(service));
        check_service(service)?;
        if node.contains('\0') {
            return Err(Errno::NO_NAME.into());
        }
        let room = most.min(MOST);
        wasmedge_host::coalesce::before_blocking();
        let mut found = backend::addrinfo(node, service, &hints.as_asked(), room)?;
        found.retain(|each| AddressFamily::of_number(each.family).is_some());

        addrs.resize(room, WasiSockaddr::default());
        data.resize(room, [0; 26]);
        names.resize(room, String::new());
        let places = addrs.iter_mut().zip(data).zip(names);
        let mut entries = Vec::with_capacity(found.len());
        for (each, ((addr, data), name)) in found.into_iter().zip(places) {
            let family = AddressFamily::of_number(each.family).unwrap_or(hints.ai_family);
            data.copy_from_slice(&each.data[..26]);
            *addr = WasiSockaddr::new(family, data);
            addr.sa_data_len = DATA_LEN[usize::from(family.is_v6())];
            *name = String::from_utf8_lossy(&each.canonname).into_owned();
            entries.push(WasiAddrinfo {
                ai_flags: hints.ai_flags,
                ai_family: family,
                ai_socktype: match each.socktype {
                    1 => SocketType::Datagram,
                    2 => SocketType::Stream,
                    _ => SocketType::Any,
                },
                ai_protocol: match each.protocol {
                    1 => AiProtocol::IPProtoTCP,
                    2 => AiProtocol::IPProtoUDP,
                    _ => AiProtocol::IPProtoIP,
                },
                ai_addrlen: each.addrlen,
                ai_addr: addr,
                ai_canonnamelen: u32::try_from(name.len()).unwrap_or(u32::MAX),
                ai_canonname: name.as_mut_ptr(),
                ai_next: ptr::null_mut(),
            });
        }
        let first = entries.as_mut_ptr();
        for (behind, entry) in (1..).zip(entries.iter_mut().rev().skip(1).rev()) {
            entry.ai_next = first.wrapping_add(behind);
        }
        Ok(entries)
    }

    /// For the host, which ends the process when it is asked for any type.
    fn as_asked(&self) -> Hints {
        let flags = self.ai_flags.bit();
        let protocol = self.ai_protocol;
        let by_protocol = match protocol {
            AiProtocol::IPProtoUDP => abi::SocketType::Datagram,
            AiProtocol::IPProtoTCP | AiProtocol::IPProtoIP => abi::SocketType::Stream,
        };
        debug_assert_eq!(AiFlags::AiCanonname.bit(), CANONNAME);
        Hints {
            flags,
            family: self.ai_family.known(),
            socktype: self.ai_socktype.known().unwrap_or(by_protocol),
            protocol: protocol as u8,
        }
    }
}
