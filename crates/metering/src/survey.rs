//! Looks a module over before anything is done with it: valid, of the features we take, and small enough to compile.

use borsh::{BorshDeserialize, BorshSerialize};
use wasmparser::{
    CompositeInnerType, ExternalKind, FuncValidatorAllocations, Parser, Payload, TypeRef, ValType,
    ValidPayload, Validator, WasmFeatures,
};

use crate::{GAS_EXPORT, STACK_EXPORT, START_EXPORT};

/// The largest module that is taken, in bytes. The largest seen in the wild has 15.8 MB.
const MAX_WASM_BYTES: usize = 32 << 20;

/// Locals and parameters of one function. Cranelift's time is quadratic in them: 40,000 take it 86 s. Real modules peak at 258.
const MAX_LOCALS: u32 = 2_000;

/// Bytes of one function's body. Real modules peak at 402 KB.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Functions in a module.
const MAX_FUNCTIONS: usize = 100_000;

/// Entries that a module's tables start with, all together.
const MAX_TABLE_ENTRIES: u64 = 1_000_000;

/// What we take: all that rustc, clang and AssemblyScript emit, and that is the same on every engine.
const TAKEN: WasmFeatures = WasmFeatures::MVP
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
}

/// What the rewriting needs to know of one function.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Parameters.
    pub(crate) params: u32,
    /// Locals that are not parameters.
    pub(crate) locals: u32,
    /// The most operands at one time.
    pub(crate) operands: u32,
    /// What it returns.
    pub(crate) results: Vec<ValType>,
}

/// What the rewriting needs to know of a module.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The defined functions, in order.
    pub(crate) functions: Vec<Shape>,
    /// Types in the type section.
    pub(crate) types: u32,
    /// Globals, imported and defined.
    pub(crate) globals: u32,
}

impl Survey {
    /// Validates `wasm` and measures it.
    pub(crate) fn of(wasm: &[u8]) -> Result<Self, Refusal> {
        if wasm.len() > MAX_WASM_BYTES {
            return Err(Refusal::bad(format_args!(
                "the module has {} bytes; the most is {MAX_WASM_BYTES}",
                wasm.len()
            )));
        }
        if Parser::is_component(wasm) {
            return Err(Refusal::Feature {
                feature: "component-model".to_owned(),
            });
        }
        measure(wasm).map_err(|failure| match failure {
            Failure::Refused(refusal) => refusal,
            Failure::Invalid(error) => name_feature(wasm, &error),
        })
    }
}

/// Why measuring stopped.
enum Failure {
    Refused(Refusal),
    Invalid(wasmparser::BinaryReaderError),
}

impl From<wasmparser::BinaryReaderError> for Failure {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Invalid(error)
    }
}

fn refuse(reason: std::fmt::Arguments<'_>) -> Failure {
    Failure::Refused(Refusal::bad(reason))
}

fn measure(wasm: &[u8]) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    let mut validator = Validator::new_with_features(TAKEN);
    let mut allocations = FuncValidatorAllocations::default();
    let mut has_start = false;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        let valid = validator.payload(&payload)?;
        match payload {
            Payload::TypeSection(section) => survey.types = section.count(),
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if matches!(import?.ty, TypeRef::Global(_)) {
                        survey.globals = survey.globals.saturating_add(1);
                    }
                }
            }
            Payload::GlobalSection(section) => {
                survey.globals = survey.globals.saturating_add(section.count());
            }
            Payload::TableSection(section) => check_tables(section)?,
            Payload::ExportSection(section) => has_start = check_exports(section)?,
            _ => {}
        }
        if let ValidPayload::Func(function, body) = valid {
            if survey.functions.len() >= MAX_FUNCTIONS {
                return Err(refuse(format_args!(
                    "the module has more than {MAX_FUNCTIONS} functions"
                )));
            }
            let mut function = function.into_validator(allocations);
            survey.functions.push(shape(&mut function, &body)?);
            allocations = function.into_allocations();
        }
    }
    if !has_start {
        return Err(refuse(format_args!(
            "the module exports no function `_start`"
        )));
    }
    Ok(survey)
}

/// Validates one body and measures it.
fn shape(
    validator: &mut wasmparser::FuncValidator<wasmparser::ValidatorResources>,
    body: &wasmparser::FunctionBody<'_>,
) -> Result<Shape, Failure> {
    use wasmparser::WasmModuleResources as _;

    let index = validator.index();
    let size = body.range().len();
    if size > MAX_BODY_BYTES {
        return Err(refuse(format_args!(
            "function {index} has {size} bytes; the most is {MAX_BODY_BYTES}"
        )));
    }
    let params = validator.len_locals();
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let total = validator.len_locals();
    if total > MAX_LOCALS {
        return Err(refuse(format_args!(
            "function {index} has {total} locals; the most is {MAX_LOCALS}"
        )));
    }
    let mut operands = 0;
    let mut ops = wasmparser::OperatorsReader::new(reader);
    while !ops.eof() {
        let offset = ops.original_position();
        validator.op(offset, &ops.read()?)?;
        operands = operands.max(validator.operand_stack_height());
    }
    ops.finish()?;
    let resources = validator.resources();
    let results = resources
        .type_index_of_function(index)
        .and_then(|ty| resources.sub_type_at(ty))
        .and_then(|ty| match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => Some(ty.results().to_vec()),
            _ => None,
        })
        .unwrap_or_default();
    Ok(Shape {
        params,
        locals: total.saturating_sub(params),
        operands,
        results,
    })
}

fn check_tables(section: wasmparser::TableSectionReader<'_>) -> Result<(), Failure> {
    let mut entries = 0_u64;
    for table in section {
        entries = entries.saturating_add(table?.ty.initial);
    }
    if entries > MAX_TABLE_ENTRIES {
        return Err(refuse(format_args!(
            "the module's tables have {entries} entries; the most is {MAX_TABLE_ENTRIES}"
        )));
    }
    Ok(())
}

/// Whether there is a `_start`; our own names are not the module's to use.
fn check_exports(section: wasmparser::ExportSectionReader<'_>) -> Result<bool, Failure> {
    let mut has_start = false;
    for export in section {
        let export = export?;
        if [GAS_EXPORT, STACK_EXPORT, START_EXPORT].contains(&export.name) {
            return Err(refuse(format_args!(
                "the module exports `{}`, a reserved name",
                export.name
            )));
        }
        has_start |= export.name == "_start" && export.kind == ExternalKind::Func;
    }
    Ok(has_start)
}

/// An invalid module may be one that uses a feature we do not take: then it is valid once that is added.
fn name_feature(wasm: &[u8], error: &wasmparser::BinaryReaderError) -> Refusal {
    let valid_with = |more: WasmFeatures| {
        Validator::new_with_features(TAKEN.union(more))
            .validate_all(wasm)
            .is_ok()
    };
    let all = REFUSED
        .iter()
        .fold(WasmFeatures::empty(), |all, (_, one)| all.union(*one));
    if valid_with(all) {
        let named = REFUSED.iter().find(|(_, feature)| valid_with(*feature));
        return Refusal::Feature {
            feature: named
                .map_or("several features", |(name, _)| name)
                .to_owned(),
        };
    }
    Refusal::bad(format_args!(
        "not a valid module: {} at byte {}",
        error.message(),
        error.offset()
    ))
}
