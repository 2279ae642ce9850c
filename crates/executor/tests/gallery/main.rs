//! A gallery of hostile modules. Each ends in its named outcome, under every engine, and leaves nothing behind; and what is true of
//! the processes that they ran in.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on stops"
)]

mod bombs;
mod host;
mod pieces;
mod processes;
mod tree;

use std::path::Path;
use std::time::Duration;

use executor::{
    Artifact, Clock, Engine, Execution, Executor, Limits, Outcome, Program, Run, Seed, Settings,
    TrapKind,
};
use tokio::sync::Mutex;

/// The kernel's list of processes is one for all, so these tests take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// Instructions that every guest here may use, unless it is to run out of time.
const GAS: u64 = 300_000;

/// A hostile guest.
struct Piece {
    name: String,
    wasm: Vec<u8>,
    expected: Expected,
}

/// How a hostile guest must end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    Returned,
    /// With an error number of WASI, as the guest hands it on.
    Errno(i32),
    Trapped(TrapKind),
    OutOfInstructions,
    OutOfMemory,
    /// It is given all instructions there are and little time.
    OutOfTime,
    StackOverflow,
    OutputTooLarge,
    BadModule,
    Refused(&'static str),
}

impl Piece {
    fn new(name: &str, text: &str, expected: Expected) -> Self {
        Self {
            name: name.to_owned(),
            wasm: wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}")),
            expected,
        }
    }

    fn run(&self) -> Run {
        let is_timed = self.expected == Expected::OutOfTime;
        let limits = Limits {
            instructions: if is_timed { u64::MAX } else { GAS },
            memory_bytes: 8 << 20,
            wall: if is_timed {
                Duration::from_millis(150)
            } else {
                Duration::from_secs(60)
            },
            stdout_bytes: 1_000,
            stderr_bytes: 100,
        };
        let clock = if is_timed {
            Clock::System
        } else {
            Clock::Fixed(1_700_000_000_000_000_000)
        };
        Run {
            clock,
            args: vec!["guest".into()],
            env: [("NAME".into(), "value".into())].into(),
            ..Run::new(*b"a little input", limits, Seed([7; 32]))
        }
    }

    fn check(&self, execution: &Execution) {
        let found = match &execution.outcome {
            Outcome::Returned => Expected::Returned,
            Outcome::Exited(code) => Expected::Errno(*code),
            Outcome::Trapped { kind, .. } => Expected::Trapped(*kind),
            Outcome::OutOfInstructions => Expected::OutOfInstructions,
            Outcome::OutOfMemory => Expected::OutOfMemory,
            Outcome::OutOfTime => Expected::OutOfTime,
            Outcome::StackOverflow => Expected::StackOverflow,
            Outcome::OutputTooLarge => Expected::OutputTooLarge,
            Outcome::BadModule { .. } => Expected::BadModule,
            Outcome::Refused { feature } => {
                assert_eq!(self.expected, refused(feature), "{}", self.name);
                return;
            }
        };
        assert_eq!(
            found, self.expected,
            "{}: {:?}",
            self.name, execution.outcome
        );
    }
}

/// The feature's name, if a piece here expects it.
fn refused(feature: &str) -> Expected {
    let known = [
        "threads",
        "memory64",
        "multi-memory",
        "exceptions",
        "gc",
        "relaxed-simd",
    ];
    let name = known.into_iter().find(|known| *known == feature);
    Expected::Refused(name.unwrap_or("another feature"))
}

fn gallery() -> Vec<Piece> {
    let mut all = pieces::gallery();
    all.extend(bombs::gallery());
    all
}

fn executor(cache: &Path, engine: Engine) -> Executor {
    let compiler = Program {
        path: env!("CARGO_BIN_EXE_outlayer-compiler").into(),
        args: Vec::new(),
    };
    let settings = Settings {
        engine,
        ..Settings::new(compiler, cache)
    };
    Executor::new(&settings).unwrap()
}

#[tokio::test]
async fn every_hostile_module_ends_in_its_named_outcome_under_every_engine() {
    let _turn = TURN.lock().await;
    let gallery = gallery();
    assert!(gallery.len() >= 60, "there are {}", gallery.len());

    for engine in [Engine::Cranelift, Engine::Winch, Engine::Interpreter] {
        let cache = tempfile::tempdir().unwrap();
        let executor = executor(cache.path(), engine);
        for piece in &gallery {
            let artifact = Artifact::from_bytes(piece.wasm.clone());
            let execution = executor.execute(&artifact, piece.run()).await;
            let execution = execution
                .unwrap_or_else(|error| panic!("{} under {engine:?}: {error}", piece.name));
            piece.check(&execution);
        }
    }
}

#[tokio::test]
async fn every_engine_charges_the_same_for_a_hostile_module() {
    let _turn = TURN.lock().await;
    let caches = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let engines = [Engine::Cranelift, Engine::Winch, Engine::Interpreter];
    let executors: Vec<_> = engines
        .into_iter()
        .zip(&caches)
        .map(|(engine, cache)| executor(cache.path(), engine))
        .collect();

    for piece in gallery() {
        if piece.expected == Expected::OutOfTime {
            continue;
        }
        let artifact = Artifact::from_bytes(piece.wasm.clone());
        let mut charged = Vec::new();
        for executor in &executors {
            let execution = executor.execute(&artifact, piece.run()).await.unwrap();
            charged.push((execution.instructions, execution.stdout));
        }
        charged.dedup();
        assert_eq!(charged.len(), 1, "{}: {charged:?}", piece.name);
    }
}
