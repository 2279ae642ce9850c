//! Four engines behind one face: an instance is called with gas, and says how that ended.

mod interpreter;
mod native;

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// An engine that runs rewritten modules, and originals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Cranelift,
    Winch,
    Pulley,
    Wasmi,
}

pub(crate) const ALL: [Name; 4] = [Name::Cranelift, Name::Winch, Name::Pulley, Name::Wasmi];

/// An engine, ready to take modules.
pub(crate) enum Engine {
    Native(wasmtime::Engine),
    Interpreter(wasmi::Engine),
}

impl Engine {
    pub(crate) fn new(name: Name) -> Self {
        match name {
            Name::Wasmi => Self::Interpreter(interpreter::engine()),
            name => Self::Native(native::engine(name)),
        }
    }

    /// An instance that has run nothing yet but its segments; of an original, also its start section. The error says why the
    /// engine does not take the module.
    pub(crate) fn start(&self, wasm: &[u8]) -> Result<Started, String> {
        match self {
            Self::Native(engine) => native::start(engine, wasm),
            Self::Interpreter(engine) => interpreter::start(engine, wasm),
        }
    }
}

/// How instantiation went.
pub(crate) enum Started {
    Instance(Box<dyn Instance>),
    Trapped(Trap),
}

/// An instance of a module on some engine.
pub(crate) trait Instance {
    /// Calls an export with gas and a full stack, and arguments made of `seed`.
    fn call(&mut self, export: &str, gas: i64, seed: u64) -> Ran;

    /// The names of exported functions.
    fn functions(&mut self) -> Vec<String>;

    /// A hash of the exported memories and numeric globals, without the meter's own.
    fn state(&mut self) -> u64;
}

/// Why a call trapped, in the words that both families of engines have for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trap(pub(crate) String);

impl Trap {
    /// Whether [`metering::Variant::Fast`] leaves the gas exact at such a trap.
    pub(crate) fn is_seen(&self) -> bool {
        [
            "UnreachableCodeReached",
            "TableOutOfBounds",
            "IndirectCallToNull",
            "BadSignature",
        ]
        .contains(&self.0.as_str())
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Returned(Vec<Value>),
    Trapped(Trap),
}

/// A value, by its bits; all NaNs are one, and all functions.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Value(pub(crate) String);

impl Value {
    fn f32(value: f32) -> Self {
        if value.is_nan() {
            Self("f32 NaN".to_owned())
        } else {
            Self(format!("f32 {:x}", value.to_bits()))
        }
    }

    fn f64(value: f64) -> Self {
        if value.is_nan() {
            Self("f64 NaN".to_owned())
        } else {
            Self(format!("f64 {:x}", value.to_bits()))
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// What a call left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) end: End,
    /// What the gas global says.
    pub(crate) gas_left: i64,
    /// What the stack global says.
    pub(crate) stack_left: i32,
    /// A hash over the calls of the host: which, with what, and with how much gas left.
    pub(crate) host_calls: u64,
}

impl Ran {
    pub(crate) fn is_out_of_gas(&self) -> bool {
        self.gas_left < 0
    }

    pub(crate) fn overflowed(&self) -> bool {
        self.stack_left < 0
    }
}

/// What the host notes.
#[derive(Debug, Default)]
struct Notes {
    host_calls: u64,
}

impl Notes {
    /// Notes a call, and makes up an answer.
    fn called(&mut self, name: &str, arguments: &[Value], gas_left: i64) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.host_calls, name, arguments, gas_left).hash(&mut hasher);
        self.host_calls = hasher.finish();
        let mut hasher = DefaultHasher::new();
        (name, arguments).hash(&mut hasher);
        hasher.finish()
    }
}

/// What guests may import from `host`, by name, with parameters and results in letters: `i`nt, `l`ong, `f`loat, `d`ouble.
const HOST: [(&str, &str, &str); 5] = [
    ("nothing", "", ""),
    ("take", "ilfd", ""),
    ("give", "", "l"),
    ("add", "ii", "i"),
    ("two", "d", "il"),
];

/// The same as text, for generators.
pub(crate) fn host_as_wat() -> String {
    let types = |letters: &str| {
        let names = letters.chars().map(|letter| match letter {
            'i' => " i32",
            'l' => " i64",
            'f' => " f32",
            _ => " f64",
        });
        names.collect::<String>()
    };
    let imports = HOST.iter().map(|(name, params, results)| {
        format!(
            r#"(import "host" "{name}" (func (param{}) (result{})))"#,
            types(params),
            types(results)
        )
    });
    format!("(module {})", imports.collect::<String>())
}

/// Arguments made of a seed, one for each letter.
fn made_of(seed: u64, place: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, place).hash(&mut hasher);
    let drawn = hasher.finish();
    // Small numbers reach more code than large ones.
    if drawn.is_multiple_of(3) {
        drawn
    } else {
        drawn >> 8 & 0xff
    }
}

/// The export that has the memory, in modules of either origin.
fn hash_bytes(hasher: &mut DefaultHasher, name: &str, bytes: &[u8]) {
    (name, bytes).hash(hasher);
}

/// Whether an export is the meter's.
fn is_ours(name: &str) -> bool {
    name == metering::GAS_EXPORT || name == metering::STACK_EXPORT
}

/// Runs `work` where the native stack is as large as the metered one needs.
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(NATIVE_STACK_BYTES + (8 << 20))
            .spawn_scoped(scope, work)
            .unwrap()
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What compiled guests may use of the native stack.
pub(crate) const NATIVE_STACK_BYTES: usize = 64 << 20;
