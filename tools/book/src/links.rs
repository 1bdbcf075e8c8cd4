//! Links that lead out of `docs/` become links to the repository: the book has no page
//! for them. All others have to lead to a page of the book, and to a heading there.

use std::collections::BTreeMap;
use std::path::Path;

use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::errors::Result;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

/// The files of the branch that the repository shows.
const FILES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/");

/// The preprocessor.
pub(crate) struct ToRepository;

impl Preprocessor for ToRepository {
    fn name(&self) -> &str {
        "to-repository"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> Result<Book> {
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item {
                chapter.content = to_repository(&chapter.content);
            }
        });
        Ok(book)
    }
}

/// All pages are in `docs/` itself: what leads out of it begins with `../`. Code stays as
/// it is.
fn to_repository(text: &str) -> String {
    let mut within = false;
    let mut result = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            within = !within;
        }
        if within {
            result += line;
            continue;
        }
        result += &line
            .replace("](../", &format!("]({FILES}"))
            .replace("]: ../", &format!("]: {FILES}"));
    }
    result
}

/// What is wrong with the links of the pages in `folder`, a line for each.
///
/// # Errors
/// A page that cannot be read.
pub(crate) fn broken(folder: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // All pages once more, and one that stands at any address.
        if name.ends_with(".html") && name != "print.html" && name != "404.html" {
            pages.insert(name.into_owned(), std::fs::read_to_string(&path)?);
        }
    }
    let mut broken = Vec::new();
    for (name, text) in &pages {
        for link in text.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            let (page, heading) = link.split_once('#').unwrap_or((link, ""));
            let page = if page.is_empty() { name } else { page };
            if page.contains("://") || page == "print.html" {
                continue;
            }
            let leads = match pages.get(page) {
                Some(text) => heading.is_empty() || text.contains(&format!("id=\"{heading}\"")),
                None => heading.is_empty() && folder.join(page).is_file(),
            };
            if !leads {
                broken.push(format!("{name}: {link} leads nowhere"));
            }
        }
    }
    broken.dedup();
    Ok(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_to_lead_to_a_file_and_a_heading() {
        let folder = tempfile::tempdir().unwrap();
        let page = r##"<a href="b.html#there"> <a href="style.css"> <a href="https://c.org/d">
            <a href="#absent"> <a href="b.html#absent"> <a href="c.html"> <a href="print.html">"##;
        std::fs::write(folder.path().join("a.html"), page).unwrap();
        std::fs::write(folder.path().join("b.html"), r#"<h2 id="there">"#).unwrap();
        std::fs::write(folder.path().join("style.css"), "").unwrap();
        let expected = ["#absent", "b.html#absent", "c.html"]
            .map(|link| format!("a.html: {link} leads nowhere"));
        assert_eq!(broken(folder.path()).unwrap(), expected);
    }

    #[test]
    fn what_leads_out_leads_to_the_repository_and_the_rest_stays() {
        let text = "[a](../deploy/README.md#x), [b](limits.md) and [c](https://example.com/../d)\n\
                    [e]: ../CONTRIBUTING.md\n```text\n[f](../g)\n```\n[h](../i)\n";
        let expected = "[a](https://github.com/tokio-wasmedge/tokio-wasmedge/blob/HEAD/deploy/README.md#x), \
                        [b](limits.md) and [c](https://example.com/../d)\n\
                        [e]: https://github.com/tokio-wasmedge/tokio-wasmedge/blob/HEAD/CONTRIBUTING.md\n\
                        ```text\n[f](../g)\n```\n\
                        [h](https://github.com/tokio-wasmedge/tokio-wasmedge/blob/HEAD/i)\n";
        assert_eq!(to_repository(text), expected);
    }
}
