//! Writes the module anew: the sections as they were, two globals more, and bodies that count.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, EntityType,
    ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType, ImportSection,
    MemorySection, Module, NameSection, StartSection, TableSection, TypeSection, ValType,
};
use wasmparser::{KnownCustom, Parser, Payload};

use crate::function::Body;
use crate::survey::Survey;
use crate::{
    GAS_EXPORT, METER_MODULE, Metered, PROFILE_ENTER, PROFILE_LEAVE, PROFILE_MODULE, Places,
    Refusal, STACK_EXPORT, STACK_SLOTS, START_EXPORT, Variant,
};

/// What goes wrong here went unseen by the survey.
pub(crate) type Fallible<T> = Result<T, Error>;

/// Where a module's counters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// In the module, which exports them. Its start section becomes an export as well, to be called once they are set.
    Own,
    /// In the module that keeps them for a whole component; they are imported from [`METER_MODULE`].
    Component,
}

pub(crate) fn rewrite(
    wasm: &[u8],
    survey: &Survey,
    variant: Variant,
    home: Home,
) -> Result<Metered, Refusal> {
    let (wasm, places) = write(wasm, survey, variant, home)
        .map_err(|error| Refusal::bad(format_args!("the module cannot be metered: {error}")))?;
    Ok(Metered {
        wasm,
        places,
        is_command: survey.is_command,
    })
}

fn write(
    wasm: &[u8],
    survey: &Survey,
    variant: Variant,
    home: Home,
) -> Fallible<(Vec<u8>, Places)> {
    let mut writer = Writer::new(survey, variant, home);
    for payload in Parser::new(0).parse_all(wasm) {
        writer.section(payload?)?;
    }
    writer.finish()
}

/// How functions and globals are numbered once there are more imports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    imported_functions: u32,
    more_functions: u32,
    imported_globals: u32,
    more_globals: u32,
}

impl Reencode for Numbers {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Fallible<u32> {
        Ok(if index < self.imported_functions {
            index
        } else {
            index.saturating_add(self.more_functions)
        })
    }

    fn global_index(&mut self, index: u32) -> Fallible<u32> {
        Ok(if index < self.imported_globals {
            index
        } else {
            index.saturating_add(self.more_globals)
        })
    }
}

/// The functions that a profiled module calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hooks {
    pub(crate) enter: u32,
    pub(crate) leave: u32,
}

/// What bodies are rewritten by.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) survey: &'a Survey,
    pub(crate) variant: Variant,
    pub(crate) numbers: Numbers,
    /// The global that holds the gas left.
    pub(crate) gas: u32,
    /// The global that holds the stack slots left.
    pub(crate) stack: u32,
    pub(crate) hooks: Option<Hooks>,
    /// The lists of several results, for each of which there is a block type behind the module's own types.
    results: Vec<Vec<wasmparser::ValType>>,
}

impl<'a> Context<'a> {
    fn new(survey: &'a Survey, variant: Variant, home: Home) -> Self {
        let (gas, more_globals) = match home {
            Home::Own => (survey.globals, 0),
            Home::Component => (survey.imported_globals, 2),
        };
        let mut results: Vec<_> = survey
            .functions
            .iter()
            .map(|function| function.results.clone())
            .filter(|results| results.len() > 1)
            .collect();
        results.sort();
        results.dedup();
        let hooks = (variant == Variant::Profiled).then_some(Hooks {
            enter: survey.imported_functions,
            leave: survey.imported_functions.saturating_add(1),
        });
        Self {
            survey,
            variant,
            numbers: Numbers {
                imported_functions: survey.imported_functions,
                more_functions: if hooks.is_some() { 2 } else { 0 },
                imported_globals: survey.imported_globals,
                more_globals,
            },
            gas,
            stack: gas.saturating_add(1),
            hooks,
            results,
        }
    }

    /// The number of the `place`th type behind the module's own.
    fn more_type(&self, place: usize) -> u32 {
        let types = self.survey.types.len();
        u32::try_from(types.saturating_add(place)).unwrap_or(u32::MAX)
    }

