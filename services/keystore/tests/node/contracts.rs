//! Contracts that answer what they are told to, as real wasm.

use std::fmt::Write as _;

use serde_json::Value;

/// A contract each of whose views answers its JSON; one that has none fails.
pub(crate) fn answering(views: &[(&str, Option<Value>)]) -> Vec<u8> {
    let mut text = String::from(
        r#"(module
  (import "env" "value_return" (func $return (param i64 i64)))
  (import "env" "panic" (func $panic))
  (memory (export "memory") 2)
"#,
    );
    let mut at = 0;
    for (name, answer) in views {
        let Some(answer) = answer else {
            writeln!(text, r#"(func (export "{name}") (call $panic))"#).unwrap();
            continue;
        };
        let json = answer.to_string();
        let length = json.len();
        write!(text, "(data (i32.const {at}) \"").unwrap();
        for byte in json.bytes() {
            write!(text, "\\{byte:02x}").unwrap();
        }
        writeln!(
            text,
            "\")\n(func (export \"{name}\") (call $return (i64.const {length}) (i64.const {at})))"
        )
        .unwrap();
        at += length;
    }
    wat::parse_str(text + ")").unwrap()
}
