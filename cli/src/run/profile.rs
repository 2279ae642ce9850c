//! Gas by function, as a flame graph.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result};
use executor::Stack;
use inferno::flamegraph;
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Draws `stacks` of the module `wasm` into `file`.
pub(super) fn draw(stacks: &[Stack], wasm: &[u8], file: &Path) -> Result<()> {
    let names = names(wasm);
    let lines: Vec<String> = stacks
        .iter()
        .map(|stack| {
            let functions: Vec<_> = stack
                .functions
                .iter()
                .map(|number| name(&names, *number))
                .collect();
            format!("{} {}", functions.join(";"), stack.gas)
        })
        .collect();
    let mut options = flamegraph::Options::default();
    "Gas by function".clone_into(&mut options.title);
    "gas".clone_into(&mut options.count_name);
    let to = File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), to)
        .context("draw the flame graph")
}

fn name(names: &HashMap<u32, String>, number: u32) -> String {
    match names.get(&number) {
        // A semicolon would end the frame's name.
        Some(name) => format!("{:#}", rustc_demangle::demangle(name)).replace(';', ","),
        None => format!("function {number}"),
    }
}

/// The functions' names, as far as the module has them.
fn names(wasm: &[u8]) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(wasm).flatten() {
        let Payload::CustomSection(section) = payload else {
            continue;
        };
        let KnownCustom::Name(parts) = section.as_known() else {
            continue;
        };
        for part in parts.into_iter().flatten() {
            if let Name::Function(map) = part {
                let found = map.into_iter().flatten();
                names.extend(found.map(|naming| (naming.index, naming.name.to_owned())));
            }
        }
    }
    names
}
