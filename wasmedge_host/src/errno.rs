//! Error numbers of the host.

use std::{error, fmt, io};

/// A WASI error number, or one of the lookup codes the host adds above them.
///
/// Converted to [`io::Error`], a WASI number stays the error's
/// [`raw_os_error`](io::Error::raw_os_error): std's table for WASI gives those of
/// sockets the [`io::ErrorKind`] that Linux's number has natively; two of files it
/// lacks ([`with_native_kind`](crate::with_native_kind)). Lookup codes are in no such
/// table and become an error with a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Errno(u16);

macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl Errno {
            $($(#[$doc])* pub const $name: Errno = Errno($value);)*

            const fn name(self) -> Option<&'static str> {
                match self {
                    $(Errno::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
    /// No error.
    SUCCESS = 0;
    /// Permission denied.
    ACCES = 2;
    /// Address in use.
    ADDRINUSE = 3;
    /// Address not available; from 0.17 on also a misaligned pointer.
    ADDRNOTAVAIL = 4;
    /// Address family not supported by the socket.
    AFNOSUPPORT = 5;
    /// The operation would block.
    AGAIN = 6;
    /// A connection attempt is already in progress.
    ALREADY = 7;
    /// Bad file descriptor.
    BADF = 8;
    /// Connection aborted.
    CONNABORTED = 13;
    /// Connection refused.
    CONNREFUSED = 14;
    /// Connection reset.
    CONNRESET = 15;
    /// Destination address required.
    DESTADDRREQ = 17;
    /// Subscribed twice; also seen in the poll after an interrupted one.
    EXIST = 20;
    /// Host unreachable.
    HOSTUNREACH = 23;
    /// The connection attempt goes on in the background.
    INPROGRESS = 26;
    /// Interrupted by a signal of the host.
    INTR = 27;
    /// Invalid argument.
    INVAL = 28;
    /// Already connected.
    ISCONN = 30;
    /// Too many open files.
    MFILE = 33;
    /// Message too large.
    MSGSIZE = 35;
    /// The network is down.
    NETDOWN = 38;
    /// Network unreachable.
    NETUNREACH = 40;
    /// No buffer space.
    NOBUFS = 42;
    /// No such file; seen in polls after the host's poller lost a descriptor.
    NOENT = 44;
    /// Option not known to the protocol.
    NOPROTOOPT = 50;
    /// Not implemented.
    NOSYS = 52;
    /// Not connected.
    NOTCONN = 53;
    /// The directory is not empty.
    NOTEMPTY = 55;
    /// Not a socket.
    NOTSOCK = 57;
    /// Not supported.
    NOTSUP = 58;
    /// Not permitted; in polls: a file that is always ready.
    PERM = 63;
    /// The peer no longer reads.
    PIPE = 64;
    /// Timed out.
    TIMEDOUT = 73;
    /// The descriptor lacks the right.
    NOTCAPABLE = 76;
    /// Lookup: no server could say.
    TRY_AGAIN = 78;
    /// Lookup: the name exists and has no address.
    NO_DATA = 83;
    /// Lookup: name or service not known.
    NO_NAME = 84;
    /// Lookup: no such service.
    SERVICE = 85;
}

impl Errno {
    /// The error of this number.
    pub const fn from_raw(raw: u16) -> Errno {
        Errno(raw)
    }

    /// The number.
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// `Ok` for [`Errno::SUCCESS`].
    pub const fn result(self) -> Result<(), Errno> {
        match self {
            Errno::SUCCESS => Ok(()),
            error => Err(error),
        }
    }

    /// What went wrong in a lookup, in the words of Linux's resolver.
    const fn lookup_message(self) -> Option<&'static str> {
        Some(match self.0 {
            77 => "Address family for hostname not supported",
            78 => "Temporary failure in name resolution",
            79 => "Bad value for ai_flags",
            80 => "Non-recoverable failure in name resolution",
            81 => "ai_family not supported",
            82 => "Memory allocation failure",
            83 => "No address associated with hostname",
            84 => "Name or service not known",
            85 => "Servname not supported for ai_socktype",
            86 => "ai_socktype not supported",
            87 => "System error",
            _ => return None,
        })
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "Errno({})", self.0),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lookup_message() {
            Some(message) => write!(f, "failed to lookup address information: {message}"),
            None => write!(f, "host error {self:?}"),
        }
    }
}

impl error::Error for Errno {}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> io::Error {
        if cfg!(target_os = "wasi") && errno.lookup_message().is_none() {
            io::Error::from_raw_os_error(errno.0.into())
        } else {
            // Off WASI the number would be read as one of another system's.
            io::Error::other(errno.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lookup_code_has_a_message_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for raw in 77..=87 {
            let text = Errno::from_raw(raw).to_string();
            let reason = text
                .strip_prefix("failed to lookup address information: ")
                .unwrap_or_else(|| panic!("{raw}: {text}"));
            assert!(!reason.is_empty());
            assert!(seen.insert(reason.to_owned()), "{raw}: {reason} twice");
        }
        for raw in [0, 1, 28, 76, 88] {
            assert_eq!(Errno::from_raw(raw).lookup_message(), None, "{raw}");
        }
    }

    #[test]
    fn unknown_name_reads_as_natively() {
        let error = io::Error::from(Errno::from_raw(84));
        assert_eq!(
            error.to_string(),
            "failed to lookup address information: Name or service not known"
        );
    }

    #[test]
    fn result_is_ok_for_zero_only() {
        assert_eq!(Errno::from_raw(0).result(), Ok(()));
        for raw in 1..=100 {
            assert_eq!(Errno::from_raw(raw).result(), Err(Errno(raw)));
        }
    }

    #[test]
    fn debug_names_the_number() {
        assert_eq!(format!("{:?}", Errno::AGAIN), "AGAIN (6)");
        assert_eq!(format!("{:?}", Errno::from_raw(9)), "Errno(9)");
    }
}
