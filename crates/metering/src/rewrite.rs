//! Writes the module anew: the sections as they were, two globals more, and bodies that count.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataCountSection, DataSection, ElementSection,
    ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType, ImportSection,
    MemorySection, Module, TableSection, TypeSection, ValType,
};
use wasmparser::{KnownCustom, Parser, Payload};

use crate::function::{Body, Counters};
use crate::survey::Survey;
use crate::{GAS_EXPORT, Metered, Refusal, STACK_EXPORT, STACK_SLOTS, START_EXPORT, Unspent};

/// What goes wrong here went unseen by the survey.
pub(crate) type Fallible<T> = Result<T, wasm_encoder::reencode::Error>;

pub(crate) fn rewrite(wasm: &[u8], survey: &Survey) -> Result<Metered, Refusal> {
    let mut writer = Writer::new(survey);
    for payload in Parser::new(0).parse_all(wasm) {
        payload
            .map_err(Into::into)
            .and_then(|payload| writer.section(payload))
            .map_err(|error| Refusal::bad(format_args!("the module cannot be metered: {error}")))?;
    }
    writer.finish();
    Ok(Metered {
        wasm: writer.module.finish(),
        unspent: writer.unspent,
    })
}

struct Writer<'a> {
    survey: &'a Survey,
    module: Module,
    counters: Counters,
    /// The start section's function and the exports wait for each other: sections come in this order.
    exports: Option<ExportSection>,
    globals_written: bool,
    code: CodeSection,
    /// The name section, which may stand anywhere and goes last.
    names: Option<Vec<u8>>,
    unspent: Unspent,
    /// Function bodies seen so far.
    bodies: usize,
}

impl<'a> Writer<'a> {
    fn new(survey: &'a Survey) -> Self {
        Self {
            survey,
            module: Module::new(),
            counters: Counters::new(survey),
            exports: None,
            globals_written: false,
            code: CodeSection::new(),
            names: None,
            unspent: Unspent::default(),
            bodies: 0,
        }
    }

    fn section(&mut self, payload: Payload<'_>) -> Fallible<()> {
        let same = &mut RoundtripReencoder;
        match payload {
            Payload::TypeSection(from) => {
                let mut to = TypeSection::new();
                utils::parse_type_section(same, &mut to, from)?;
                for results in self.counters.result_types() {
                    let results = same.val_types(results.clone())?;
                    to.ty().function([], results);
                }
                self.module.section(&to);
            }
            Payload::ImportSection(from) => {
                let mut to = ImportSection::new();
                utils::parse_import_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::FunctionSection(from) => {
                let mut to = FunctionSection::new();
                utils::parse_function_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::TableSection(from) => {
                let mut to = TableSection::new();
                utils::parse_table_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::MemorySection(from) => {
                let mut to = MemorySection::new();
                utils::parse_memory_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::GlobalSection(from) => {
                let mut to = GlobalSection::new();
                utils::parse_global_section(same, &mut to, from)?;
                self.write_globals(to);
            }
            other => self.late_section(other)?,
        }
        Ok(())
    }

    /// The sections behind the globals.
    fn late_section(&mut self, payload: Payload<'_>) -> Fallible<()> {
        let same = &mut RoundtripReencoder;
        match payload {
            Payload::ExportSection(from) => {
                self.write_globals(GlobalSection::new());
                let mut to = ExportSection::new();
                utils::parse_export_section(same, &mut to, from)?;
                to.export(GAS_EXPORT, ExportKind::Global, self.counters.gas);
                to.export(STACK_EXPORT, ExportKind::Global, self.counters.stack);
                self.exports = Some(to);
            }
            Payload::StartSection { func, .. } => {
                if let Some(exports) = &mut self.exports {
                    exports.export(START_EXPORT, ExportKind::Func, func);
                }
            }
            Payload::ElementSection(from) => {
                self.write_exports();
                let mut to = ElementSection::new();
                utils::parse_element_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            Payload::DataCountSection { count, .. } => {
                self.write_exports();
                self.module.section(&DataCountSection { count });
            }
            Payload::CodeSectionEntry(body) => {
                self.write_exports();
                self.body(&body)?;
            }
            Payload::DataSection(from) => {
                self.finish_code();
                let mut to = DataSection::new();
                utils::parse_data_section(same, &mut to, from)?;
                self.module.section(&to);
            }
            // Names make backtraces readable. Other custom sections speak of offsets that are no more.
            Payload::CustomSection(from) if matches!(from.as_known(), KnownCustom::Name(_)) => {
                self.names = Some(from.data().to_vec());
            }
            _ => {}
        }
        Ok(())
    }

    fn body(&mut self, body: &wasmparser::FunctionBody<'_>) -> Fallible<()> {
        if let Some(shape) = self.survey.functions.get(self.bodies) {
            let written = Body::rewrite(&self.counters, shape, body)?;
            self.code.function(&written.function);
            self.unspent.push(&written.pairs);
        }
        self.bodies = self.bodies.saturating_add(1);
        Ok(())
    }

    /// Ours come last, so that the module's own keep their numbers.
    fn write_globals(&mut self, mut globals: GlobalSection) {
        if std::mem::replace(&mut self.globals_written, true) {
            return;
        }
        let mutable = |val_type| GlobalType {
            val_type,
            mutable: true,
            shared: false,
        };
        globals.global(mutable(ValType::I64), &ConstExpr::i64_const(0));
        globals.global(mutable(ValType::I32), &ConstExpr::i32_const(STACK_SLOTS));
        self.module.section(&globals);
    }

    fn write_exports(&mut self) {
        if let Some(exports) = self.exports.take() {
            self.module.section(&exports);
        }
    }

    fn finish_code(&mut self) {
        self.write_exports();
        let code = std::mem::take(&mut self.code);
        if !code.is_empty() {
            self.module.section(&code);
        }
    }

    fn finish(&mut self) {
        self.finish_code();
        if let Some(data) = self.names.take() {
            self.module.section(&CustomSection {
                name: "name".into(),
                data: data.into(),
            });
        }
    }
}
