//! What a library says that it has.

use std::collections::BTreeMap;

use wasmparser::{FuncType, ValType};

/// What the list in a library begins with.
const MARK: &[u8] = b"tokio_wasmedge functions:";

/// The functions of a library, by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Functions {
    text: String,
    types: BTreeMap<String, FuncType>,
}

impl Functions {
    /// Those of the library with this content; `None` if it has no list, or one that is not
    /// understood.
    pub(super) fn of(library: &[u8]) -> Option<Functions> {
        let mut places = library.windows(MARK.len());
        let start = places.position(|bytes| bytes == MARK)? + MARK.len();
        let rest = &library[start..];
        let end = rest.iter().position(|byte| *byte == 0)?;
        let text = std::str::from_utf8(&rest[..end]).ok()?;
        let types = text.split_whitespace().map(function).collect::<Option<_>>();
        Some(Functions {
            text: text.to_owned(),
            types: types?,
        })
    }

    /// The list, as the library has it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is a function of this name.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// Whether there is a function of this name and type.
    pub(super) fn has(&self, name: &str, its_type: &FuncType) -> bool {
        self.types.get(name) == Some(its_type)
    }
}

/// `name(i32,i64,)`. All give an `i64`.
fn function(text: &str) -> Option<(String, FuncType)> {
    let (name, parameters) = text.strip_suffix(')')?.split_once('(')?;
    let parameters = parameters
        .split(',')
        .filter(|parameter| !parameter.is_empty());
    let parameters: Option<Vec<ValType>> = parameters
        .map(|parameter| match parameter {
            "i32" | "u32" => Some(ValType::I32),
            "i64" | "u64" => Some(ValType::I64),
            _ => None,
        })
        .collect();
    Some((name.to_owned(), FuncType::new(parameters?, [ValType::I64])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_found_in_the_middle_of_a_library() {
        let library = b"\x7fELF\0\0tokio_wasmedge functions: one() two(u32,i64,)\0more\0";
        let functions = Functions::of(library).unwrap();
        let one = FuncType::new([], [ValType::I64]);
        let two = FuncType::new([ValType::I32, ValType::I64], [ValType::I64]);
        assert!(functions.has("one", &one) && functions.has("two", &two));
        assert!(!functions.has("one", &two) && !functions.has("three", &one));
    }

    #[test]
    fn what_has_no_list_or_another_one_is_no_plugin() {
        assert_eq!(Functions::of(b"\x7fELF\0\0"), None);
        assert_eq!(Functions::of(b"tokio_wasmedge functions: one()"), None);
        assert_eq!(
            Functions::of(b"tokio_wasmedge functions: one(f32,)\0"),
            None
        );
        assert_eq!(Functions::of(b"tokio_wasmedge functions: one\0"), None);
    }
}
