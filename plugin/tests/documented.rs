//! docs/plugin.md has every function as it is.

#![cfg(target_os = "linux")]

use tokio_wasmedge_plugin::functions::{FUNCTIONS, Type};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/plugin.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_function_is_in_the_page_with_its_parameters() {
    let mut rows: Vec<(String, String)> = Vec::new();
    for line in page().lines() {
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let columns: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        if let (true, Some(since)) = (row.contains("(") && columns.len() == 3, columns.last()) {
            rows.push((
                columns[0].trim_end_matches('`').to_owned(),
                (*since).to_owned(),
            ));
        }
    }
    let mut functions: Vec<(String, String)> = FUNCTIONS
        .iter()
        .map(|function| {
            let parameters = function
                .parameters
                .iter()
                .map(|(name, its_type)| match its_type {
                    Type::I32 => (*name).to_owned(),
                    Type::I64 => format!("{name}: i64"),
                });
            let parameters: Vec<String> = parameters.collect();
            let shown = format!("{}({})", function.name, parameters.join(", "));
            (shown, function.since.to_string())
        })
        .collect();
    rows.sort();
    functions.sort();
    assert_eq!(rows, functions);
}

#[test]
fn the_variables_are_in_the_page() {
    use tokio_wasmedge_plugin::{ALLOW_AF_UNIX, REUSEPORT};
    for variable in [ALLOW_AF_UNIX, REUSEPORT] {
        assert!(page().contains(&format!("`{variable}=1`")), "{variable}");
    }
}
