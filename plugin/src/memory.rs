//! The guest's memory, of which nothing else may be touched.
//!
//! An address and a length become a [`Region`] here, or the error `EFAULT`. A `Memory` is
//! made anew for each call, since the guest's memory may grow between two of them.
//!
//! Threads of the guest may write while a call reads. So a record is copied before it is
//! looked at, and nothing is read twice.

use crate::Errno;
use crate::sys::{Address, IoVecs, Region};

/// As many buffers as the system takes in one call (`UIO_MAXIOV`).
pub const MAX_IOVECS: u32 = 1024;

/// The size of a guest's record of a buffer: address and length.
const IOVEC: u32 = 8;

/// The size of a guest's record of an address: its length in 4 bytes, then room for any
/// address of the system.
pub const ADDRESS: u32 = 4 + Address::ROOM as u32;

/// The memory of the guest that calls.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a>(Region<'a>);

impl<'a> Memory<'a> {
    /// The memory that is all of `region`.
    pub fn new(region: Region<'a>) -> Memory<'a> {
        Memory(region)
    }

    /// `len` bytes from `at` on.
    ///
    /// # Errors
    /// `EFAULT`: they are not all in the memory.
    pub fn region(self, at: u32, len: u32) -> Result<Region<'a>, Errno> {
        self.0.part(at, len).ok_or(Errno::FAULT)
    }

    /// `count` records of `size` bytes.
    ///
    /// # Errors
    /// `EFAULT`: they are not all in the memory.
    pub fn records(self, at: u32, count: u32, size: u32) -> Result<Region<'a>, Errno> {
        let len = count.checked_mul(size).ok_or(Errno::FAULT)?;
        self.region(at, len)
    }

    /// A copy of the bytes at `at`.
    ///
    /// # Errors
    /// `EFAULT`: they are not all in the memory.
    pub fn read<const N: usize>(self, at: u32) -> Result<[u8; N], Errno> {
        let region = self.region(at, N as u32)?;
        let mut bytes = [0; N];
        region.copy_to(&mut bytes);
        Ok(bytes)
    }

    /// Writes the bytes to `at`.
    ///
    /// # Errors
    /// `EFAULT`: there is no room for all of them.
    pub fn write(self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        self.region(at, len)?.copy_from(bytes);
        Ok(())
    }

    /// The buffers that `count` records at `at` describe.
    ///
    /// # Errors
    /// `EMSGSIZE` for too many, as natively; `EFAULT` if the records or a buffer is not
    /// in the memory.
    pub fn iovecs(self, at: u32, count: u32) -> Result<IoVecs<'a>, Errno> {
        if count > MAX_IOVECS {
            return Err(Errno::MSGSIZE);
        }
        let records = self.records(at, count, IOVEC)?;
        let mut buffers = IoVecs::with_capacity(count as usize);
        for i in 0..count {
            let mut record = [0; IOVEC as usize];
            // It is in bounds, since all of them are.
            let one = records.part(i * IOVEC, IOVEC).ok_or(Errno::FAULT)?;
            one.copy_to(&mut record);
            let [at, len] = words(record);
            buffers.push(self.region(at, len)?);
        }
        Ok(buffers)
    }

    /// The address in the `len` bytes at `at`.
    ///
    /// # Errors
    /// `EINVAL` if it is longer than any address, as natively; `EFAULT` if it is not in
    /// the memory.
    pub fn address(self, at: u32, len: u32) -> Result<Address, Errno> {
        if len as usize > Address::ROOM {
            return Err(Errno::INVAL);
        }
        Ok(Address::copied(self.region(at, len)?))
    }

    /// Where an address is to be written; 0 is nowhere.
    ///
    /// # Errors
    /// `EFAULT`: there is no room for the longest one.
    pub fn address_out(self, at: u32) -> Result<Option<AddressOut<'a>>, Errno> {
        if at == 0 {
            return Ok(None);
        }
        Ok(Some(AddressOut(self.region(at, ADDRESS)?)))
    }
}

/// A record of the guest's for an address.
#[derive(Clone, Copy, Debug)]
pub struct AddressOut<'a>(Region<'a>);

impl AddressOut<'_> {
    /// Writes the length and the bytes. The rest of the record stays as it is.
    pub fn write(self, address: &Address) {
        let bytes = address.bytes();
        self.0.copy_from(&(bytes.len() as u32).to_le_bytes());
        if let Some(room) = self.0.part(4, bytes.len() as u32) {
            room.copy_from(bytes);
        }
    }
}

/// Two numbers of 32 bits.
pub fn words(record: [u8; 8]) -> [u32; 2] {
    let both = u64::from_le_bytes(record);
    [both as u32, (both >> 32) as u32]
}
