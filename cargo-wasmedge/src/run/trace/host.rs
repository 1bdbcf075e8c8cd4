//! The lines that WasmEdge prints of a trap, on the program's own standard output:
//!
//! ```text
//! [2026-11-27 20:27:36.682] [error] execution failed: unreachable, Code: 0x40a
//! [2026-11-27 20:27:36.682] [error]     In instruction: unreachable (0x00) , Bytecode offset: 0x00007cef
//! [2026-11-27 20:27:36.682] [error] calling stack:11, 11, 18
//! [2026-11-27 20:27:36.682] [error]     When executing function name: "_start"
//! ```
//!
//! Compiled programs have no second line, and WasmEdge 0.14 has no third one. The first
//! may stand behind something that the program has printed.

/// The beginning of a line, a digit for each `d`.
const STAMP: &[u8] = b"[dddd-dd-dd dd:dd:dd.ddd] [";

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Where in the file the instruction is that trapped.
    Place(u64),
    /// Indices of functions.
    Stack(Vec<u32>),
    /// WasmEdge has nothing more to say.
    End,
    /// Something else, or somebody else.
    Other,
}

/// Whether a line that begins so may be WasmEdge's.
pub(super) fn may_be_said(begun: &[u8]) -> bool {
    let begun = begun.iter().zip(STAMP);
    begun.into_iter().all(|(byte, expected)| match expected {
        b'd' => byte.is_ascii_digit(),
        _ => byte == expected,
    })
}

/// Reads a line.
pub(super) fn said(line: &[u8]) -> Said {
    if line.len() < STAMP.len() || !may_be_said(line) {
        return Said::Other;
    }
    // On a terminal the level is coloured.
    let line = String::from_utf8_lossy(line);
    let line = anstream::adapter::strip_str(&line).to_string();
    let Some((_, message)) = line.split_once("] [error] ") else {
        return Said::Other;
    };
    let message = message.trim();
    if let Some(stack) = message.strip_prefix("calling stack:") {
        let indices = stack.split(',').map(str::trim);
        let indices = indices.filter(|index| !index.is_empty()).map(str::parse);
        return indices
            .collect::<Result<_, _>>()
            .map_or(Said::Other, Said::Stack);
    }
    if message.starts_with("In instruction:")
        && let Some((_, offset)) = message.split_once("Bytecode offset: 0x")
    {
        let digits = offset.split(|c: char| !c.is_ascii_hexdigit()).next();
        let place = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        return place.map_or(Said::Other, Said::Place);
    }
    match message.starts_with("When executing function name:") {
        true => Said::End,
        false => Said::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMPED: &str = "[2026-11-27 20:27:36.682] [error] ";

    fn of(message: &str) -> Said {
        said(format!("{STAMPED}{message}\n").as_bytes())
    }

    #[test]
    fn the_messages_of_a_trap_are_read() {
        // 0.14.1 and 0.17.1 number the instructions differently.
        for instruction in ["i32.load (0x1e)", "i32.load (0x23)"] {
            let message =
                format!("    In instruction: {instruction} , Bytecode offset: 0x00000baf");
            assert_eq!(of(&message), Said::Place(0xbaf));
        }
        let message =
            "    In instruction: call_indirect (0x0e) , Bytecode offset: 0x00000a72 , Args: [1]";
        assert_eq!(of(message), Said::Place(0xa72));
        assert_eq!(
            of("calling stack:11, 11, 18"),
            Said::Stack(vec![11, 11, 18])
        );
        assert_eq!(of("calling stack:7"), Said::Stack(vec![7]));
        assert_eq!(of("calling stack:"), Said::Stack(vec![]));
        let end = "    When executing function name: \"_start\"";
        assert_eq!(of(end), Said::End);
        assert_eq!(
            of("execution failed: unreachable, Code: 0x40a"),
            Said::Other
        );
    }

    #[test]
    fn on_a_terminal_the_level_is_coloured() {
        let line = b"[2026-11-27 20:27:36.682] [\x1b[31m\x1b[1merror\x1b[m] calling stack:1, 2\n";
        assert_eq!(said(line), Said::Stack(vec![1, 2]));
    }

    #[test]
    fn what_only_looks_alike_is_the_programs() {
        for line in [
            "calling stack:1, 2",
            "[2026-11-27 20:27:36.682] [info] calling stack:1, 2",
            "[2026-11-27T20:27:36.682] [error] calling stack:1, 2",
            "[2026-11-27 20:27:36.682] [error] calling stack:one",
            "[2026-11-27 20:27:36.682] [error] calling stack:1, -2",
            "",
        ] {
            assert_eq!(said(line.as_bytes()), Said::Other, "{line}");
        }
        assert!(may_be_said(b"[20"));
        assert!(!may_be_said(b"[x"));
    }
}
