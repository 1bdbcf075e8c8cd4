//! The guest's memory against a model: a range of offsets.

#![cfg(target_os = "linux")]

use proptest::prelude::*;
use tokio_wasmedge_plugin::Errno;
use tokio_wasmedge_plugin::memory::{ADDRESS, MAX_IOVECS, Memory};
use tokio_wasmedge_plugin::sys::Region;

/// Small numbers, numbers around the end, and any.
fn offset(len: u32) -> impl Strategy<Value = u32> {
    prop_oneof![
        0..=len,
        len.saturating_sub(4)..=len.saturating_add(4),
        any::<u32>(),
        u32::MAX - 4..=u32::MAX,
    ]
}

fn case() -> impl Strategy<Value = (u32, u32, u32)> {
    (0u32..300).prop_flat_map(|size| (Just(size), offset(size), offset(size)))
}

/// What is in front of and behind the memory, and must stay.
const GUARD: usize = 64;

fn guarded(size: u32) -> Vec<u8> {
    let mut bytes = vec![0xa5; GUARD + size as usize + GUARD];
    bytes[GUARD..GUARD + size as usize].fill(0);
    bytes
}

fn with<R>(bytes: &mut [u8], work: impl FnOnce(Memory<'_>) -> R) -> R {
    let end = bytes.len() - GUARD;
    work(Memory::new(Region::of(&mut bytes[GUARD..end])))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_region_is_in_the_memory_or_refused((size, at, len) in case()) {
        let mut bytes = guarded(size);
        let inside = u64::from(at) + u64::from(len) <= u64::from(size);
        let found = with(&mut bytes, |memory| {
            memory.region(at, len).map(|region| {
                region.copy_from(&vec![1; len as usize]);
                region.len()
            })
        });
        prop_assert_eq!(found, if inside { Ok(len as usize) } else { Err(Errno::FAULT) });
        for (i, byte) in bytes.iter().enumerate() {
            let offset = i as i64 - GUARD as i64;
            let expected = if !(0..i64::from(size)).contains(&offset) {
                0xa5
            } else {
                let written = i64::from(at)..i64::from(at) + i64::from(len);
                u8::from(inside && written.contains(&offset))
            };
            prop_assert_eq!(*byte, expected, "at {}", offset);
        }
    }

    #[test]
    fn records_do_not_wrap_around((size, at, count) in case(), each in 0u32..40) {
        let mut bytes = guarded(size);
        let inside = u64::from(at) + u64::from(count) * u64::from(each) <= u64::from(size);
        let found = with(&mut bytes, |memory| memory.records(at, count, each).is_ok());
        prop_assert_eq!(found, inside);
    }

    #[test]
    fn what_is_written_is_read((size, at, _) in case(), value in any::<[u8; 8]>()) {
        let mut bytes = guarded(size);
        let inside = u64::from(at) + 8 <= u64::from(size);
        let found = with(&mut bytes, |memory| {
            memory.write(at, &value).and_then(|()| memory.read::<8>(at))
        });
        prop_assert_eq!(found, if inside { Ok(value) } else { Err(Errno::FAULT) });
        prop_assert!(bytes[..GUARD].iter().all(|byte| *byte == 0xa5));
        prop_assert!(bytes[bytes.len() - GUARD..].iter().all(|byte| *byte == 0xa5));
    }

    #[test]
    fn every_buffer_of_a_list_is_checked(
        (size, at, len) in case(),
        list_at in 0u32..64,
    ) {
        let size = size + 128;
        let mut bytes = guarded(size);
        let inside = u64::from(at) + u64::from(len) <= u64::from(size);
        let found = with(&mut bytes, |memory| {
            let mut list = [0; 16];
            list[8..12].copy_from_slice(&at.to_le_bytes());
            list[12..].copy_from_slice(&len.to_le_bytes());
            memory.write(list_at, &list).unwrap();
            memory.iovecs(list_at, 2).map(|_| ())
        });
        prop_assert_eq!(found, if inside { Ok(()) } else { Err(Errno::FAULT) });
    }
}

#[test]
fn lists_and_addresses_have_a_longest() {
    let mut bytes = guarded(MAX_IOVECS * 8 + 8);
    with(&mut bytes, |memory| {
        assert!(memory.iovecs(0, MAX_IOVECS).is_ok());
        assert_eq!(memory.iovecs(0, MAX_IOVECS + 1).err(), Some(Errno::MSGSIZE));
        assert_eq!(memory.address(0, 128).unwrap().bytes().len(), 128);
        assert_eq!(memory.address(0, 129).err(), Some(Errno::INVAL));
    });
    let mut bytes = guarded(ADDRESS);
    with(&mut bytes, |memory| {
        assert!(memory.address_out(0).unwrap().is_none());
        assert_eq!(memory.address_out(1).err(), Some(Errno::FAULT));
    });
}
