//! Made-up modules by the thousand: both rewritings on four engines, against each other, against the plainest rewriting there is,
//! and against the module as it was.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use arbitrary::Unstructured;
use metering::{GAS_EXPORT, Refusal, START_EXPORT, Variant, meter};
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use wasm_smith::{Config, Module};

use crate::engines::{ALL, End, Engine, Instance, Name, Ran, Started, host_as_wat, with_stack};
use crate::naive;

/// Modules that are taken and run.
const MODULES: u64 = 2_000;

/// What a call may use; some need more, and run out.
const GAS: i64 = 10_000;

/// Exports that are called of each module.
const CALLS: usize = 8;

/// What happened over all modules, so that the test can tell that it tested something.
#[derive(Debug, Default)]
struct Tally {
    modules: u64,
    refused: u64,
    left_out: BTreeMap<Name, u64>,
    returned: u64,
    out_of_gas: u64,
    overflowed: u64,
    host_called: u64,
    trapped: BTreeMap<String, u64>,
    checked_naively: u64,
    checked_with_original: u64,
    checked_at_limit: u64,
}

#[test]
fn engines_and_rewritings_agree_on_made_up_modules() {
    let tally = Mutex::new(Tally::default());
    let next = AtomicU64::new(0);
    let imports = wat::parse_str(host_as_wat()).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);

    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                with_stack(|| {
                    let engines = ALL.map(|name| (name, Engine::new(name)));
                    while tally.lock().unwrap().modules < MODULES {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        examine(&engines, &imports, seed, &tally);
                    }
                });
            });
        }
    });

    let tally = tally.into_inner().unwrap();
    let most = tally.modules * 9 / 10;
    let left_out = |name| tally.left_out.get(&name).copied().unwrap_or_default();
    assert_eq!(left_out(Name::Cranelift), 0);
    assert!(left_out(Name::Wasmi) < tally.modules / 100);
    assert_eq!(left_out(Name::Pulley), 0);
    assert!(left_out(Name::Winch) < tally.modules / 2);
    assert!(tally.checked_naively > most, "{}", tally.checked_naively);
    assert!(tally.checked_at_limit > 300, "{tally:?}");
    assert!(tally.returned > tally.modules);
    assert!(tally.out_of_gas > 100);
    assert!(tally.host_called > 100);
    for trap in ["MemoryOutOfBounds", "IntegerOverflow"] {
        assert!(
            tally.trapped.get(trap).is_some_and(|count| *count > 100),
            "{tally:?}"
        );
    }
}

/// Half of the modules have no tail calls, so that Winch takes them.
fn config(seed: u64, imports: &[u8]) -> Config {
    Config {
        available_imports: Some(imports.to_vec()),
        export_everything: true,
        canonicalize_nans: true,
        gc_enabled: false,
        exceptions_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        threads_enabled: false,
        tail_call_enabled: seed.is_multiple_of(2),
        simd_enabled: seed.is_multiple_of(3),
        reference_types_enabled: seed.is_multiple_of(4),
        min_funcs: 2,
        max_funcs: 6,
        max_exports: 30,
        min_memories: 1,
        max_memory32_bytes: 1 << 17,
        memory_max_size_required: true,
        max_table_elements: 1_000,
        table_max_size_required: true,
        ..Config::default()
    }
}

/// A module, unless the generator could make nothing of this seed.
pub(crate) fn made_up(seed: u64, imports: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 2_000];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    let config = config(seed, imports);
    let module = Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
    Some(module.to_bytes())
}

