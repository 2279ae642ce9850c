//! One run of a script: its instances, what is registered, and the host module that scripts import.

use std::collections::HashMap;

use metering::{GAS_EXPORT, MAX_GAS, STACK_EXPORT, STACK_SLOTS, START_EXPORT};
use wasmtime::{Config, Engine, Extern, Instance, Linker, Module, OptLevel, Store, Val};

use crate::engines::NATIVE_STACK_BYTES;

const HOST: &str = r#"(module
    (func (export "print"))
    (func (export "print_i32") (param i32))
    (func (export "print_i64") (param i64))
    (func (export "print_f32") (param f32))
    (func (export "print_f64") (param f64))
    (func (export "print_i32_f32") (param i32 f32))
    (func (export "print_f64_f64") (param f64 f64))
    (global (export "global_i32") i32 (i32.const 666))
    (global (export "global_i64") i64 (i64.const 666))
    (global (export "global_f32") f32 (f32.const 666.6))
    (global (export "global_f64") f64 (f64.const 666.6))
    (table (export "table") 10 20 funcref)
    (memory (export "memory") 1 2))"#;

pub(super) struct World {
    store: Store<()>,
    linker: Linker<()>,
    names: HashMap<String, Instance>,
    /// What an action means that names no module.
    last: Option<Instance>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut config = Config::new();
        config
            .async_stack_size(NATIVE_STACK_BYTES)
            .max_wasm_stack(NATIVE_STACK_BYTES)
            .cranelift_opt_level(OptLevel::None);
        let engine = Engine::new(&config).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        let host = Module::new(&engine, wat::parse_str(HOST).unwrap()).unwrap();
        let host = Instance::new(&mut store, &host, &[]).unwrap();
        linker.instance(&mut store, "spectest", host).unwrap();
        Self {
            store,
            linker,
            names: HashMap::new(),
            last: None,
        }
    }

    pub(super) fn forget(&mut self, id: Option<&str>) {
        self.last = None;
        if let Some(id) = id {
            self.names.remove(id);
        }
    }

    pub(super) fn register(&mut self, id: Option<&str>, name: &str) {
        if let Some(instance) = self.named(id) {
            self.linker
                .instance(&mut self.store, name, instance)
                .unwrap();
        }
    }

    fn named(&self, id: Option<&str>) -> Option<Instance> {
        match id {
            Some(id) => self.names.get(id).copied(),
            None => self.last,
        }
    }

    /// Instantiates a module; the error is what a script could see of it.
    pub(super) fn instantiate(&mut self, id: Option<&str>, wasm: &[u8]) -> Result<(), String> {
        self.forget(id);
        let module = Module::new(self.store.engine(), wasm).map_err(|_| "module".to_owned())?;
        let instance = self
            .linker
            .instantiate(&mut self.store, &module)
            .map_err(|error| reason(&error))?;
        self.fill(instance);
        if let Ok(start) = instance.get_typed_func::<(), ()>(&mut self.store, START_EXPORT) {
            start
                .call(&mut self.store, ())
                .map_err(|error| self.reason_in(instance, &error))?;
        }
        self.last = Some(instance);
        if let Some(id) = id {
            self.names.insert(id.to_owned(), instance);
        }
        Ok(())
    }

    /// Gives an instance, if it is metered, gas and stack.
    fn fill(&mut self, instance: Instance) {
        if let Some(gas) = instance.get_global(&mut self.store, GAS_EXPORT) {
            gas.set(&mut self.store, Val::I64(MAX_GAS)).unwrap();
        }
        if let Some(stack) = instance.get_global(&mut self.store, STACK_EXPORT) {
            stack.set(&mut self.store, Val::I32(STACK_SLOTS)).unwrap();
        }
    }

    /// A stack that is full is full, whoever noticed.
    fn reason_in(&mut self, instance: Instance, error: &wasmtime::Error) -> String {
        let stack = instance.get_global(&mut self.store, STACK_EXPORT);
        if stack.is_some_and(|stack| stack.get(&mut self.store).unwrap_i32() < 0) {
            return "StackOverflow".to_owned();
        }
        reason(error)
    }

    pub(super) fn invoke(
        &mut self,
        id: Option<&str>,
        name: &str,
        arguments: &[Val],
    ) -> Option<Result<Vec<String>, String>> {
        let instance = self.named(id)?;
        self.fill(instance);
        let function = instance.get_func(&mut self.store, name)?;
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let called = function.call(&mut self.store, arguments, &mut results);
        Some(match called {
            Ok(()) => Ok(results.iter().map(|result| format!("{result:?}")).collect()),
            Err(error) => Err(self.reason_in(instance, &error)),
        })
    }

    pub(super) fn get(
        &mut self,
        id: Option<&str>,
        name: &str,
    ) -> Option<Result<Vec<String>, String>> {
        let instance = self.named(id)?;
        let global = instance
            .get_export(&mut self.store, name)
            .and_then(Extern::into_global)?;
        Some(Ok(vec![format!("{:?}", global.get(&mut self.store))]))
    }
}

fn reason(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(trap) => format!("{trap:?}"),
        None => "link".to_owned(),
    }
}
