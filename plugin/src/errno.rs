//! The system's error numbers.

use std::fmt;
use std::num::NonZeroU16;

/// An error of the system. The guest gets it as a negative number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(NonZeroU16);

macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $value:ident;)*) => {
        impl Errno {
            $($(#[$doc])* pub const $name: Errno = Errno::constant(libc::$value);)*
        }
    };
}

errnos! {
    /// The address is none of the guest's memory.
    FAULT = EFAULT;
    /// No open descriptor has this number.
    BADF = EBADF;
    /// The descriptor is no socket.
    NOTSOCK = ENOTSOCK;
    /// An argument that the function does not know.
    INVAL = EINVAL;
    /// Too many buffers.
    MSGSIZE = EMSGSIZE;
    /// No more descriptors.
    MFILE = EMFILE;
    /// It is in use.
    BUSY = EBUSY;
    /// An address family that is not there, or not allowed.
    AFNOSUPPORT = EAFNOSUPPORT;
    /// An option that is not there, or not allowed.
    NOPROTOOPT = ENOPROTOOPT;
    /// A type of socket that is not there.
    SOCKTNOSUPPORT = ESOCKTNOSUPPORT;
    /// The socket does not do this.
    OPNOTSUPP = EOPNOTSUPP;
    /// Not now.
    AGAIN = EAGAIN;
    /// The kernel has no such call.
    NOSYS = ENOSYS;
    /// A signal came.
    INTR = EINTR;
    /// What cannot be waited for.
    PERM = EPERM;
}

impl Errno {
    const fn constant(number: i32) -> Errno {
        // Linux' numbers end at 4095.
        match NonZeroU16::new(number as u16) {
            Some(number) => Errno(number),
            None => panic!("no error has the number 0"),
        }
    }

    /// What the last system call of this thread left.
    pub fn last() -> Errno {
        let number = std::io::Error::last_os_error().raw_os_error();
        let number = number.and_then(|number| NonZeroU16::new(u16::try_from(number).ok()?));
        number.map_or(Errno::INVAL, Errno)
    }

    /// The system's number, which is positive.
    pub fn number(self) -> i32 {
        self.0.get().into()
    }

    /// As the guest gets it.
    pub fn negative(self) -> i64 {
        -i64::from(self.0.get())
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::io::Error::from_raw_os_error(self.number()).fmt(f)
    }
}