fn examine(engines: &[(Name, Engine)], imports: &[u8], seed: u64, tally: &Mutex<Tally>) {
    let Some(wasm) = made_up(seed, imports) else {
        return;
    };
    let fast_wasm = match meter(&wasm, Variant::Fast) {
        Ok(metered) => metered.wasm,
        Err(Refusal::Feature { feature }) => {
            assert_eq!(feature, "externref", "of seed {seed}");
            tally.lock().unwrap().refused += 1;
            return;
        }
        Err(Refusal::BadModule { reason }) => panic!("seed {seed}: {reason}"),
    };
    let exact_wasm = meter(&wasm, Variant::Exact).unwrap().wasm;
    let mut left_out = Vec::new();
    let mut stories = Vec::new();
    for (name, engine) in engines {
        if let (Ok(fast), Ok(exact)) = (story(engine, &fast_wasm), story(engine, &exact_wasm)) {
            stories.push((*name, fast, exact));
        } else {
            // wasmi's translator panics over a few modules, as they are or rewritten.
            let takes = engine.start(&wasm).is_ok() && *name != Name::Wasmi;
            assert!(!takes, "{name:?} takes seed {seed}");
            left_out.push(*name);
        }
    }
    let (_, fast, exact) = stories.first().unwrap();
    for (name, other_fast, other_exact) in &stories {
        assert_eq!(other_fast, fast, "fast, {name:?}, seed {seed}");
        assert_eq!(other_exact, exact, "exact, {name:?}, seed {seed}");
    }
    assert_agree(fast, exact, seed);
    let (_, cranelift) = engines.first().unwrap();
    let (_, winch) = engines.get(1).unwrap();
    let engine = if left_out.contains(&Name::Winch) {
        cranelift
    } else {
        winch
    };
    let naively = check(engine, &naive::meter(&wasm), exact, true, seed);
    let originally = check(engine, &wasm, exact, false, seed);

    let at_limit = check_limit(engine, &fast_wasm, &exact_wasm, exact, seed);

    let mut tally = tally.lock().unwrap();
    tally.modules += 1;
    tally.checked_at_limit += u64::from(at_limit);
    tally.checked_naively += u64::from(naively);
    tally.checked_with_original += u64::from(originally);
    for name in left_out {
        *tally.left_out.entry(name).or_default() += 1;
    }
    for Chapter { ran, .. } in &exact.chapters {
        tally.host_called += u64::from(ran.host_calls != 0);
        match &ran.end {
            _ if ran.is_out_of_gas() => tally.out_of_gas += 1,
            _ if ran.overflowed() => tally.overflowed += 1,
            End::Returned(_) => tally.returned += 1,
            End::Trapped(trap) => *tally.trapped.entry(trap.0.clone()).or_default() += 1,
        }
    }
}

/// What becomes of an instance: how it starts, and what its exports do one after the other.
#[derive(Debug, PartialEq, Eq)]
struct Story {
    trapped_at_once: Option<String>,
    chapters: Vec<Chapter>,
}

#[derive(Debug, PartialEq, Eq)]
struct Chapter {
    export: String,
    ran: Ran,
    state: u64,
}

fn story(engine: &Engine, wasm: &[u8]) -> Result<Story, String> {
    let mut instance = match engine.start(wasm)? {
        Started::Instance(instance) => instance,
        Started::Trapped(trap) => {
            return Ok(Story {
                trapped_at_once: Some(trap.0),
                chapters: Vec::new(),
            });
        }
    };
    let mut exports = instance.functions();
    exports.sort();
    exports.sort_by_key(|name| name != START_EXPORT);
    exports.truncate(CALLS);
    let chapters = exports
        .into_iter()
        .enumerate()
        .map(|(place, export)| chapter(&mut *instance, export, GAS, place as u64))
        .collect();
    Ok(Story {
        trapped_at_once: None,
        chapters,
    })
}

fn chapter(instance: &mut dyn Instance, export: String, gas: i64, seed: u64) -> Chapter {
    let ran = instance.call(&export, gas, seed);
    let state = instance.state();
    Chapter { export, ran, state }
}

