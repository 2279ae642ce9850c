//! Looks a module over before anything is done with it: valid, of the features we take, and small enough to compile.

use wasmparser::{
    BlockType, CompositeInnerType, ExternalKind, FuncValidatorAllocations, Operator as Op, Parser,
    Payload, TypeRef, ValType, ValidPayload, Validator,
};

use crate::refusal::TAKEN;
use crate::{
    GAS_EXPORT, METER_MODULE, PROFILE_MODULE, Refusal, STACK_EXPORT, START_EXPORT, cost, limits,
};

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
    /// Whether it calls others that come back to it, and so takes a frame.
    pub(crate) calls: bool,
}

/// What the rewriting needs to know of a module.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The defined functions, in order.
    pub(crate) functions: Vec<Shape>,
    /// Parameters and results of each type in the type section.
    pub(crate) types: Vec<(usize, usize)>,
    /// Functions that are imported; they come first.
    pub(crate) imported_functions: u32,
    /// Globals that are imported; they come first.
    pub(crate) imported_globals: u32,
    /// Globals, imported and defined.
    pub(crate) globals: u32,
    /// The start section's function.
    pub(crate) start: Option<u32>,
    /// Functions that can be entered from outside: exported ones and the start section's.
    pub(crate) doors: std::collections::BTreeSet<u32>,
    /// Whether there is a tail call anywhere.
    pub(crate) tail_calls: bool,
    /// Where the code section's contents begin, in bytes of the module.
    pub(crate) code_start: usize,
    /// Whether a function `_start` is exported.
    pub(crate) is_command: bool,
}

impl Survey {
    /// Validates `wasm` and measures it.
    pub(crate) fn of(wasm: &[u8]) -> Result<Self, Refusal> {
        limits::check("the module", wasm.len(), "bytes", limits::WASM_BYTES)?;
        let mut survey = Self::default();
        survey.measure(wasm).map_err(|failure| match failure {
            Failure::Refused(refusal) => refusal,
            Failure::Invalid(error) => Refusal::of_invalid(wasm, TAKEN, &error),
        })?;
        Ok(survey)
    }

    /// The function that has `index`, unless it is imported.
    pub(crate) fn defined(&self, index: u32) -> Option<&Shape> {
        let place = index.checked_sub(self.imported_functions)?;
        self.functions.get(usize::try_from(place).ok()?)
    }

    /// How many values a block of this type takes and leaves.
    pub(crate) fn arity(&self, ty: BlockType) -> (usize, usize) {
        match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => usize::try_from(index)
                .ok()
                .and_then(|index| self.types.get(index).copied())
                .unwrap_or_default(),
        }
    }

    fn measure(&mut self, wasm: &[u8]) -> Result<(), Failure> {
        let mut validator = Validator::new_with_features(TAKEN);
        let mut allocations = FuncValidatorAllocations::default();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            check_counts(&payload)?;
            let valid = validator.payload(&payload)?;
            self.section(payload)?;
            if let ValidPayload::Func(function, body) = valid {
                let mut function = function.into_validator(allocations);
                let shape = self.shape(&mut function, &body)?;
                self.functions.push(shape);
                allocations = function.into_allocations();
            }
        }
        Ok(())
    }

    fn section(&mut self, payload: Payload<'_>) -> Result<(), Failure> {
        match payload {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    self.types.push((ty.params().len(), ty.results().len()));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if [METER_MODULE, PROFILE_MODULE].contains(&import.module) {
                        return Err(Refusal::bad(format_args!(
                            "the module imports from `{}`, a reserved name",
                            import.module
                        ))
                        .into());
                    }
                    match import.ty {
                        TypeRef::Global(_) => bump(&mut self.imported_globals, 1),
                        TypeRef::Func(_) => bump(&mut self.imported_functions, 1),
                        _ => {}
                    }
                }
                self.globals = self.imported_globals;
            }
            Payload::GlobalSection(section) => bump(&mut self.globals, section.count()),
            Payload::TableSection(section) => {
                let mut entries = 0_u64;
                for table in section {
                    entries = entries.saturating_add(table?.ty.initial);
                }
                limits::check(
                    "the sum of all tables",
                    entries,
                    "entries",
                    limits::TABLE_ENTRIES,
                )?;
            }
            Payload::ExportSection(section) => self.exports(section)?,
            Payload::StartSection { func, .. } => {
                self.start = Some(func);
                self.doors.insert(func);
            }
            Payload::CodeSectionStart { range, .. } => self.code_start = range.start,
            _ => {}
        }
        Ok(())
    }

    /// Notes the exports; our own names are not the module's to use.
    fn exports(&mut self, section: wasmparser::ExportSectionReader<'_>) -> Result<(), Failure> {
        for export in section {
            let export = export?;
            if [GAS_EXPORT, STACK_EXPORT, START_EXPORT].contains(&export.name) {
                return Err(Failure::Refused(Refusal::bad(format_args!(
                    "the module exports `{}`, a reserved name",
                    export.name
                ))));
            }
            if export.kind == ExternalKind::Func {
                self.is_command |= export.name == "_start";
                self.doors.insert(export.index);
            }
        }
        Ok(())
    }

    /// Validates one body and measures it.
    fn shape(
        &mut self,
        validator: &mut wasmparser::FuncValidator<wasmparser::ValidatorResources>,
        body: &wasmparser::FunctionBody<'_>,
    ) -> Result<Shape, Failure> {
        let index = validator.index();
        let name = format!("function {index}");
        limits::check(&name, body.range().len(), "bytes", limits::BODY_BYTES)?;
        let params = validator.len_locals();
        // The validator takes up to 50,000 locals, and we fewer: the figure comes first.
        let mut locals = u64::from(params);
        for group in body.get_locals_reader()? {
            locals = locals.saturating_add(u64::from(group?.0));
        }
        limits::check(&name, locals, "locals", limits::LOCALS)?;
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let mut measured = Measured::default();
        let mut ops = wasmparser::OperatorsReader::new(reader);
        while !ops.eof() {
            let offset = ops.original_position();
            let op = ops.read()?;
            measured.note(&op);
            validator.op(offset, &op)?;
            limits::check(
                &name,
                validator.control_stack_height(),
                "nested blocks",
                limits::NESTING,
            )?;
            measured.operands = measured.operands.max(validator.operand_stack_height());
        }
        ops.finish()?;
        measured.check(&name, locals)?;
        self.tail_calls |= measured.tail_calls;
        Ok(Shape {
            params,
            locals: validator.len_locals().saturating_sub(params),
            operands: measured.operands,
            results: results(validator),
            calls: measured.calls,
        })
    }
}

