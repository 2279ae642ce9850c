//! The forms that one module is compiled into: which compiler made the code, and which rewriting counts.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use borsh::{BorshDeserialize, BorshSerialize};
use metering::{METERING_VERSION, Variant};
use sha2::{Digest as _, Sha256};

/// Who turns a metered module into what runs. All count the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub(crate) enum Compiler {
    /// Slow to compile, fast to run.
    Cranelift,
    /// One pass: fast to compile, for a module never seen before.
    Winch,
    /// None: the metered module itself, for wasmi.
    Interpreter,
}

/// One form of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub(crate) struct Form {
    pub(crate) compiler: Compiler,
    pub(crate) variant: Variant,
}

impl Form {
    /// What is counted fast.
    pub(crate) const fn fast(compiler: Compiler) -> Self {
        Self {
            compiler,
            variant: Variant::Fast,
        }
    }

    /// The name under which the code of `artifact` is cached: of all that it depends on.
    pub(crate) fn key(self, artifact: [u8; 32], engine: u64) -> String {
        let mut key = Sha256::new();
        key.update(artifact);
        key.update(METERING_VERSION.to_le_bytes());
        key.update(engine.to_le_bytes());
        key.update(env!("CARGO_PKG_VERSION"));
        key.update(match self.compiler {
            Compiler::Cranelift => "cranelift",
            Compiler::Winch => "winch",
            Compiler::Interpreter => "interpreter",
        });
        key.update(match self.variant {
            Variant::Fast => "fast",
            Variant::Exact => "exact",
            Variant::Profiled => "profiled",
        });
        hex::encode(key.finalize())
    }
}

/// What compiled code depends on besides the module: engine, settings, processor.
pub(crate) fn fingerprint() -> wasmtime::Result<u64> {
    let mut hasher = DefaultHasher::new();
    wasmtime::Engine::new(&guest::engine::config()?)?
        .precompile_compatibility_hash()
        .hash(&mut hasher);
    Ok(hasher.finish())
}
