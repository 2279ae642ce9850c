//! A module to what runs: metered, then compiled.

mod mark;

use metering::Refusal;
use wasmtime::{Engine, Strategy};

use super::wire::Told;
use crate::form::{Compiler, Form};

pub(super) fn compile(wasm: &[u8], form: Form) -> Told {
    let metered = match metering::meter(wasm, form.variant) {
        Ok(metered) if metered.is_command => metered.wasm,
        Ok(_) => {
            return Told::Refused(Refusal::bad("the module exports no function `_start`"));
        }
        Err(refusal) => return Told::Refused(refusal),
    };
    let compiled = match form.compiler {
        Compiler::Interpreter if is_component(&metered) => {
            return Told::Refused(Refusal::Feature {
                feature: "components under the interpreter".to_owned(),
            });
        }
        Compiler::Interpreter => return Told::Compiled { code: metered },
        Compiler::Cranelift => cranelift(&metered),
        Compiler::Winch => winch(&metered),
    };
    match compiled {
        Ok(code) => Told::Compiled { code },
        // The module is valid, so this is a limit of the compiler that the module goes beyond.
        Err(error) => Told::Refused(Refusal::bad(format_args!(
            "the module cannot be compiled: {error:#}"
        ))),
    }
}

fn cranelift(wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    precompile(Strategy::Cranelift, wasm)
}

/// Winch where it can, Cranelift for what Winch does not know, such as tail calls.
fn winch(wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    match precompile(Strategy::Winch, wasm) {
        Ok(code) => mark::as_anybodys(code),
        Err(_) => cranelift(wasm),
    }
}

fn precompile(strategy: Strategy, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    if is_component(wasm) {
        let mut config = guest::engine::component_config()?;
        Engine::new(config.strategy(strategy))?.precompile_component(wasm)
    } else {
        let mut config = guest::engine::config()?;
        Engine::new(config.strategy(strategy))?.precompile_module(wasm)
    }
}

/// A component's first bytes are a module's but for the version and the layer.
fn is_component(wasm: &[u8]) -> bool {
    wasm.get(4..8) == Some(&[0x0d, 0, 1, 0])
}
