//! The keys that a type is read from, so that no list of them is kept beside it.

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value::Error};

/// The fields of the struct `T`, as serde calls them.
pub(super) fn of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // It fails once it has been told the fields: there is nothing to read.
    let _ = T::deserialize(Listen(&mut fields));
    fields
}

/// Listens to what a struct asks for.
struct Listen<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listen<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("there is nothing to read"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_those_of_the_text() {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[expect(dead_code, reason = "only its fields' names are looked at")]
        struct Rule {
            default_features: Option<bool>,
            #[serde(rename = "crate")]
            krate: String,
        }
        assert_eq!(super::of::<Rule>(), ["default-features", "crate"]);
        assert!(super::of::<String>().is_empty());
    }
}
