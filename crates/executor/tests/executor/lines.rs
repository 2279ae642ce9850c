//! Backtraces that lead to the source.

use executor::{Artifact, Engine, Executor, Outcome, Run, Settings, TrapKind};

use crate::rustc::{built, made};
use crate::{Bench, fixed, settings, trap};

/// The fifth line reads beyond the memory and the eighth beyond an array, each in a function that is inlined.
const SOURCE: &str = r#"use std::hint::black_box;
#[inline(never)] fn reach(by: u32) -> u32 {
    unsafe { reached(by) }
}
#[inline(always)] unsafe fn reached(by: u32) -> u32 { unsafe { *(black_box(0xffff_0000_usize) as *const u32) / by } }
#[inline(never)] fn find(at: usize) -> u8 { inner(at) }
#[inline(always)] fn inner(at: usize) -> u8 {
    [1, 2, 3][black_box(at)]
}
fn main() {
    let mut input = String::new();
    std::io::Read::read_to_string(&mut std::io::stdin(), &mut input).unwrap();
    if input == "reach" {
        println!("{}", reach(black_box(1)));
    } else {
        println!("{}", find(7));
    }
}
"#;

fn backtrace(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Trapped { backtrace, .. } => backtrace,
        other => unreachable!("it is a trap: {other:?}"),
    }
}

async fn trapped(engine: Engine, artifact: &Artifact, input: &str) -> Outcome {
    let cache = tempfile::tempdir().unwrap();
    let executor = Executor::new(&Settings {
        engine,
        ..settings(cache.path())
    })
    .unwrap();
    let run = Run {
        input: input.into(),
        ..fixed()
    };
    executor.execute(artifact, run).await.unwrap().outcome
}

#[tokio::test]
async fn a_backtrace_names_lines_where_the_module_brings_them() {
    let artifact = made("wasm32-wasip1", SOURCE, &["-g"]);
    for engine in [Engine::Cranelift, Engine::Winch] {
        let reach = trapped(engine, &artifact, "reach").await;
        let find = trapped(engine, &artifact, "find").await;

        let lines: Vec<_> = backtrace(&reach).lines().collect();
        let place = |line: &str, function: &str, at: u32| {
            let end = format!("guest.rs:{at}");
            line.contains(&format!(": guest::{function} at ")) && line.ends_with(&end)
        };
        assert!(place(lines[0], "reached", 5), "{lines:?}");
        assert!(place(lines[1], "reach", 3), "{lines:?}");
        assert!(place(lines[2], "main", 14), "{lines:?}");
        let lines: Vec<_> = backtrace(&find).lines().collect();
        assert!(
            lines.iter().any(|line| place(line, "inner", 8)),
            "{lines:?}"
        );
        assert!(lines.iter().any(|line| place(line, "find", 6)), "{lines:?}");
    }
}

#[tokio::test]
async fn lines_that_lead_nowhere_leave_the_backtrace_as_it_is() {
    let bench = Bench::new();
    let mut wasm = built("wasm32-wasip1", SOURCE, &["-g"]);
    // Damages the DWARF: the section that tells of functions is full of ones.
    let name = b".debug_info";
    let at = wasm.windows(name.len()).position(|bytes| bytes == name);
    let from = at.unwrap() + name.len();
    wasm[from..from + 1_000].fill(0xff);
    let run = Run {
        input: "reach".into(),
        ..fixed()
    };

    let artifact = Artifact::from_bytes(wasm);

    let execution = bench.executor.execute(&artifact, run).await.unwrap();

    assert_eq!(trap(&execution), TrapKind::MemoryOutOfBounds);
    assert!(
        backtrace(&execution.outcome).starts_with("0: guest::reach"),
        "{}",
        backtrace(&execution.outcome)
    );
}