/// The two rewritings agree on everything but the gas at traps that the fast one does not see.
fn assert_agree(fast: &Story, exact: &Story, seed: u64) {
    assert_eq!(fast.trapped_at_once, exact.trapped_at_once, "seed {seed}");
    assert_eq!(fast.chapters.len(), exact.chapters.len());
    for (fast, exact) in fast.chapters.iter().zip(&exact.chapters) {
        assert_eq!(fast.state, exact.state, "{} of seed {seed}", fast.export);
        let mut fast = fast.ran.clone();
        if let End::Trapped(trap) = &exact.ran.end
            && !trap.is_seen()
        {
            assert!(fast.gas_left >= exact.ran.gas_left - i64::from(u16::MAX));
            fast.gas_left = exact.ran.gas_left;
        }
        assert_eq!(fast, exact.ran, "{} of seed {seed}", exact.export);
    }
}

/// Runs another rewriting of the same module as far as the story goes without a limit being met.
fn check(engine: &Engine, wasm: &[u8], story: &Story, with_gas: bool, seed: u64) -> bool {
    let hits_limit = |chapter: &Chapter| chapter.ran.is_out_of_gas() || chapter.ran.overflowed();
    // A start section is no export here: it runs at once, and its chapter with it.
    let begins = story
        .chapters
        .first()
        .is_some_and(|first| first.export == START_EXPORT);
    if begins && story.chapters.first().is_some_and(hits_limit) {
        return false;
    }
    let mut instance = match engine.start(wasm).unwrap() {
        Started::Instance(instance) => instance,
        Started::Trapped(trap) => {
            let at_once = story.trapped_at_once.as_ref();
            let expected = story.chapters.first().map(|first| &first.ran.end);
            assert!(
                at_once == Some(&trap.0) || expected == Some(&End::Trapped(trap.clone())),
                "seed {seed}: {trap:?}"
            );
            return true;
        }
    };
    for (place, expected) in story.chapters.iter().enumerate().skip(usize::from(begins)) {
        if hits_limit(expected) {
            return true;
        }
        let found = chapter(&mut *instance, expected.export.clone(), GAS, place as u64);
        let name = &expected.export;
        assert_eq!(found.ran.end, expected.ran.end, "{name} of seed {seed}");
        assert_eq!(found.state, expected.state, "{name} of seed {seed}");
        if with_gas {
            let left = expected.ran.gas_left;
            assert_eq!(
                found.ran.gas_left, left,
                "{GAS_EXPORT}, {name} of seed {seed}"
            );
            assert_eq!(found.ran.host_calls, expected.ran.host_calls, "seed {seed}");
        }
    }
    true
}

/// What an export needs is enough for it, and one less is not, by both rewritings alike. The export is the first that did
/// something and returned.
fn check_limit(engine: &Engine, fast: &[u8], exact: &[u8], story: &Story, seed: u64) -> bool {
    let returned =
        |ran: &Ran| matches!(ran.end, End::Returned(_)) && (0..GAS).contains(&ran.gas_left);
    let Some(first) = story.chapters.iter().find(|first| returned(&first.ran)) else {
        return false;
    };
    let alone = |limit| {
        let [fast, exact] = [fast, exact].map(|wasm| match engine.start(wasm).unwrap() {
            Started::Instance(mut instance) => {
                chapter(&mut *instance, first.export.clone(), limit, 0)
            }
            Started::Trapped(trap) => panic!("seed {seed}: {trap:?}"),
        });
        if returned(&exact.ran) {
            assert_eq!(fast, exact, "seed {seed} with {limit}");
        }
        exact.ran
    };
    // On an instance of its own it may need another amount than in the story.
    let plenty = alone(GAS);
    if !returned(&plenty) {
        return false;
    }
    let used = GAS - plenty.gas_left;
    let enough = alone(used);
    assert_eq!(
        (enough.end, enough.gas_left),
        (plenty.end, 0),
        "seed {seed}"
    );
    assert!(alone(used - 1).is_out_of_gas(), "seed {seed}");
    true
}