    /// The type of a block that returns `results`.
    pub(crate) fn block_type(&self, results: &[wasmparser::ValType]) -> Fallible<BlockType> {
        Ok(match results {
            [] => BlockType::Empty,
            [one] => BlockType::Result(self.numbers.clone().val_type(*one)?),
            several => {
                let place = self
                    .results
                    .partition_point(|known| known.as_slice() < several);
                BlockType::FunctionType(self.more_type(place))
            }
        })
    }
}

/// The type of a counter.
pub(crate) const fn mutable(val_type: ValType) -> GlobalType {
    GlobalType {
        val_type,
        mutable: true,
        shared: false,
    }
}

/// The sections that get something of ours, in the order that they come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Types,
    Imports,
    Globals,
    Exports,
    Rest,
}

struct Writer<'a> {
    context: Context<'a>,
    home: Home,
    module: Module,
    /// The first of the sections not yet written.
    stage: Stage,
    code: CodeSection,
    places: Places,
    /// Function bodies seen so far.
    bodies: u32,
    /// The name section, which may stand anywhere and goes last.
    names: Option<NameSection>,
}

impl<'a> Writer<'a> {
    fn new(survey: &'a Survey, variant: Variant, home: Home) -> Self {
        Self {
            context: Context::new(survey, variant, home),
            home,
            module: Module::new(),
            stage: Stage::Types,
            code: CodeSection::new(),
            places: Places::default(),
            bodies: 0,
            names: None,
        }
    }

