//! Where the code of a rewritten program was before, so that its debug information can be
//! read: that counts in the program as it was linked.
//!
//! The sections of debug information stay as they are, under other names, since nothing but
//! a reader of this map can use them. Rewriting them instead would cost more than the rest
//! of a build: they are most of a program that is not optimized.
//!
//! The map is a custom section. It has one entry for each place from which on the distance
//! between old and new is another one than before, in order: how far the new place is from
//! the last entry's, and how much the distance has changed, as numbers of variable length.
//! Places are offsets in the content of the code section.

use wasm_encoder::Encode as _;
use wasmparser::BinaryReader;

/// The section's name.
pub(crate) const SECTION: &str = "cargo-wasmedge.moved";

/// How the names of sections of debug information begin.
const DEBUG: &str = ".debug_";

/// The name under which a section of debug information stays. `None`: it is another one.
pub(crate) fn kept(name: &str) -> Option<String> {
    let rest = name.strip_prefix(DEBUG)?;
    Some(format!("{SECTION}.{rest}"))
}

/// The map, in the order of the new places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// From the new place on, what is added to a new place to have the old one.
    entries: Vec<(u64, i64)>,
}

impl Moved {
    /// What is at `new` was at `old`. Places are told in the order of the new ones.
    pub(crate) fn tell(&mut self, new: u64, old: u64) {
        let distance = old as i64 - new as i64;
        match self.entries.last_mut() {
            Some((_, last)) if *last == distance => {}
            Some((place, last)) if *place == new => *last = distance,
            _ => self.entries.push((new, distance)),
        }
    }

    /// Where the code at `new` was. `None`: in front of all that was told.
    pub(crate) fn old(&self, new: u64) -> Option<u64> {
        let after = self.entries.partition_point(|(place, _)| *place <= new);
        let (_, distance) = self.entries[after.checked_sub(1)?];
        new.checked_add_signed(distance)
    }

    /// The section's content.
    pub(crate) fn written(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (mut place, mut distance) = (0, 0);
        for (new, other) in &self.entries {
            (new - place).encode(&mut bytes);
            (other - distance).encode(&mut bytes);
            (place, distance) = (*new, *other);
        }
        bytes
    }

    /// The map that a section has. `None`: it is none.
    pub(crate) fn read(section: &[u8]) -> Option<Moved> {
        let mut reader = BinaryReader::new(section, 0);
        let mut entries = Vec::new();
        let (mut place, mut distance) = (0_u64, 0_i64);
        while !reader.eof() {
            place = place.checked_add(reader.read_var_u64().ok()?)?;
            distance = distance.checked_add(reader.read_var_i64().ok()?)?;
            entries.push((place, distance));
        }
        Some(Moved { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved() -> Moved {
        let mut moved = Moved::default();
        // Three that stay, one that comes earlier, some that come later.
        for (new, old) in [
            (4, 4),
            (6, 6),
            (9, 9),
            (12, 15),
            (40, 41),
            (300, 301),
            (700, 420),
        ] {
            moved.tell(new, old);
        }
        moved
    }

    #[test]
    fn each_place_has_its_old_one_and_what_lies_between_goes_with_it() {
        let moved = moved();
        let old = |places: &[u64]| places.iter().map(|new| moved.old(*new)).collect::<Vec<_>>();
        assert_eq!(old(&[3, 4, 9, 11]), [None, Some(4), Some(9), Some(11)]);
        assert_eq!(
            old(&[12, 14, 40, 299]),
            [Some(15), Some(17), Some(41), Some(300)]
        );
        assert_eq!(old(&[300, 700, 800]), [Some(301), Some(420), Some(520)]);
    }

    #[test]
    fn what_is_written_is_read() {
        let moved = moved();
        assert_eq!(Moved::read(&moved.written()), Some(moved));
        assert_eq!(Moved::read(&[]), Some(Moved::default()));
        assert_eq!(Moved::read(&[0x80]), None, "it is cut off");
    }

    #[test]
    fn only_debug_information_gets_another_name() {
        assert_eq!(
            kept(".debug_line").as_deref(),
            Some("cargo-wasmedge.moved.line")
        );
        assert_eq!(kept("name"), None);
    }
}
