//! The VM's errors in the words in which a node reports them.

use near_primitives::errors as node;
use near_vm_runner::logic::errors as vm;

/// A failed call, as it stands in an outcome.
pub fn convert_error(error: &vm::FunctionCallError) -> node::FunctionCallError {
    use vm::FunctionCallError as E;
    match error {
        E::CompilationError(error) => {
            node::FunctionCallError::CompilationError(compilation_error(error))
        }
        E::MethodResolveError(error) => node::FunctionCallError::MethodResolveError(match error {
            vm::MethodResolveError::MethodEmptyName => node::MethodResolveError::MethodEmptyName,
            vm::MethodResolveError::MethodNotFound => node::MethodResolveError::MethodNotFound,
            vm::MethodResolveError::MethodInvalidSignature => {
                node::MethodResolveError::MethodInvalidSignature
            }
        }),
        E::LinkError { msg } => {
            node::FunctionCallError::ExecutionError(format!("Link Error: {msg}"))
        }
        E::HostError(_) | E::WasmTrap(_) | E::LoadingError { .. } => {
            node::FunctionCallError::ExecutionError(error.to_string())
        }
    }
}

fn compilation_error(error: &vm::CompilationError) -> node::CompilationError {
    match error {
        vm::CompilationError::CodeDoesNotExist { account_id } => match account_id.parse() {
            Ok(account_id) => node::CompilationError::CodeDoesNotExist { account_id },
            Err(_) => node::CompilationError::WasmerCompileError {
                msg: error.to_string(),
            },
        },
        vm::CompilationError::PrepareError(error) => {
            node::CompilationError::PrepareError(prepare_error(error))
        }
        vm::CompilationError::WasmerCompileError { msg }
        | vm::CompilationError::WasmtimeCompileError { msg } => {
            node::CompilationError::WasmerCompileError { msg: msg.clone() }
        }
    }
}

/// By name: the two enums number their variants differently.
const fn prepare_error(error: &vm::PrepareError) -> node::PrepareError {
    use node::PrepareError as N;
    use vm::PrepareError as V;
    match error {
        V::Serialization => N::Serialization,
        V::Deserialization => N::Deserialization,
        V::InternalMemoryDeclared => N::InternalMemoryDeclared,
        V::GasInstrumentation => N::GasInstrumentation,
        V::StackHeightInstrumentation => N::StackHeightInstrumentation,
        V::Instantiate => N::Instantiate,
        V::Memory => N::Memory,
        V::TooManyFunctions => N::TooManyFunctions,
        V::TooManyLocals => N::TooManyLocals,
        V::TooManyTables => N::TooManyTables,
        V::TooManyTableElements => N::TooManyTableElements,
        V::FunctionBodyTooLarge => N::FunctionBodyTooLarge,
        V::InstrumentedCodeTooLarge => N::InstrumentedCodeTooLarge,
        V::TooManyBlocksPerFunction => N::TooManyBlocksPerFunction,
        V::TooManyBlocksPerContract => N::TooManyBlocksPerContract,
        V::TooManyTypes => N::TooManyTypes,
        V::TooManyParamsPerFunction => N::TooManyParamsPerFunction,
        V::TooManyParamsPerContract => N::TooManyParamsPerContract,
        V::OperandStackTooLarge => N::OperandStackTooLarge,
        V::TooManyGlobals => N::TooManyGlobals,
    }
}
