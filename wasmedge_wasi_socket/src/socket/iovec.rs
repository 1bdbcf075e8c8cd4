//! Buffers by address and length.
//!
//! The types have public pointers and yet go into calls that are not marked
//! `unsafe`: so they are in 0.5.5, and the duty is its callers'.

use wasmedge_host::backend::RecvBufs;

/// A buffer to receive into.
#[derive(Debug)]
#[repr(C)]
pub struct IovecRead {
    /// Its first byte. Must be valid for writes of `size` bytes.
    pub buf: *mut u8,
    /// Its length in bytes.
    pub size: usize,
}

/// A buffer to send.
#[derive(Debug)]
#[repr(C)]
pub struct IovecWrite {
    /// Its first byte.
    pub buf: *const u8,
    /// Its length in bytes.
    pub size: usize,
}

#[cfg(feature = "foreign-types")]
impl From<libc::iovec> for IovecRead {
    fn from(of: libc::iovec) -> Self {
        IovecRead {
            buf: of.iov_base.cast(),
            size: of.iov_len,
        }
    }
}

#[cfg(feature = "foreign-types")]
impl From<libc::iovec> for IovecWrite {
    fn from(of: libc::iovec) -> Self {
        IovecWrite {
            buf: of.iov_base.cast(),
            size: of.iov_len,
        }
    }
}

/// The first of `bufs`, as many as the host takes.
#[allow(unsafe_code)]
pub(super) fn receive_into(bufs: &mut [IovecRead]) -> RecvBufs<'_> {
    let bufs = bufs.iter_mut().map(|each| (each.buf, each.size));
    // SAFETY: the type's documentation demands it of whoever made the buffers.
    unsafe { RecvBufs::foreign(bufs) }
}
