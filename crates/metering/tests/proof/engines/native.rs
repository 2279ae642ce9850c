//! wasmtime, by its three ways to compile.

use std::hash::{DefaultHasher, Hasher as _};

use metering::{GAS_EXPORT, STACK_EXPORT, STACK_SLOTS};
use wasmtime::{
    Caller, Config, Engine, Extern, FuncType, Instance, Linker, Module, Store, Strategy, Val,
    ValType,
};

use super::{
    End, HOST, NATIVE_STACK_BYTES, Name, Notes, Ran, Started, Trap, Value, hash_bytes, is_ours,
    made_of,
};

pub(super) fn engine(name: Name) -> Engine {
    let mut config = Config::new();
    config.async_stack_size(NATIVE_STACK_BYTES);
    config.max_wasm_stack(NATIVE_STACK_BYTES);
    config.wasm_tail_call(true);
    match name {
        Name::Winch => {
            config.strategy(Strategy::Winch);
            config.wasm_tail_call(false);
        }
        Name::Pulley => {
            config.target("pulley64").unwrap();
        }
        _ => {}
    }
    Engine::new(&config).unwrap()
}

pub(super) fn start(engine: &Engine, wasm: &[u8]) -> Result<Started, String> {
    let module = Module::new(engine, wasm).map_err(|error| format!("{error:#}"))?;
    let mut linker = Linker::new(engine);
    for (name, params, answers) in HOST {
        let ty = FuncType::new(engine, types(params), types(answers));
        linker
            .func_new("host", name, ty, move |mut caller, params, results| {
                answer(&mut caller, (name, answers), params, results);
                Ok(())
            })
            .unwrap();
    }
    let mut store = Store::new(engine, Notes::default());
    match linker.instantiate(&mut store, &module) {
        Ok(instance) => Ok(Started::Instance(Box::new(Running { store, instance }))),
        Err(error) => Ok(Started::Trapped(trap(&error))),
    }
}

fn types(letters: &str) -> impl Iterator<Item = ValType> {
    letters.chars().map(|letter| match letter {
        'i' => ValType::I32,
        'l' => ValType::I64,
        'f' => ValType::F32,
        _ => ValType::F64,
    })
}

fn answer(
    caller: &mut Caller<'_, Notes>,
    (name, answers): (&str, &str),
    params: &[Val],
    results: &mut [Val],
) {
    let left = caller.get_export(GAS_EXPORT).and_then(Extern::into_global);
    let left = left.map_or(0, |global| global.get(&mut *caller).unwrap_i64());
    let params: Vec<_> = params.iter().map(value).collect();
    let drawn = caller.data_mut().called(name, &params, left);
    for (place, (result, ty)) in results.iter_mut().zip(types(answers)).enumerate() {
        *result = argument(&ty, drawn, place);
    }
}

fn argument(ty: &ValType, seed: u64, place: usize) -> Val {
    let drawn = made_of(seed, place);
    let [low, high, ..] = [drawn as u32, (drawn >> 32) as u32];
    match ty {
        ValType::I32 => Val::I32(low.cast_signed()),
        ValType::I64 => Val::I64(drawn.cast_signed()),
        ValType::F32 => Val::F32((low as f32).to_bits()),
        ValType::F64 => Val::F64((f64::from(low) - f64::from(high)).to_bits()),
        ValType::V128 => Val::V128(u128::from(drawn).into()),
        ValType::Ref(_) => Val::FuncRef(None),
    }
}

fn value(value: &Val) -> Value {
    match value {
        Val::I32(value) => Value(format!("i32 {value}")),
        Val::I64(value) => Value(format!("i64 {value}")),
        Val::F32(bits) => Value::f32(f32::from_bits(*bits)),
        Val::F64(bits) => Value::f64(f64::from_bits(*bits)),
        Val::V128(value) => Value(format!("v128 {:x}", value.as_u128())),
        Val::FuncRef(function) => Value(format!("funcref {}", function.is_some())),
        other => Value(format!("{other:?}")),
    }
}

fn trap(error: &wasmtime::Error) -> Trap {
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(trap) => Trap(format!("{trap:?}")),
        None => Trap(format!("failed: {error:#}")),
    }
}

struct Running {
    store: Store<Notes>,
    instance: Instance,
}

impl super::Instance for Running {
    fn call(&mut self, export: &str, gas: i64, seed: u64) -> Ran {
        self.store.data_mut().host_calls = 0;
        let gas_left = self.instance.get_global(&mut self.store, GAS_EXPORT);
        let stack_left = self.instance.get_global(&mut self.store, STACK_EXPORT);
        if let (Some(gas_left), Some(stack_left)) = (gas_left, stack_left) {
            gas_left.set(&mut self.store, Val::I64(gas)).unwrap();
            let slots = Val::I32(STACK_SLOTS);
            stack_left.set(&mut self.store, slots).unwrap();
        }
        let function = self.instance.get_func(&mut self.store, export).unwrap();
        let ty = function.ty(&self.store);
        let params: Vec<_> = ty
            .params()
            .enumerate()
            .map(|(place, ty)| argument(&ty, seed, place))
            .collect();
        let mut results = vec![Val::I32(0); ty.results().len()];
        let end = match function.call(&mut self.store, &params, &mut results) {
            Ok(()) => End::Returned(results.iter().map(value).collect()),
            Err(error) => End::Trapped(trap(&error)),
        };
        Ran {
            end,
            gas_left: gas_left.map_or(0, |left| left.get(&mut self.store).unwrap_i64()),
            stack_left: stack_left.map_or(0, |left| left.get(&mut self.store).unwrap_i32()),
            host_calls: self.store.data().host_calls,
        }
    }

    fn functions(&mut self) -> Vec<String> {
        let exports = self.instance.exports(&mut self.store);
        let functions: Vec<_> = exports
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        functions
            .into_iter()
            .filter(|(_, export)| matches!(export, Extern::Func(_)))
            .map(|(name, _)| name)
            .collect()
    }

    fn state(&mut self) -> u64 {
        let exports = self.instance.exports(&mut self.store);
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
                    let value = value(&global.get(&mut self.store));
                    hash_bytes(&mut hasher, &name, value.0.as_bytes());
                }
                _ => {}
            }
        }
        hasher.finish()
    }
}
