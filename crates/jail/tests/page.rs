//! The page for operators and auditors tells what the code does.

use std::{collections::BTreeSet, fs};

use jail::{Layer, calls};

#[test]
fn the_page_names_every_layer_and_every_call() {
    let page = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/sandbox.md"
    ))
    .unwrap();

    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .collect();
    let calls = calls::FORK_SERVER
        .iter()
        .chain(&calls::COMPILE_WORKER)
        .map(|call| call.name);

    for layer in Layer::ALL.into_iter().chain(Layer::ROOM) {
        assert!(
            rows.iter()
                .any(|row| row.starts_with(&format!("{layer} |"))),
            "{layer}"
        );
    }
    for call in calls.collect::<BTreeSet<_>>() {
        let named = |row: &&str| {
            row.split_once('|')
                .is_some_and(|(first, _)| first.contains(&format!("`{call}`")))
        };
        assert!(rows.iter().any(named), "{call}");
    }
}

#[test]
fn every_test_that_the_page_names_exists() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let page = fs::read_to_string(format!("{folder}/../../docs/sandbox.md")).unwrap();

    let words = page
        .split('`')
        .filter(|word| !word.contains([' ', '(', '*']));
    let named = words.filter_map(|word| word.rsplit_once("::"));

    for (place, test) in named {
        let file = place.split("::").next().unwrap();
        let paths = ["tests", "src", "../compiler/tests/compiler"]
            .map(|of| format!("{folder}/{of}/{file}.rs"));
        // What is no file is an item of the crate, which rustdoc knows.
        let Some(source) = paths.iter().find_map(|path| fs::read_to_string(path).ok()) else {
            continue;
        };
        assert!(source.contains(&format!("fn {test}(")), "{place}::{test}");
    }
}
