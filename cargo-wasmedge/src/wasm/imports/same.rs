//! For tests: that a program with a plugin's imports is the program that was built.
//!
//! What differs, and nothing else: the import section has the plugin's functions at its end;
//! the export section has no stubs and no functions that take the place of WASI's; and each
//! index of a function is another one, in calls, tables, exports, the start and names. Two
//! sections of names are not compared.

use std::collections::HashMap;
use std::ops::Range;

use wasmparser::{
    BinaryReader, ConstExpr, ElementItems, ElementKind, ExternalKind, FunctionBody, Operator,
    Parser, Payload, TypeRef,
};

/// A program, taken apart.
#[derive(Default)]
struct Parts {
    /// The sections that stay as they are: what they are, and their bytes.
    kept: Vec<(String, Vec<u8>)>,
    /// Module, name and type.
    imports: Vec<(String, String, String)>,
    /// How many of these are functions.
    imported: u32,
    exports: Vec<(String, ExternalKind, u32)>,
    start: Option<u32>,
    /// What each segment is, and its functions.
    elements: Vec<(String, Vec<u32>)>,
    /// Each function without the indices in it, and these.
    bodies: Vec<(Vec<u8>, Vec<u32>)>,
}

impl Parts {
    fn of(program: &[u8]) -> wasmparser::Result<Parts> {
        let mut parts = Parts::default();
        for payload in Parser::new(0).parse_all(program) {
            let payload = payload?;
            match &payload {
                Payload::ImportSection(section) => {
                    for import in section.clone().into_imports() {
                        let import = import?;
                        let text = str::to_owned;
                        let is_function = matches!(import.ty, TypeRef::Func(_));
                        parts.imported += u32::from(is_function);
                        let its_type = format!("{:?}", import.ty);
                        let (module, name) = (text(import.module), text(import.name));
                        parts.imports.push((module, name, its_type));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section.clone() {
                        let export = export?;
                        let name = export.name.to_owned();
                        parts.exports.push((name, export.kind, export.index));
                    }
                }
                Payload::StartSection { func, .. } => parts.start = Some(*func),
                Payload::ElementSection(section) => {
                    for element in section.clone() {
                        let element = element?;
                        let ElementItems::Functions(functions) = element.items else {
                            panic!("no segment of functions");
                        };
                        let kind = match element.kind {
                            ElementKind::Passive => "passive".to_owned(),
                            ElementKind::Declared => "declared".to_owned(),
                            ElementKind::Active {
                                table_index,
                                offset_expr,
                            } => format!("{table_index:?} {:?}", operators(&offset_expr)?),
                        };
                        let functions = functions.into_iter().collect::<Result<_, _>>()?;
                        parts.elements.push((kind, functions));
                    }
                }
                Payload::CodeSectionEntry(body) => parts.bodies.push(without_indices(body)?),
                Payload::CodeSectionStart { .. } => {}
                Payload::CustomSection(section) if section.name() == "name" => {}
                other => {
                    if let Some((id, range)) = other.as_section() {
                        let what = match other {
                            Payload::CustomSection(section) => section.name().to_owned(),
                            _ => format!("section {id}"),
                        };
                        let Range { start, end } = range;
                        let bytes = &program[start as usize..end as usize];
                        parts.kept.push((what, bytes.to_owned()));
                    }
                }
            }
        }
        Ok(parts)
    }
}

/// What an expression does.
fn operators(expression: &ConstExpr<'_>) -> wasmparser::Result<Vec<String>> {
    let operators = expression.get_operators_reader().into_iter();
    operators
        .map(|operator| Ok(format!("{:?}", operator?)))
        .collect()
}

fn without_indices(body: &FunctionBody<'_>) -> wasmparser::Result<(Vec<u8>, Vec<u32>)> {
    let (bytes, start) = (body.as_bytes(), body.range().start);
    let (mut rest, mut indices, mut done) = (Vec::new(), Vec::new(), 0);
    for read in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, at) = read?;
        let (Operator::Call { function_index }
        | Operator::ReturnCall { function_index }
        | Operator::RefFunc { function_index }) = operator
        else {
            continue;
        };
        let operand = (at - start) as usize + 1;
        let mut reader = BinaryReader::new(&bytes[operand..], 0);
        reader.read_var_u32()?;
        rest.extend_from_slice(&bytes[done..operand]);
        indices.push(function_index);
        done = operand + reader.current_position();
    }
    rest.extend_from_slice(&bytes[done..]);
    Ok((rest, indices))
}

