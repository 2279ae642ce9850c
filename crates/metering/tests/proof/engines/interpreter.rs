//! wasmi, the engine that shares no code with the others.

use std::hash::{DefaultHasher, Hasher as _};

use metering::{GAS_EXPORT, STACK_EXPORT, STACK_SLOTS};
use wasmi::{
    Caller, Config, Engine, Extern, FuncType, Instance, Linker, Module, Store, Val, ValType,
};

use super::{End, HOST, Notes, Ran, Started, Trap, Value, hash_bytes, is_ours, made_of};

pub(super) fn engine() -> Engine {
    let mut config = Config::default();
    config
        .compilation_mode(wasmi::CompilationMode::Eager)
        .wasm_tail_call(true)
        .wasm_simd(true)
        .set_max_recursion_depth(1 << 20)
        .set_max_stack_height(256 << 20);
    Engine::new(&config)
}

pub(super) fn start(engine: &Engine, wasm: &[u8]) -> Result<Started, String> {
    // Not the one given: where its translator has panicked once, an engine is of no more use.
    let engine = &Engine::new(engine.config());
    let module =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Module::new(engine, wasm)));
    let module = module
        .map_err(|_| "wasmi's translator panics".to_owned())?
        .map_err(|error| error.to_string())?;
    let mut linker = Linker::new(engine);
    for (name, params, results) in HOST {
        let ty = FuncType::new(types(params), types(results));
        linker
            .func_new("host", name, ty, move |mut caller, params, results| {
                answer(&mut caller, name, params, results);
                Ok(())
            })
            .unwrap();
    }
    let mut store = Store::new(engine, Notes::default());
    match linker.instantiate_and_start(&mut store, &module) {
        Ok(instance) => Ok(Started::Instance(Box::new(Running { store, instance }))),
        Err(error) => Ok(Started::Trapped(trap(&error))),
    }
}

fn types(letters: &str) -> Vec<ValType> {
    let types = letters.chars().map(|letter| match letter {
        'i' => ValType::I32,
        'l' => ValType::I64,
        'f' => ValType::F32,
        _ => ValType::F64,
    });
    types.collect()
}

fn answer(caller: &mut Caller<'_, Notes>, name: &str, params: &[Val], results: &mut [Val]) {
    let left = caller.get_export(GAS_EXPORT).and_then(Extern::into_global);
    let left = left.map_or(0, |global| global.get(&*caller).i64().unwrap());
    let params: Vec<_> = params.iter().map(value).collect();
    let drawn = caller.data_mut().called(name, &params, left);
    for (place, result) in results.iter_mut().enumerate() {
        *result = argument(result.ty(), drawn, place);
    }
}

fn argument(ty: ValType, seed: u64, place: usize) -> Val {
    let drawn = made_of(seed, place);
    let [low, high, ..] = [drawn as u32, (drawn >> 32) as u32];
    match ty {
        ValType::I32 => Val::I32(low.cast_signed()),
        ValType::I64 => Val::I64(drawn.cast_signed()),
        ValType::F32 => Val::F32((low as f32).into()),
        ValType::F64 => Val::F64((f64::from(low) - f64::from(high)).into()),
        ValType::V128 => Val::V128(u128::from(drawn).into()),
        other => Val::default_for_ty(other),
    }
}

fn value(value: &Val) -> Value {
    match value {
        Val::I32(value) => Value(format!("i32 {value}")),
        Val::I64(value) => Value(format!("i64 {value}")),
        Val::F32(value) => Value::f32(f32::from_bits(value.to_bits())),
        Val::F64(value) => Value::f64(f64::from_bits(value.to_bits())),
        Val::V128(value) => Value(format!("v128 {:x}", value.as_u128())),
        Val::FuncRef(function) => Value(format!("funcref {}", !function.is_null())),
        Val::ExternRef(other) => Value(format!("{other:?}")),
    }
}

fn trap(error: &wasmi::Error) -> Trap {
    match error.as_trap_code() {
        Some(code) => Trap(format!("{code:?}")),
        // A segment that does not fit has no code of its own.
        None if error.to_string().contains("out of bounds table access") => {
            Trap("TableOutOfBounds".to_owned())
        }
        None => Trap(format!("failed: {error}")),
    }
}

struct Running {
    store: Store<Notes>,
    instance: Instance,
}

impl super::Instance for Running {
    fn call(&mut self, export: &str, gas: i64, seed: u64) -> Ran {
        self.store.data_mut().host_calls = 0;
        let gas_left = self.instance.get_global(&self.store, GAS_EXPORT);
        let stack_left = self.instance.get_global(&self.store, STACK_EXPORT);
        if let (Some(gas_left), Some(stack_left)) = (gas_left, stack_left) {
            gas_left.set(&mut self.store, Val::I64(gas)).unwrap();
            let slots = Val::I32(STACK_SLOTS);
            stack_left.set(&mut self.store, slots).unwrap();
        }
        let function = self.instance.get_func(&self.store, export).unwrap();
        let ty = function.ty(&self.store);
        let params: Vec<_> = ty
            .params()
            .iter()
            .enumerate()
            .map(|(place, ty)| argument(*ty, seed, place))
            .collect();
        let mut results: Vec<_> = ty
            .results()
            .iter()
            .map(|ty| Val::default_for_ty(*ty))
            .collect();
        let end = match function.call(&mut self.store, &params, &mut results) {
            Ok(()) => End::Returned(results.iter().map(value).collect()),
            Err(error) => End::Trapped(trap(&error)),
        };
        Ran {
            end,
            gas_left: gas_left.map_or(0, |left| left.get(&self.store).i64().unwrap()),
            stack_left: stack_left.map_or(0, |left| left.get(&self.store).i32().unwrap()),
            host_calls: self.store.data().host_calls,
        }
    }

    fn functions(&mut self) -> Vec<String> {
        self.instance
            .exports(&self.store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .filter(|(_, export)| matches!(export, Extern::Func(_)))
            .map(|(name, _)| name)
            .collect()
    }

    fn state(&mut self) -> u64 {
        let exports = self.instance.exports(&self.store);
        let mut exports: Vec<_> = exports
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        exports.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut hasher = DefaultHasher::new();
        for (name, export) in exports {
            match export {
                Extern::Memory(memory) => {
                    hash_bytes(&mut hasher, &name, memory.data(&self.store));
                }
                Extern::Global(global) if !is_ours(&name) => {
                    let value = value(&global.get(&self.store));
                    hash_bytes(&mut hasher, &name, value.0.as_bytes());
                }
                _ => {}
            }
        }
        hasher.finish()
    }
}
