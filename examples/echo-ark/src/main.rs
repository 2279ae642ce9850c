//! Answers with its input, and with the environment variables that the input names.
//!
//! Input: any text. If it is JSON of the form `{"env": ["NEAR_SENDER_ID", …]}`, those variables are told; `{"env": "all"}` tells
//! the variables of the platform, which begin with `NEAR_` or `OUTLAYER_`, and so no secret.
//! Output: `{"env": {…}, "input": "…"}`, the keys in order; a variable that is not set is `null`.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::process::ExitCode;

use tinyjson::JsonValue;

/// How the variables begin that the platform sets.
const OURS: [&str; 2] = ["NEAR_", "OUTLAYER_"];

fn main() -> ExitCode {
    let mut input = String::new();
    if let Err(error) = io::stdin().read_to_string(&mut input) {
        eprintln!("cannot read the input: {error}");
        return ExitCode::FAILURE;
    }
    let all: BTreeMap<String, String> = std::env::vars().collect();
    print!("{}", answer(&input, &all));
    ExitCode::SUCCESS
}

fn answer(input: &str, all: &BTreeMap<String, String>) -> String {
    let told: Vec<String> = asked_for(input, all)
        .into_iter()
        .map(|name| {
            format!(
                "{}:{}",
                quote(&name),
                all.get(&name)
                    .map_or("null".to_owned(), |value| quote(value))
            )
        })
        .collect();
    format!(
        "{{\"env\":{{{}}},\"input\":{}}}",
        told.join(","),
        quote(input)
    )
}

/// The names of the variables that the input asks for, in the order in which they are told.
fn asked_for(input: &str, all: &BTreeMap<String, String>) -> Vec<String> {
    let Ok(input) = input.parse::<JsonValue>() else {
        return Vec::new();
    };
    let env = input
        .get::<HashMap<String, JsonValue>>()
        .and_then(|fields| fields.get("env"));
    match env {
        Some(JsonValue::String(word)) if word == "all" => {
            let ours = |name: &&String| OURS.iter().any(|beginning| name.starts_with(beginning));
            all.keys().filter(ours).cloned().collect()
        }
        Some(JsonValue::Array(names)) => {
            let mut names: Vec<String> = names
                .iter()
                .filter_map(|name| name.get::<String>().cloned())
                .collect();
            names.sort();
            names.dedup();
            names
        }
        _ => Vec::new(),
    }
}

/// `text` as a JSON string.
fn quote(text: &str) -> String {
    JsonValue::String(text.to_owned())
        .stringify()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> BTreeMap<String, String> {
        [
            ("NEAR_SENDER_ID", "alice.near"),
            ("OUTLAYER_CALL_ID", ""),
            ("API_KEY", "s\"ecret"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn any_input_comes_back() {
        let answer = answer("hello \"you\"", &environment());

        assert_eq!(answer, r#"{"env":{},"input":"hello \"you\""}"#);
    }

    #[test]
    fn the_variables_that_are_named_are_told_and_one_that_is_not_set_is_null() {
        let answer = answer(r#"{"env":["API_KEY","MISSING"]}"#, &environment());

        assert!(
            answer.starts_with(r#"{"env":{"API_KEY":"s\"ecret","MISSING":null},"#),
            "{answer}"
        );
    }

    #[test]
    fn all_tells_what_the_platform_sets_and_no_secret() {
        let answer = answer(r#"{"env":"all"}"#, &environment());

        assert!(
            answer.starts_with(r#"{"env":{"NEAR_SENDER_ID":"alice.near","OUTLAYER_CALL_ID":""},"#),
            "{answer}"
        );
    }
}
