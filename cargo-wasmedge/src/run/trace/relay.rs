//! Passes on what a program prints, at once and byte for byte, but for lines of
//! WasmEdge's that are taken out.

use std::io::{self, Write};

use super::host;

/// What was read and not passed on yet.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// The beginning of a line that may be WasmEdge's.
    held: Vec<u8>,
    /// Whether a line has begun that is not.
    inside: bool,
}

/// A longer line is not WasmEdge's.
const LONGEST: usize = 1 << 16;

impl Relay {
    /// Whether something waits for the rest of its line.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes what was read. `wanted` is asked about every line that may be WasmEdge's,
    /// once it is whole, and says whether it is passed on.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub(super) fn pass(
        &mut self,
        mut read: &[u8],
        out: &mut impl Write,
        mut wanted: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<()> {
        while !read.is_empty() {
            let end = read.iter().position(|byte| *byte == b'\n');
            let (part, rest) = read.split_at(end.map_or(read.len(), |end| end + 1));
            read = rest;
            if !self.inside {
                self.held.extend_from_slice(part);
                if self.held.len() < LONGEST && host::may_be_said(&self.held) {
                    if end.is_some() {
                        let line = std::mem::take(&mut self.held);
                        out.flush()?;
                        if wanted(&line) {
                            out.write_all(&line)?;
                        }
                    }
                    continue;
                }
                out.write_all(&std::mem::take(&mut self.held))?;
            } else {
                out.write_all(part)?;
            }
            self.inside = end.is_none();
        }
        out.flush()
    }

    /// Passes on what is held: the rest of its line is long in coming.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub(super) fn release(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.inside |= !self.held.is_empty();
        out.write_all(&std::mem::take(&mut self.held))?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STACK: &[u8] = b"[2026-11-27 20:27:36.682] [error] calling stack:1, 2\n";

    fn without_stacks(line: &[u8]) -> bool {
        !matches!(host::said(line), host::Said::Stack(_))
    }

    fn pass(relay: &mut Relay, read: &[u8], out: &mut Vec<u8>) {
        relay.pass(read, out, without_stacks).unwrap();
    }

    #[test]
    fn a_line_that_has_only_begun_is_passed_on_at_once() {
        let (mut relay, mut out) = (Relay::default(), Vec::new());
        for (read, passed) in [
            (&b"name? "[..], &b"name? "[..]),
            (b"\nx", b"name? \nx"),
            (b"\n[x", b"name? \nx\n[x"),
        ] {
            pass(&mut relay, read, &mut out);
            assert_eq!(out, passed);
            assert!(!relay.holds());
        }
    }

    #[test]
    fn what_may_become_wasmedges_line_is_held_until_it_cannot_or_is_released() {
        let (mut relay, mut out) = (Relay::default(), Vec::new());
        pass(&mut relay, b"[", &mut out);
        assert!(relay.holds() && out.is_empty());
        relay.release(&mut out).unwrap();
        assert_eq!(out, b"[");
        // Its rest is the program's, too.
        pass(&mut relay, &STACK[1..], &mut out);
        assert_eq!(out, STACK);
        pass(&mut relay, b"[2026-1", &mut out);
        pass(&mut relay, b"!", &mut out);
        assert_eq!(out, [STACK, b"[2026-1!"].concat());
    }

    #[test]
    fn a_stack_is_taken_out_though_it_comes_in_parts() {
        for cut in 1..STACK.len() {
            let (mut relay, mut out) = (Relay::default(), Vec::new());
            pass(&mut relay, b"before\n", &mut out);
            pass(&mut relay, &STACK[..cut], &mut out);
            pass(&mut relay, &[&STACK[cut..], b"after"].concat(), &mut out);
            assert_eq!(out, b"before\nafter");
        }
    }

    proptest! {
        #[test]
        fn all_else_arrives_byte_for_byte(
            parts in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..40),
                    Just(b"\n".to_vec()),
                    Just(b"[2026-11-27 20:27:36.682] [".to_vec()),
                    Just(b"[2026-11-27 20:27:36.682] [error] execution failed\n".to_vec()),
                ],
                0..12,
            ),
        ) {
            let (mut relay, mut out) = (Relay::default(), Vec::new());
            for part in &parts {
                pass(&mut relay, part, &mut out);
            }
            relay.release(&mut out).unwrap();
            prop_assert_eq!(out, parts.concat());
        }
    }
}
