//! A module to compiled code.

use crate::engine;

use crate::wire::Response;

pub(super) fn compile(wasm: &[u8]) -> Response {
    let metered = match metering::meter(wasm) {
        Ok(metered) => metered,
        Err(refusal) => return Response::Refused(refusal),
    };
    let engine = match engine::engine() {
        Ok(engine) => engine,
        Err(error) => return Response::Failed(format!("no engine: {error:#}")),
    };
    match engine.precompile_module(&metered.wasm) {
        Ok(code) => Response::Compiled {
            code,
            unspent: metered.unspent.as_bytes().to_vec(),
        },
        // The module is valid, so this is a limit of the compiler that the module goes beyond.
        Err(error) => Response::Refused(metering::Refusal::bad(format_args!(
            "the module cannot be compiled: {error:#}"
        ))),
    }
}
