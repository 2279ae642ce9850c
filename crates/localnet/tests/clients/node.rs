//! What every client is tried on: a node of its own, and a contract.

use localnet::{Config, Genesis, Server, ServerConfig};

/// `set` keeps its input under `key`, `get` returns it.
const CONTRACT: &str = r#"(module
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (import "env" "storage_write" (func $write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $read (param i64 i64 i64) (result i64)))
  (import "env" "input" (func $input (param i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "key")
  (func (export "set")
    (call $input (i64.const 0))
    (drop (call $write (i64.const 3) (i64.const 0) (i64.const -1) (i64.const 0) (i64.const 1))))
  (func (export "get")
    (drop (call $read (i64.const 3) (i64.const 0) (i64.const 0)))
    (call $value_return (i64.const -1) (i64.const 0))))"#;

/// The contract as clients deploy it.
pub(crate) fn contract() -> Vec<u8> {
    wat::parse_str(CONTRACT).unwrap()
}

/// How the node is run: in memory, and everything is final at once.
pub(crate) fn settings() -> ServerConfig {
    ServerConfig::over(Config::in_memory(Genesis::sandbox(0)))
}

/// A node that answers.
pub(crate) async fn start() -> Server {
    Server::start(settings()).await.unwrap()
}
