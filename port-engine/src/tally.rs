//! Counting what a rule finds, in all of its files and items.

use super::error::{Fault, Miss, places};
use super::items::ItemPath;
use super::matches::Count;
use super::ported::Place;

/// The places that a rule found so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    places: Vec<Place>,
    /// Why an item was not found, by its path.
    missing: Vec<(String, String)>,
}

impl Tally {
    /// `count` places in `file`, inside `item` where the rule names one.
    pub fn add(&mut self, file: &str, item: Option<&ItemPath>, count: usize) {
        if count > 0 {
            self.places.push(Place {
                file: file.to_string(),
                item: item.map(ToString::to_string),
                count,
            });
        }
    }

    /// One of the rule's files does not have this item.
    pub fn miss(&mut self, item: &ItemPath, why: String) {
        self.missing.push((item.to_string(), why));
    }

    /// The places, if they are as many as the rule states and each item has one.
    pub fn check(
        self,
        files: &str,
        items: &[ItemPath],
        expected: Count,
    ) -> Result<Vec<Place>, Fault> {
        let count: usize = self.places.iter().map(|place| place.count).sum();
        let names: Vec<String> = items.iter().map(ToString::to_string).collect();
        let is_empty = |name: &&String| !self.places.iter().any(|p| p.item.as_ref() == Some(name));
        let is_nothing = count == 0 && expected.allows(0);
        let empty = names.iter().find(is_empty).filter(|_| !is_nothing);
        if expected.allows(count) && empty.is_none() {
            return Ok(self.places);
        }
        let why = empty.and_then(|name| {
            let mut missing = self.missing.iter();
            missing.find(|(item, _)| item == name).map(|(_, why)| why)
        });
        let found = match (why, empty) {
            (Some(why), _) => why.clone(),
            (None, Some(name)) if count > 0 => format!("none in `{name}`"),
            _ => self.found(files, count),
        };
        Err(Fault::Miss(Miss {
            file: files.to_string(),
            item: (!names.is_empty()).then(|| names.join("`, `")),
            expected: expected.to_string(),
            found,
        }))
    }

    fn found(&self, files: &str, count: usize) -> String {
        let mut text = places(count);
        let listed: Vec<String> = self
            .places
            .iter()
            .map(|place| format!("{} in {}", place.count, place.file))
            .collect();
        let says_more = listed.len() > 1 || self.places.iter().any(|place| place.file != files);
        if says_more {
            text.push_str(&format!(" ({})", listed.join(", ")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(paths: &[&str]) -> Vec<ItemPath> {
        let parsed = paths.iter().map(|path| ItemPath::parse(path).unwrap());
        parsed.collect()
    }

    fn found(tally: Tally, items: &[ItemPath], expected: usize) -> String {
        match tally.check("src/*.rs", items, Count::exactly(expected)) {
            Err(Fault::Miss(miss)) => miss.found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn places_of_all_files_count() {
        let tally = || {
            let mut tally = Tally::default();
            tally.add("src/a.rs", None, 2);
            tally.add("src/b.rs", None, 1);
            tally.add("src/c.rs", None, 0);
            tally
        };
        assert_eq!(
            tally()
                .check("src/*.rs", &[], Count::exactly(3))
                .unwrap()
                .len(),
            2
        );
        let text = found(tally(), &[], 4);
        assert_eq!(text, "3 places (2 in src/a.rs, 1 in src/b.rs)");
        assert_eq!(found(Tally::default(), &[], 1), "0 places");
    }

    #[test]
    fn no_item_makes_up_for_another() {
        let items = items(&["fn f", "fn g"]);
        let mut tally = Tally::default();
        tally.add("src/a.rs", Some(&items[0]), 2);
        assert_eq!(found(tally, &items, 2), "none in `fn g`");
        let mut tally = Tally::default();
        tally.add("src/a.rs", Some(&items[0]), 2);
        tally.miss(&items[1], "no `fn g`".into());
        assert_eq!(found(tally, &items, 2), "no `fn g`");
        let none = Count::exactly(0);
        assert!(Tally::default().check("src/*.rs", &items, none).is_ok());
    }

    #[test]
    fn all_places_or_none() {
        let items = items(&["fn f", "fn g"]);
        let expected = Count::parse("0 or 2".into()).unwrap();
        let check = |counts: &[usize]| {
            let mut tally = Tally::default();
            for (item, count) in items.iter().zip(counts) {
                tally.add("src/a.rs", Some(item), *count);
            }
            tally.check("src/a.rs", &items, expected)
        };
        assert_eq!(check(&[1, 1]).unwrap().len(), 2);
        assert_eq!(check(&[0, 0]).unwrap().len(), 0);
        for counts in [[1, 0], [2, 0], [2, 1]] {
            let Err(Fault::Miss(miss)) = check(&counts) else {
                panic!("{counts:?}");
            };
            assert_eq!(miss.expected, "0 or 2 places");
        }
    }
}
