//! What the binary carries with it: contracts to deploy, and guests to make repositories of. `build.rs` makes them from the
//! folders of this workspace, so that they are never older than the binary.

/// contracts/outlayer as a module for the chain.
pub const OUTLAYER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/outlayer_contract.wasm"));

/// examples/random-client as a module for the chain.
pub const RANDOM_CLIENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/random_client.wasm"));

/// The files of a guest: (path in its folder, contents).
pub type Files = &'static [(&'static str, &'static str)];

/// examples/random-ark: answers with a random number.
pub const RANDOM_ARK: Files = include!(concat!(env!("OUT_DIR"), "/random-ark.rs"));

/// examples/echo-ark: answers with its input and environment.
pub const ECHO_ARK: Files = include!(concat!(env!("OUT_DIR"), "/echo-ark.rs"));

/// tests/guests/many-ark: has the dependencies that guests usually have.
pub const MANY_ARK: Files = include!(concat!(env!("OUT_DIR"), "/many-ark.rs"));
