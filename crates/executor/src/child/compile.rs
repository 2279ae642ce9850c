//! A module to what runs: metered, then compiled.

mod mark;

use metering::Refusal;
use wasmtime::{Engine, Strategy};

use super::wire::{Ask, Told};
use crate::form::Compiler;

pub(super) fn compile(ask: &Ask) -> Told {
    let metered = match metering::meter(&ask.wasm, ask.form.variant) {
        Ok(metered) if metered.is_command => metered.wasm,
        Ok(_) => {
            return Told::Refused(Refusal::bad("the module exports no function `_start`"));
        }
        Err(refusal) => return Told::Refused(refusal),
    };
    let compiled = match ask.form.compiler {
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
    Engine::new(&guest::engine::config()?)?.precompile_module(wasm)
}

/// Winch where it can, Cranelift for what Winch does not know, such as tail calls.
fn winch(wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut config = guest::engine::config()?;
    config.strategy(Strategy::Winch);
    let engine = Engine::new(&config)?;
    match engine.precompile_module(wasm) {
        Ok(code) => mark::as_anybodys(code),
        Err(_) => cranelift(wasm),
    }
}