/// What one walk over a body finds.
#[derive(Default)]
struct Measured {
    operands: u32,
    blocks: u64,
    targets: u64,
    most_targets: u64,
    calls: bool,
    tail_calls: bool,
}

impl Measured {
    fn note(&mut self, op: &Op<'_>) {
        self.calls |= cost::is_call(op);
        self.tail_calls |= cost::is_tail_call(op);
        match op {
            Op::Block { .. } | Op::Loop { .. } | Op::If { .. } | Op::Else | Op::BrIf { .. } => {
                self.blocks = self.blocks.saturating_add(1);
            }
            Op::BrTable { targets } => {
                let targets = u64::from(targets.len());
                self.targets = self.targets.saturating_add(targets);
                self.most_targets = self.most_targets.max(targets);
            }
            _ => {}
        }
    }

    fn check(&self, name: &str, locals: u64) -> Result<(), Refusal> {
        limits::check(name, self.operands, "operands", limits::OPERANDS)?;
        limits::check(
            name,
            locals.saturating_mul(self.blocks),
            "locals times blocks",
            limits::LOCALS_TIMES_BLOCKS,
        )?;
        limits::check(
            name,
            self.most_targets,
            "targets of one br_table",
            limits::BR_TABLE_TARGETS,
        )?;
        limits::check(
            name,
            self.targets,
            "br_table targets",
            limits::BR_TABLE_TARGETS_OF_FUNCTION,
        )
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

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Looks at the number of entries that a section says it has, before they are read.
fn check_counts(payload: &Payload<'_>) -> Result<(), Refusal> {
    let (found, what, most) = match payload {
        Payload::TypeSection(section) => (section.count(), "types", limits::TYPES),
        Payload::ImportSection(section) => (section.count(), "imports", limits::IMPORTS),
        Payload::FunctionSection(section) => (section.count(), "functions", limits::FUNCTIONS),
        Payload::TableSection(section) => (section.count(), "tables", limits::TABLES),
        Payload::GlobalSection(section) => (section.count(), "globals", limits::GLOBALS),
        Payload::ExportSection(section) => (section.count(), "exports", limits::EXPORTS),
        Payload::DataSection(section) => (section.count(), "data segments", limits::DATA_SEGMENTS),
        Payload::ElementSection(section) => {
            check_elements(section.clone())?;
            (
                section.count(),
                "element segments",
                limits::ELEMENT_SEGMENTS,
            )
        }
        _ => return Ok(()),
    };
    limits::check("the module", found, what, most)
}

/// What cannot be read here is refused when it is validated.
fn check_elements(section: wasmparser::ElementSectionReader<'_>) -> Result<(), Refusal> {
    let items = section.into_iter().map_while(Result::ok);
    let items = items.map(|element| match element.items {
        wasmparser::ElementItems::Functions(items) => u64::from(items.count()),
        wasmparser::ElementItems::Expressions(_, items) => u64::from(items.count()),
    });
    let entries = items.fold(0, u64::saturating_add);
    limits::check(
        "the sum of all element segments",
        entries,
        "entries",
        limits::ELEMENTS,
    )
}

/// What the function under validation returns.
fn results(validator: &wasmparser::FuncValidator<wasmparser::ValidatorResources>) -> Vec<ValType> {
    use wasmparser::WasmModuleResources as _;

    let resources = validator.resources();
    resources
        .type_index_of_function(validator.index())
        .and_then(|ty| resources.sub_type_at(ty))
        .and_then(|ty| match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => Some(ty.results().to_vec()),
            _ => None,
        })
        .unwrap_or_default()
}

fn bump(count: &mut u32, by: u32) {
    *count = count.saturating_add(by);
}
