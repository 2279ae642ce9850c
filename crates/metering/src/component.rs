//! A component, metered module by module, with one gas for all of them.
//!
//! A small module of ours is instantiated before all others. It keeps the counters, which the others import, and asks the
//! component's host for the limit as it starts. So the component gets a prelude, and what comes behind it other numbers:
//!
//! ```text
//! (import "outlayer-gas-limit" (func $limit (result s64)))
//! (core func $lowered (canon lower (func $limit)))
//! (core module $meter …)
//! (core instance $given (export "limit" (func $lowered)))
//! (core instance $metering (instantiate $meter (with "" (instance $given))))
//! (core func $left (alias core export $metering "left"))
//! (func $lifted (canon lift (core func $left)))
//! the component as it was, each module metered and instantiated with $metering
//! (export "outlayer-gas-left" (func $lifted))
//! ```

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, CodeSection, Component,
    ComponentAliasSection, ComponentExportKind, ComponentExportSection, ComponentImportSection,
    ComponentSectionId, ComponentTypeRef, ComponentTypeSection, ConstExpr, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, ImportSection, InstanceSection,
    Instruction as I, Module, ModuleArg, ModuleSection, PrimitiveValType, RawSection, StartSection,
    TypeSection, ValType,
};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use crate::refusal::TAKEN;
use crate::rewrite::{Home, mutable, rewrite};
use crate::survey::Survey;
use crate::{
    GAS_EXPORT, LEFT_EXPORT, LIMIT_IMPORT, METER_MODULE, Metered, Places, Refusal, STACK_EXPORT,
    STACK_SLOTS, Variant, limits,
};

/// What the prelude defines, of each kind that what follows numbers: types, functions, core functions, modules, core instances.
const TYPES: u32 = 1;
const FUNCTIONS: u32 = 2;
const CORE_FUNCTIONS: u32 = 2;
const MODULES: u32 = 1;
const CORE_INSTANCES: u32 = 2;

/// Modules in a component; `wit-component` makes four.
const MOST_MODULES: u64 = 100;

pub(crate) fn meter(wasm: &[u8], variant: Variant) -> Result<Metered, Refusal> {
    limits::check("the component", wasm.len(), "bytes", limits::WASM_BYTES)?;
    if variant == Variant::Profiled {
        return Err(Refusal::bad(
            "a component cannot be profiled, only a module",
        ));
    }
    let taken = TAKEN.union(WasmFeatures::COMPONENT_MODEL);
    Validator::new_with_features(taken)
        .validate_all(wasm)
        .map_err(|error| Refusal::of_invalid(wasm, taken, &error))?;
    let is_command = look_over(wasm)?;
    let mut component = Component::new();
    write_prelude(&mut component);
    let mut writer = Writer { variant, depth: 0 };
    writer
        .parse_component(&mut component, Parser::new(0), wasm)
        .map_err(|error| match error {
            Error::UserError(refusal) => refusal,
            error => Refusal::bad(format_args!("the component cannot be metered: {error}")),
        })?;
    let mut exports = ComponentExportSection::new();
    exports.export(LEFT_EXPORT, ComponentExportKind::Func, 1, None);
    component.section(&exports);
    Ok(Metered {
        wasm: component.finish(),
        places: Places::default(),
        is_command,
    })
}

/// Refuses what cannot be metered in a valid component; tells whether it is a program.
fn look_over(wasm: &[u8]) -> Result<bool, Refusal> {
    let refuse = |reason| Err(Refusal::bad(reason));
    // Where the components and modules end that are open.
    let mut ends = vec![wasm.len()];
    let mut modules = 0_u64;
    let mut is_command = false;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| Refusal::bad(error.message()))?;
        // Validation leaves it open whether a part ends within what it is a part of.
        if let Payload::ModuleSection {
            unchecked_range, ..
        }
        | Payload::ComponentSection {
            unchecked_range, ..
        } = &payload
        {
            if ends.last().is_none_or(|end| unchecked_range.end > *end) {
                return refuse("a part of the component does not end within it");
            }
            ends.push(unchecked_range.end);
        }
        match payload {
            Payload::ModuleSection { .. } if ends.len() > 2 => {
                return refuse("the component has a module within a component of its own");
            }
            Payload::ModuleSection { .. } => modules = modules.saturating_add(1),
            Payload::End(_) => {
                ends.pop();
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(|error| Refusal::bad(error.message()))?;
                    if matches!(import.ty, wasmparser::ComponentTypeRef::Module(_)) {
                        return refuse("the component imports a module");
                    }
                    if import.name.name == LIMIT_IMPORT {
                        return refuse("the component imports `outlayer-gas-limit` itself");
                    }
                }
            }
            Payload::ComponentExportSection(section) if ends.len() == 1 => {
                for export in section {
                    let export = export.map_err(|error| Refusal::bad(error.message()))?;
                    is_command |= export.name.name.starts_with("wasi:cli/run@");
                }
            }
            _ => {}
        }
    }
    limits::check("the component", modules, "modules", MOST_MODULES)?;
    Ok(is_command)
}