/// Compares a program with what was made of it; gives how many imports were added.
///
/// # Panics
/// They differ in more than the rewrite.
pub fn assert_same(built: &[u8], made: &[u8], module: &str) -> u32 {
    let parts = |program| Parts::of(program).expect("a program");
    let (built, made) = (parts(built), parts(made));
    let added = made.imported - built.imported;
    let (old, new) = made.imports.split_at(built.imports.len());
    assert_eq!(old, built.imports);
    assert_eq!(new.len(), added as usize);

    let names = |parts: &Parts| -> Vec<String> {
        parts.kept.iter().map(|(what, _)| what.clone()).collect()
    };
    assert_eq!(names(&made), names(&built));
    for ((what, before), (_, after)) in built.kept.iter().zip(&made.kept) {
        assert!(before == after, "{what} is another one");
    }

    // Which function is meant by each index.
    let prefix = format!("{module}.");
    let wasi = format!("{module}.wasi.");
    let mut becomes = HashMap::new();
    let mut instead: HashMap<u32, u32> = HashMap::new();
    for (name, _, index) in &built.exports {
        if let Some(name) = name.strip_prefix(&wasi) {
            let functions = built
                .imports
                .iter()
                .filter(|(_, _, ty)| ty.starts_with("Func"));
            for (import, (_, imported, _)) in functions.enumerate() {
                if imported == name {
                    instead.insert(import as u32, *index);
                }
            }
        } else if let Some(name) = name.strip_prefix(&prefix) {
            let place = new
                .iter()
                .position(|(from, import, _)| from == module && import == name);
            if let Some(place) = place {
                becomes.insert(*index, built.imported + place as u32);
            }
        }
    }
    let own = |index: u32| match index < built.imported {
        true => index,
        false => index + added,
    };
    let index = |index: u32, user: Option<u32>| {
        if let Some(import) = becomes.get(&index) {
            return *import;
        }
        match instead.get(&index) {
            Some(instead) if user != Some(*instead) => own(*instead),
            _ => own(index),
        }
    };

    let exports = built.exports.iter().filter(|(name, _, function)| {
        let is_stub = name.starts_with(&prefix) && becomes.contains_key(function);
        !is_stub && !name.starts_with(&wasi)
    });
    let exports: Vec<_> = exports
        .map(|(name, kind, at)| match kind {
            ExternalKind::Func => (name.clone(), *kind, index(*at, None)),
            _ => (name.clone(), *kind, *at),
        })
        .collect();
    assert_eq!(made.exports, exports);
    assert_eq!(made.start, built.start.map(|start| index(start, None)));
    let all = |functions: &[u32], user: Option<u32>| -> Vec<u32> {
        functions
            .iter()
            .map(|function| index(*function, user))
            .collect()
    };
    assert_eq!(made.elements.len(), built.elements.len());
    for (made, (kind, functions)) in made.elements.iter().zip(&built.elements) {
        assert_eq!(*made, (kind.clone(), all(functions, None)));
    }
    assert_eq!(made.bodies.len(), built.bodies.len());
    for (at, (made, (rest, indices))) in made.bodies.iter().zip(&built.bodies).enumerate() {
        let function = built.imported + at as u32;
        assert!(made.0 == *rest, "function {function} has another body");
        assert_eq!(made.1, all(indices, Some(function)), "function {function}");
    }
    added
}
