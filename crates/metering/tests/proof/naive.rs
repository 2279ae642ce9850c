//! The definition of gas once more, in the plainest code there is: each instruction subtracts its own cost before it runs.
//!
//! It shares nothing with the rewriting that it checks but the library that writes modules. It looks at no limit, so it can only
//! run what is known to end.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection, GlobalType,
    Instruction as I, Module, SectionId, ValType,
};
use wasmparser::{FunctionBody, Operator as Op, Parser, Payload, TypeRef};

/// Rewrites a module to export what is left of its gas by the same name as the real rewriting. A start section stays one.
pub(crate) fn meter(wasm: &[u8]) -> Vec<u8> {
    let mut naive = Naive::default();
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.unwrap() {
            Payload::TypeSection(section) => {
                types = section
                    .into_iter_err_on_gc_types()
                    .map(|ty| ty.unwrap().params().len())
                    .collect();
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if matches!(import.unwrap().ty, TypeRef::Global(_)) {
                        naive.gas += 1;
                    }
                }
            }
            Payload::FunctionSection(section) => {
                naive.params = section
                    .into_iter()
                    .map(|ty| types[ty.unwrap() as usize])
                    .collect();
            }
            Payload::GlobalSection(section) => naive.gas += section.count(),
            _ => {}
        }
    }
    naive.params.reverse();
    let mut module = Module::new();
    naive
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .unwrap();
    module.finish()
}

#[derive(Default)]
struct Naive {
    /// The global that holds the gas left.
    gas: u32,
    /// Parameters of the functions to come, the next one last.
    params: Vec<usize>,
    has_globals: bool,
    has_exports: bool,
}

impl Naive {
    fn charge(&self, function: &mut Function, cost: i64) {
        function
            .instruction(&I::GlobalGet(self.gas))
            .instruction(&I::I64Const(cost))
            .instruction(&I::I64Sub)
            .instruction(&I::GlobalSet(self.gas));
    }

    fn add_globals(&mut self, globals: &mut GlobalSection) {
        self.has_globals = true;
        let mutable = |val_type| GlobalType {
            val_type,
            mutable: true,
            shared: false,
        };
        globals.global(mutable(ValType::I64), &ConstExpr::i64_const(0));
        // The engines set a stack too.
        globals.global(mutable(ValType::I32), &ConstExpr::i32_const(0));
    }

    fn add_export(&mut self, exports: &mut ExportSection) {
        self.has_exports = true;
        exports.export(metering::GAS_EXPORT, ExportKind::Global, self.gas);
        exports.export(metering::STACK_EXPORT, ExportKind::Global, self.gas + 1);
    }
}

type Fallible<T> = Result<T, wasm_encoder::reencode::Error>;

impl Reencode for Naive {
    type Error = std::convert::Infallible;

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Fallible<()> {
        utils::parse_global_section(self, globals, section)?;
        self.add_globals(globals);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Fallible<()> {
        utils::parse_export_section(self, exports, section)?;
        self.add_export(exports);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Fallible<()> {
        let late = matches!(
            before,
            None | Some(
                SectionId::Start
                    | SectionId::Element
                    | SectionId::DataCount
                    | SectionId::Code
                    | SectionId::Data
            )
        );
        if !self.has_globals && (late || before == Some(SectionId::Export)) {
            let mut globals = GlobalSection::new();
            self.add_globals(&mut globals);
            module.section(&globals);
        }
        if !self.has_exports && late {
            let mut exports = ExportSection::new();
            self.add_export(&mut exports);
            module.section(&exports);
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Fallible<()> {
        let mut locals = Vec::new();
        let mut count_local = u32::try_from(self.params.pop().unwrap()).unwrap();
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            count_local += count;
            locals.push((count, RoundtripReencoder.val_type(ty)?));
        }
        locals.push((1, ValType::I32));
        let mut function = Function::new(locals);
        self.charge(&mut function, 1);
        for op in body.get_operators_reader()? {
            let op = op?;
            let is_free = matches!(
                op,
                Op::Nop
                    | Op::Drop
                    | Op::Block { .. }
                    | Op::Loop { .. }
                    | Op::Else
                    | Op::End
                    | Op::Return
                    | Op::Unreachable
            );
            if !is_free {
                self.charge(&mut function, 1);
            }
            let is_bulk = matches!(
                op,
                Op::MemoryCopy { .. }
                    | Op::MemoryFill { .. }
                    | Op::MemoryInit { .. }
                    | Op::TableCopy { .. }
                    | Op::TableFill { .. }
                    | Op::TableInit { .. }
                    | Op::TableGrow { .. }
            );
            if is_bulk {
                function
                    .instruction(&I::LocalTee(count_local))
                    .instruction(&I::GlobalGet(self.gas))
                    .instruction(&I::LocalGet(count_local))
                    .instruction(&I::I64ExtendI32U)
                    .instruction(&I::I64Sub)
                    .instruction(&I::GlobalSet(self.gas));
            }
            function.instruction(&RoundtripReencoder.instruction(op)?);
        }
        code.function(&function);
        Ok(())
    }
}