fn write_prelude(component: &mut Component) {
    let mut types = ComponentTypeSection::new();
    types
        .function()
        .params::<[(&str, PrimitiveValType); 0], _>([])
        .result(Some(PrimitiveValType::S64.into()));
    component.section(&types);
    let mut imports = ComponentImportSection::new();
    imports.import(LIMIT_IMPORT, ComponentTypeRef::Func(0));
    component.section(&imports);
    let mut lower = CanonicalFunctionSection::new();
    lower.lower(0, Vec::<CanonicalOption>::new());
    component.section(&lower);
    component.section(&ModuleSection(&meter_module()));
    let mut instances = InstanceSection::new();
    instances.export_items([("limit", ExportKind::Func, 0)]);
    instances.instantiate(0, [("", ModuleArg::Instance(0))]);
    component.section(&instances);
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport {
        instance: 1,
        kind: ExportKind::Func,
        name: "left",
    });
    component.section(&aliases);
    let mut lift = CanonicalFunctionSection::new();
    lift.lift(1, 0, Vec::<CanonicalOption>::new());
    component.section(&lift);
}

/// The module that keeps the counters.
fn meter_module() -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I64]);
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("", "limit", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    let mut globals = GlobalSection::new();
    globals.global(mutable(ValType::I64), &ConstExpr::i64_const(0));
    globals.global(mutable(ValType::I32), &ConstExpr::i32_const(STACK_SLOTS));
    let mut exports = ExportSection::new();
    exports
        .export(GAS_EXPORT, ExportKind::Global, 0)
        .export(STACK_EXPORT, ExportKind::Global, 1)
        .export("left", ExportKind::Func, 1);
    let mut code = CodeSection::new();
    let mut left = Function::new([]);
    left.instruction(&I::GlobalGet(0)).instruction(&I::End);
    let mut begin = Function::new([]);
    begin
        .instruction(&I::Call(0))
        .instruction(&I::GlobalSet(0))
        .instruction(&I::End);
    code.function(&left).function(&begin);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&globals)
        .section(&exports)
        .section(&StartSection { function_index: 2 })
        .section(&code);
    module
}

/// Writes the component behind the prelude.
struct Writer {
    variant: Variant,
    /// How many components or types around what is being written are inside the outermost component.
    depth: u32,
}

impl Writer {
    /// The number of what had `index` in the outermost component, behind `more` of the prelude; inside others nothing changes.
    const fn shifted(&self, index: u32, more: u32) -> u32 {
        if self.depth == 0 {
            index.saturating_add(more)
        } else {
            index
        }
    }

    /// The same for what is `count` components further out.
    const fn shifted_outside(&self, count: u32, index: u32, more: u32) -> u32 {
        if self.depth == count {
            index.saturating_add(more)
        } else {
            index
        }
    }
}

impl Reencode for Writer {
    type Error = Refusal;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Refusal>> {
        Ok(self.shifted(index, CORE_FUNCTIONS))
    }
}

impl ReencodeComponent for Writer {
    fn component_type_index(&mut self, index: u32) -> u32 {
        self.shifted(index, TYPES)
    }

    fn component_func_index(&mut self, index: u32) -> u32 {
        self.shifted(index, FUNCTIONS)
    }

    fn module_index(&mut self, index: u32) -> u32 {
        self.shifted(index, MODULES)
    }

    fn instance_index(&mut self, index: u32) -> u32 {
        self.shifted(index, CORE_INSTANCES)
    }

    fn outer_type_index(&mut self, _: u32, index: u32) -> Result<u32, Error<Refusal>> {
        Ok(index)
    }

    fn outer_component_type_index(&mut self, count: u32, index: u32) -> u32 {
        self.shifted_outside(count, index, TYPES)
    }

    fn outer_component_index(&mut self, _: u32, index: u32) -> u32 {
        index
    }

    fn outer_module_index(&mut self, count: u32, index: u32) -> u32 {
        self.shifted_outside(count, index, MODULES)
    }

    fn push_depth(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    fn pop_depth(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _: Parser,
        wasm: &[u8],
    ) -> Result<(), Error<Refusal>> {
        let metered = Survey::of(wasm)
            .and_then(|survey| rewrite(wasm, &survey, self.variant, Home::Component))
            .map_err(Error::UserError)?;
        component.section(&RawSection {
            id: ComponentSectionId::CoreModule.into(),
            data: &metered.wasm,
        });
        Ok(())
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: wasmparser::Instance<'_>,
    ) -> Result<(), Error<Refusal>> {
        let wasmparser::Instance::Instantiate { module_index, args } = instance else {
            return component_utils::parse_instance(self, instances, instance);
        };
        if self.depth > 0 {
            let refusal = "the component instantiates a module within a component of its own";
            return Err(Error::UserError(Refusal::bad(refusal)));
        }
        let arguments = args.iter().map(|argument| {
            let instance = argument.index.saturating_add(CORE_INSTANCES);
            (argument.name, ModuleArg::Instance(instance))
        });
        let ours = (METER_MODULE, ModuleArg::Instance(1));
        instances.instantiate(
            module_index.saturating_add(MODULES),
            arguments.chain([ours]).collect::<Vec<_>>(),
        );
        Ok(())
    }
}
