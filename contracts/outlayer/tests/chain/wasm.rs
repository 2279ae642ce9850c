//! The contract's wasm, built once for a run of the tests, and a client contract written by hand.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// Asks outlayer with its own arguments and deposit, and keeps the answer.
const CLIENT: &str = r#"
(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "attached_deposit" (func $attached_deposit (param i64)))
  (import "env" "current_account_id" (func $current_account_id (param i64)))
  (import "env" "promise_create" (func $promise_create (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_then" (func $promise_then (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_return" (func $promise_return (param i64)))
  (import "env" "promise_result" (func $promise_result (param i64 i64) (result i64)))
  (import "env" "storage_write" (func $storage_write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $storage_read (param i64 i64 i64) (result i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "outlayer.test")
  (data (i32.const 32) "request_execution")
  (data (i32.const 64) "on_answer")
  (data (i32.const 96) "\"failed\"")
  (data (i32.const 112) "a")
  (func (export "ask")
    (local $promise i64)
    (call $input (i64.const 0))
    (call $attached_deposit (i64.const 128))
    (call $current_account_id (i64.const 1))
    (local.set $promise
      (call $promise_create (i64.const 13) (i64.const 0) (i64.const 17) (i64.const 32)
        (i64.const -1) (i64.const 0) (i64.const 128) (i64.const 150000000000000)))
    (call $promise_return
      (call $promise_then (local.get $promise) (i64.const -1) (i64.const 1) (i64.const 9) (i64.const 64)
        (i64.const 0) (i64.const 0) (i64.const 256) (i64.const 10000000000000))))
  (func (export "on_answer")
    (if (i64.eq (call $promise_result (i64.const 0) (i64.const 0)) (i64.const 1))
      (then
        (drop (call $storage_write (i64.const 1) (i64.const 112) (i64.const -1) (i64.const 0) (i64.const 5)))
        (call $value_return (i64.const -1) (i64.const 0)))
      (else
        (drop (call $storage_write (i64.const 1) (i64.const 112) (i64.const 8) (i64.const 96) (i64.const 5)))
        (call $value_return (i64.const 8) (i64.const 96)))))
  (func (export "answer")
    (drop (call $storage_read (i64.const 1) (i64.const 112) (i64.const 0)))
    (call $value_return (i64.const -1) (i64.const 0))))
"#;

/// The client contract.
pub(crate) fn client() -> Vec<u8> {
    wat::parse_str(CLIENT).unwrap()
}

/// The contract under test.
pub(crate) fn outlayer() -> &'static [u8] {
    static WASM: LazyLock<Vec<u8>> = LazyLock::new(build);
    &WASM
}

/// Builds in the folder that the `outlayer` binary's build uses too, so that it is done once for both.
fn build() -> Vec<u8> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = workspace.join("target/wasm");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&workspace) // where .cargo/config.toml is, which turns `cfg(near)` on
        .args(["build", "--quiet", "--package", "outlayer-contract"])
        .args([
            "--target",
            "wasm32-unknown-unknown",
            "--profile",
            "contract",
        ])
        .arg("--target-dir")
        .arg(&folder);
    for (name, _) in std::env::vars_os() {
        let bends = [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_",
            "CLIPPY_",
        ];
        let name = name.to_string_lossy();
        if bends.iter().any(|bend| name.starts_with(bend)) {
            cargo.env_remove(&*name);
        }
    }
    assert!(cargo.status().unwrap().success(), "the contract must build");
    let wasm = "wasm32-unknown-unknown/contract/outlayer_contract.wasm";
    std::fs::read(folder.join(wasm)).unwrap()
}
