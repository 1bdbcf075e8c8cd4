//! The system's error numbers as WASI's.

use crate::Errno;

macro_rules! errnos {
    ($($linux:literal $wasi:literal $name:literal;)*) => {
        /// WASI's number for one of Linux's; that of "invalid" for one that WASI has not.
        const fn wasi(linux: i64) -> u16 {
            match linux {
                $($linux => $wasi,)*
                _ => 28,
            }
        }

        /// Names, for the test.
        #[cfg(test)]
        const NAMES: &[(i64, u16, &str)] = &[$(($linux, $wasi, $name)),*];
    };
}

// Those that calls on sockets, epolls and the like return: socket(7) and the pages that it
// names. Numbers of x86-64 and arm64.
errnos! {
    1 63 "PERM";
    2 44 "NOENT";
    4 27 "INTR";
    5 29 "IO";
    6 60 "NXIO";
    9 8 "BADF";
    11 6 "AGAIN";
    12 48 "NOMEM";
    13 2 "ACCES";
    14 21 "FAULT";
    16 10 "BUSY";
    17 20 "EXIST";
    19 43 "NODEV";
    20 54 "NOTDIR";
    21 31 "ISDIR";
    22 28 "INVAL";
    23 41 "NFILE";
    24 33 "MFILE";
    28 51 "NOSPC";
    30 69 "ROFS";
    32 64 "PIPE";
    36 37 "NAMETOOLONG";
    38 52 "NOSYS";
    40 32 "LOOP";
    71 65 "PROTO";
    75 61 "OVERFLOW";
    88 57 "NOTSOCK";
    89 17 "DESTADDRREQ";
    90 35 "MSGSIZE";
    91 67 "PROTOTYPE";
    92 50 "NOPROTOOPT";
    93 66 "PROTONOSUPPORT";
    94 58 "NOTSUP"; // A type of socket that is not there; WASI has no number of its own.
    95 58 "NOTSUP";
    97 5 "AFNOSUPPORT";
    98 3 "ADDRINUSE";
    99 4 "ADDRNOTAVAIL";
    100 38 "NETDOWN";
    101 40 "NETUNREACH";
    102 39 "NETRESET";
    103 13 "CONNABORTED";
    104 15 "CONNRESET";
    105 42 "NOBUFS";
    106 30 "ISCONN";
    107 53 "NOTCONN";
    110 73 "TIMEDOUT";
    111 14 "CONNREFUSED";
    113 23 "HOSTUNREACH";
    114 7 "ALREADY";
    115 26 "INPROGRESS";
}

/// What a function of the plugin returned: a number that is not negative, or an error.
#[inline]
pub(super) fn check(returned: i64) -> Result<u64, Errno> {
    match u64::try_from(returned) {
        Ok(value) => Ok(value),
        Err(_) => Err(error(returned)),
    }
}

/// WASI's error for a number of Linux's, such as `SO_ERROR` gives.
pub fn errno(linux: i32) -> Errno {
    Errno::from_raw(wasi(linux.into()))
}

#[cold]
fn error(returned: i64) -> Errno {
    Errno::from_raw(wasi(returned.saturating_neg()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_negative_is_a_value() {
        assert_eq!(check(0), Ok(0));
        assert_eq!(check(i64::MAX), Ok(i64::MAX as u64));
        assert_eq!(check(-11), Err(Errno::AGAIN));
        assert_eq!(check(-38), Err(Errno::NOSYS));
        for unknown in [-4095, i64::MIN] {
            assert_eq!(check(unknown), Err(Errno::INVAL), "{unknown}");
        }
    }

    /// `Errno` has its names from elsewhere.
    #[test]
    fn names_agree() {
        for (linux, wasi, name) in NAMES {
            let debug = format!("{:?}", Errno::from_raw(*wasi));
            assert!(
                debug == format!("{name} ({wasi})") || debug == format!("Errno({wasi})"),
                "{linux} is {name}, and {debug}"
            );
        }
    }

    /// The kinds that std gives Linux's numbers and, on WASI, ours.
    #[cfg(target_os = "linux")]
    #[test]
    fn linux_numbers_mean_what_they_are_called() {
        use std::io::{Error, ErrorKind};
        for (linux, kind, errno) in [
            (11, ErrorKind::WouldBlock, Errno::AGAIN),
            (32, ErrorKind::BrokenPipe, Errno::PIPE),
            (98, ErrorKind::AddrInUse, Errno::ADDRINUSE),
            (99, ErrorKind::AddrNotAvailable, Errno::ADDRNOTAVAIL),
            (103, ErrorKind::ConnectionAborted, Errno::CONNABORTED),
            (104, ErrorKind::ConnectionReset, Errno::CONNRESET),
            (107, ErrorKind::NotConnected, Errno::NOTCONN),
            (110, ErrorKind::TimedOut, Errno::TIMEDOUT),
            (111, ErrorKind::ConnectionRefused, Errno::CONNREFUSED),
            (4, ErrorKind::Interrupted, Errno::INTR),
        ] {
            assert_eq!(Error::from_raw_os_error(linux).kind(), kind);
            assert_eq!(check(-i64::from(linux)), Err(errno));
        }
    }
}
