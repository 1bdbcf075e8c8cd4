//! Buffers as every backend takes them: lists of guest addresses with their lengths.

use super::host::abi::{Iovec, MAX_IOVECS};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

// Guest pointers are cast to `u32`.
const _: () = assert!(std::mem::size_of::<usize>() == 4);

/// Buffers the host will write to.
pub struct RecvBufs<'a> {
    iovecs: Iovecs,
    _bufs: std::marker::PhantomData<&'a mut [u8]>,
}

/// Buffers the host will read.
pub struct SendBufs<'a> {
    iovecs: Iovecs,
    _bufs: std::marker::PhantomData<&'a [u8]>,
}

/// At most [`MAX_IOVECS`] buffers: the host refuses more. Few of them stay off
/// the heap.
enum Iovecs {
    One(Iovec),
    Few([Iovec; FEW], usize),
    Many(Vec<Iovec>),
}

const FEW: usize = 16;

impl Iovecs {
    #[inline]
    fn one(buf: u32, len: usize) -> Iovecs {
        Iovecs::One(Iovec {
            buf,
            len: len as u32,
        })
    }

    fn collect(iovecs: impl ExactSizeIterator<Item = Iovec>) -> Iovecs {
        if iovecs.len() > FEW {
            return Iovecs::Many(iovecs.take(MAX_IOVECS).collect());
        }
        let mut few = [Iovec::default(); FEW];
        let mut len = 0;
        for (place, iovec) in few.iter_mut().zip(iovecs) {
            *place = iovec;
            len += 1;
        }
        Iovecs::Few(few, len)
    }

    #[inline]
    fn as_slice(&self) -> &[Iovec] {
        match self {
            Iovecs::One(one) => std::slice::from_ref(one),
            Iovecs::Few(few, len) => &few[..*len],
            Iovecs::Many(many) => many,
        }
    }

    fn total(&self) -> usize {
        self.as_slice()
            .iter()
            .fold(0, |sum, iovec| sum.saturating_add(iovec.len as usize))
    }
}

impl<'a> RecvBufs<'a> {
    /// One buffer.
    #[inline]
    pub fn one(buf: &'a mut [u8]) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::one(buf.as_mut_ptr() as u32, buf.len()),
            _bufs: std::marker::PhantomData,
        }
    }

    /// The host writes to the buffer and never reads it.
    pub fn uninit(buf: &'a mut [MaybeUninit<u8>]) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::one(buf.as_mut_ptr() as u32, buf.len()),
            _bufs: std::marker::PhantomData,
        }
    }

    /// The first [`MAX_IOVECS`] of `bufs`.
    pub fn many(bufs: &'a mut [IoSliceMut<'_>]) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::collect(bufs.iter_mut().map(|buf| Iovec {
                buf: buf.as_mut_ptr() as u32,
                len: buf.len() as u32,
            })),
            _bufs: std::marker::PhantomData,
        }
    }

    /// Buffers that the caller describes by address and length, as far as the
    /// host takes that many.
    ///
    /// # Safety
    ///
    /// Each must be valid for writes while `'a` lasts, and nobody else's.
    pub unsafe fn foreign(bufs: impl ExactSizeIterator<Item = (*mut u8, usize)>) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::collect(bufs.map(|(buf, len)| Iovec {
                buf: buf as u32,
                len: len as u32,
            })),
            _bufs: std::marker::PhantomData,
        }
    }

    /// What the host is handed.
    #[inline]
    pub(super) fn as_slice(&self) -> &[Iovec] {
        self.iovecs.as_slice()
    }

    /// Bytes that fit.
    pub fn total(&self) -> usize {
        self.iovecs.total()
    }
}

impl<'a> SendBufs<'a> {
    /// One buffer.
    #[inline]
    pub fn one(buf: &'a [u8]) -> SendBufs<'a> {
        SendBufs {
            iovecs: Iovecs::one(buf.as_ptr() as u32, buf.len()),
            _bufs: std::marker::PhantomData,
        }
    }

    /// The first [`MAX_IOVECS`] of `bufs`.
    pub fn many(bufs: &'a [IoSlice<'_>]) -> SendBufs<'a> {
        SendBufs {
            iovecs: Iovecs::collect(bufs.iter().map(|buf| Iovec {
                buf: buf.as_ptr() as u32,
                len: buf.len() as u32,
            })),
            _bufs: std::marker::PhantomData,
        }
    }

    /// `head`, unless it is empty, and the first of `bufs` behind it.
    pub fn behind(head: &'a [u8], bufs: &'a [IoSlice<'_>]) -> SendBufs<'a> {
        let iovec = |buf: &[u8]| Iovec {
            buf: buf.as_ptr() as u32,
            len: buf.len() as u32,
        };
        let iovecs = match (head, bufs) {
            ([], bufs) => return SendBufs::many(bufs),
            (head, []) => Iovecs::One(iovec(head)),
            (head, bufs) if bufs.len() < FEW => {
                let mut few = [Iovec::default(); FEW];
                few[0] = iovec(head);
                for (place, buf) in few[1..].iter_mut().zip(bufs) {
                    *place = iovec(buf);
                }
                Iovecs::Few(few, 1 + bufs.len())
            }
            (head, bufs) => {
                let all = std::iter::once(iovec(head)).chain(bufs.iter().map(|buf| iovec(buf)));
                Iovecs::Many(all.take(MAX_IOVECS).collect())
            }
        };
        SendBufs {
            iovecs,
            _bufs: std::marker::PhantomData,
        }
    }

    /// What the host is handed.
    #[inline]
    pub(super) fn as_slice(&self) -> &[Iovec] {
        self.iovecs.as_slice()
    }

    /// Bytes to send.
    pub fn total(&self) -> usize {
        self.iovecs.total()
    }
}
