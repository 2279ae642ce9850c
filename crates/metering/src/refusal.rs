//! Why a module is not run: what is wrong with it, or which feature it uses that we do not take.

use borsh::{BorshDeserialize, BorshSerialize};
use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

/// What we take: all that rustc, clang and AssemblyScript emit, and that is the same on every engine.
///
/// `GC_TYPES` is what `externref` needs: wasmtime takes it only with a garbage collector built in, which nothing here needs.
pub(crate) const TAKEN: WasmFeatures = WasmFeatures::MVP
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::SIMD)
    .difference(WasmFeatures::GC_TYPES);

/// What we refuse, by the name of its proposal.
const REFUSED: &[(&str, WasmFeatures)] = &[
    ("externref", WasmFeatures::GC_TYPES),
    ("threads", WasmFeatures::THREADS),
    ("memory64", WasmFeatures::MEMORY64),
    ("multi-memory", WasmFeatures::MULTI_MEMORY),
    ("exceptions", WasmFeatures::EXCEPTIONS),
    ("legacy-exceptions", WasmFeatures::LEGACY_EXCEPTIONS),
    ("relaxed-simd", WasmFeatures::RELAXED_SIMD),
    ("function-references", WasmFeatures::FUNCTION_REFERENCES),
    (
        "gc",
        WasmFeatures::GC
            .union(WasmFeatures::GC_TYPES)
            .union(WasmFeatures::FUNCTION_REFERENCES),
    ),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("component-model-async", WasmFeatures::CM_ASYNC),
    ("component-model-values", WasmFeatures::CM_VALUES),
    (
        "stack-switching",
        WasmFeatures::STACK_SWITCHING
            .union(WasmFeatures::EXCEPTIONS)
            .union(WasmFeatures::FUNCTION_REFERENCES),
    ),
    (
        "shared-everything-threads",
        WasmFeatures::SHARED_EVERYTHING_THREADS
            .union(WasmFeatures::THREADS)
            .union(WasmFeatures::FUNCTION_REFERENCES)
            .union(WasmFeatures::GC),
    ),
];

/// Why a module is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
pub enum Refusal {
    /// It is not a module that can be run; the reason names the place or the figure.
    #[error("{reason}")]
    BadModule {
        /// What is wrong.
        reason: String,
    },
    /// It uses a feature of WebAssembly that we do not take.
    #[error("the module uses {feature}, which is not taken")]
    Feature {
        /// The proposal's name.
        feature: String,
    },
}

impl Refusal {
    /// A module that is refused for `reason`.
    pub fn bad(reason: impl std::fmt::Display) -> Self {
        Self::BadModule {
            reason: reason.to_string(),
        }
    }

    /// An invalid module may be one that uses a feature we do not take: then it is valid once that is added to `taken`.
    pub(crate) fn of_invalid(wasm: &[u8], taken: WasmFeatures, error: &BinaryReaderError) -> Self {
        let valid_with = |more: WasmFeatures| {
            Validator::new_with_features(taken.union(more))
                .validate_all(wasm)
                .is_ok()
        };
        let all = REFUSED
            .iter()
            .fold(WasmFeatures::empty(), |all, (_, one)| all.union(*one));
        if valid_with(all) {
            let named = REFUSED.iter().find(|(_, feature)| valid_with(*feature));
            return Self::Feature {
                feature: named
                    .map_or("several features", |(name, _)| name)
                    .to_owned(),
            };
        }
        Self::bad(format_args!(
            "not a valid module: {} at byte {}",
            error.message(),
            error.offset()
        ))
    }
}