    fn section(&mut self, payload: Payload<'_>) -> Fallible<()> {
        let same = &mut self.context.numbers.clone();
        match payload {
            Payload::TypeSection(from) => {
                let mut to = TypeSection::new();
                utils::parse_type_section(same, &mut to, from)?;
                self.types(to)?;
            }
            Payload::ImportSection(from) => {
                self.catch_up(Stage::Imports)?;
                let mut to = ImportSection::new();
                utils::parse_import_section(same, &mut to, from)?;
                self.imports(to);
            }
            Payload::FunctionSection(from) => {
                self.catch_up(Stage::Globals)?;
                let mut to = FunctionSection::new();
                utils::parse_function_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::TableSection(from) => {
                self.catch_up(Stage::Globals)?;
                let mut to = TableSection::new();
                utils::parse_table_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::MemorySection(from) => {
                self.catch_up(Stage::Globals)?;
                let mut to = MemorySection::new();
                utils::parse_memory_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::GlobalSection(from) => {
                self.catch_up(Stage::Globals)?;
                let mut to = GlobalSection::new();
                utils::parse_global_section(same, &mut to, from)?;
                self.globals(to);
            }
            Payload::ExportSection(from) => {
                self.catch_up(Stage::Exports)?;
                let mut to = ExportSection::new();
                utils::parse_export_section(same, &mut to, from)?;
                self.exports(to)?;
            }
            other => self.late_section(other)?,
        }
        Ok(())
    }

    /// The sections behind the exports.
    fn late_section(&mut self, payload: Payload<'_>) -> Fallible<()> {
        let same = &mut self.context.numbers.clone();
        match payload {
            Payload::StartSection { func, .. } if self.home == Home::Component => {
                self.catch_up(Stage::Rest)?;
                let function_index = same.function_index(func)?;
                self.module.section(&StartSection { function_index });
            }
            Payload::ElementSection(from) => {
                self.catch_up(Stage::Rest)?;
                let mut to = ElementSection::new();
                utils::parse_element_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::DataCountSection { count, .. } => {
                self.catch_up(Stage::Rest)?;
                self.module.section(&DataCountSection { count });
            }
            Payload::CodeSectionEntry(body) => self.body(&body)?,
            Payload::DataSection(from) => {
                self.write_code()?;
                let mut to = DataSection::new();
                utils::parse_data_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            // Names make backtraces readable. Other custom sections speak of offsets that are no more.
            Payload::CustomSection(from) => {
                if let KnownCustom::Name(names) = from.as_known() {
                    // A damaged name section does not make a module invalid.
                    self.names = same.custom_name_section(names).ok();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the sections before `stage` that the module does not have, since we have something for them.
    fn catch_up(&mut self, stage: Stage) -> Fallible<()> {
        if self.stage == Stage::Types && stage > Stage::Types {
            self.types(TypeSection::new())?;
        }
        if self.stage == Stage::Imports && stage > Stage::Imports {
            self.imports(ImportSection::new());
        }
        if self.stage == Stage::Globals && stage > Stage::Globals {
            self.globals(GlobalSection::new());
        }
        if self.stage == Stage::Exports && stage > Stage::Exports {
            self.exports(ExportSection::new())?;
        }
        Ok(())
    }

    /// Ours come behind the module's own: results of blocks around bodies, then the types of the hooks.
    fn types(&mut self, mut types: TypeSection) -> Fallible<()> {
        for results in &self.context.results {
            let results = self.context.numbers.clone().val_types(results.clone())?;
            types.ty().function([], results);
        }
        if self.context.hooks.is_some() {
            types.ty().function([ValType::I32], []);
            types.ty().function([], []);
        }
        self.stage = Stage::Imports;
        if !types.is_empty() {
            self.module.section(&types);
        }
        Ok(())
    }

    fn imports(&mut self, mut imports: ImportSection) {
        if self.context.hooks.is_some() {
            let first = self.context.results.len();
            let enter = EntityType::Function(self.context.more_type(first));
            let leave = EntityType::Function(self.context.more_type(first.saturating_add(1)));
            imports.import(PROFILE_MODULE, PROFILE_ENTER, enter);
            imports.import(PROFILE_MODULE, PROFILE_LEAVE, leave);
        }
        if self.home == Home::Component {
            imports.import(METER_MODULE, GAS_EXPORT, mutable(ValType::I64));
            imports.import(METER_MODULE, STACK_EXPORT, mutable(ValType::I32));
        }
        self.stage = Stage::Globals;
        if !imports.is_empty() {
            self.module.section(&imports);
        }
    }

    fn globals(&mut self, mut globals: GlobalSection) {
        if self.home == Home::Own {
            globals.global(mutable(ValType::I64), &ConstExpr::i64_const(0));
            globals.global(mutable(ValType::I32), &ConstExpr::i32_const(STACK_SLOTS));
        }
        self.stage = Stage::Exports;
        if !globals.is_empty() {
            self.module.section(&globals);
        }
    }

    fn exports(&mut self, mut exports: ExportSection) -> Fallible<()> {
        if self.home == Home::Own {
            exports.export(GAS_EXPORT, ExportKind::Global, self.context.gas);
            exports.export(STACK_EXPORT, ExportKind::Global, self.context.stack);
            if let Some(start) = self.context.survey.start {
                let start = self.context.numbers.clone().function_index(start)?;
                exports.export(START_EXPORT, ExportKind::Func, start);
            }
        }
        self.stage = Stage::Rest;
        if !exports.is_empty() {
            self.module.section(&exports);
        }
        Ok(())
    }

    fn body(&mut self, body: &wasmparser::FunctionBody<'_>) -> Fallible<()> {
        let survey = self.context.survey;
        let index = survey.imported_functions.saturating_add(self.bodies);
        self.bodies = self.bodies.saturating_add(1);
        if let Some(shape) = survey.defined(index) {
            let written = Body::rewrite(&self.context, index, shape, body)?;
            self.code.function(&written.function);
            self.places.push(&written.pairs);
        }
        Ok(())
    }

    fn write_code(&mut self) -> Fallible<()> {
        self.catch_up(Stage::Rest)?;
        let code = std::mem::take(&mut self.code);
        if !code.is_empty() {
            self.module.section(&code);
        }
        Ok(())
    }

    fn finish(mut self) -> Fallible<(Vec<u8>, Places)> {
        self.write_code()?;
        if let Some(names) = self.names.take() {
            self.module.section(&names);
        }
        Ok((self.module.finish(), self.places))
    }
}
