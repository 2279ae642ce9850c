//! Large modules that nobody has seen before: how soon they give their first result.

use std::fmt::Write as _;
use std::path::Path;
use tokio::time::Instant;

use executor::{Artifact, Engine, Executor, Outcome};
use wasmtime::{Config, Engine as Wasmtime};

use crate::times::Times;
use crate::{Outcomes, run, settings};

/// Functions of a module, so many that it has a megabyte.
const FUNCTIONS: u32 = 4_900;

/// Runs modules that were never seen, and compiles each with the optimising compiler alone, in turns.
pub(crate) async fn first_results(folder: &Path, modules: usize) -> Outcomes<String> {
    let executor = Executor::new(&settings(folder, Engine::Tiered)?)?;
    let (mut first, mut compile) = (Times::default(), Times::default());
    let mut bytes = 0;
    for number in 0..modules {
        let wasm = wat::parse_str(module(u32::try_from(number)?)?)?;
        bytes = wasm.len();
        let started = Instant::now();
        let engine = Wasmtime::new(&Config::new()).map_err(|error| error.to_string())?;
        let code = engine.precompile_module(&wasm);
        code.map_err(|error| error.to_string())?;
        compile.push(started.elapsed());
        let artifact = Artifact::from_bytes(wasm);
        let started = Instant::now();
        let execution = executor
            .execute(&artifact, run(std::time::Duration::from_secs(10)))
            .await?;
        first.push(started.elapsed());
        if execution.outcome != Outcome::Returned {
            return Err(execution.outcome.to_string().into());
        }
        // Better code is being made now; it is waited for, so that it disturbs nobody.
        executor.warm(&artifact).await?;
        while executor.is_improving() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    let ratio = first.at(0.5).as_secs_f64() / compile.at(0.5).as_secs_f64();
    Ok(format!(
        "never-seen module of {bytes} bytes to its first result: p50 {:.0} ms; Cranelift alone compiles it in {:.0} ms: ratio {ratio:.2} (<= 0.5)",
        first.at(0.5).as_secs_f64() * 1e3,
        compile.at(0.5).as_secs_f64() * 1e3,
    ))
}

/// Loads, stores, loops, branches and calls, in functions that are all a little different.
fn module(number: u32) -> Outcomes<String> {
    let mut text = String::from(r#"(module (memory (export "memory") 4)"#);
    for place in 0..FUNCTIONS {
        let next = (place + 1).min(FUNCTIONS - 1);
        let salt = number * FUNCTIONS + place;
        write!(
            text,
            "(func $f{place} (param $a i32) (param $b i64) (result i64) (local $i i32) (local $s i64) (local $t i64)
                (local.set $s (i64.const {salt}))
                (local.set $i (i32.and (local.get $a) (i32.const 7)))
                (loop $again
                    (local.set $t (i64.load offset={offset} (i32.and (local.get $a) (i32.const 65528))))
                    (local.set $s (i64.add (i64.rotl (local.get $s) (i64.const 13)) (i64.mul (local.get $t) (i64.const {salt}))))
                    (i64.store offset=8 (i32.and (i32.add (local.get $a) (local.get $i)) (i32.const 65528)) (i64.xor (local.get $s) (local.get $b)))
                    (if (i64.gt_s (local.get $s) (local.get $b))
                        (then (local.set $b (i64.sub (local.get $b) (i64.const 3))))
                        (else (local.set $a (i32.add (local.get $a) (i32.const 8)))))
                    (block $three (block $two (block $one
                        (br_table $one $two $three (i32.and (local.get $i) (i32.const 3))))
                        (local.set $s (i64.shr_u (local.get $s) (i64.const 1))) (br $three))
                        (local.set $b (i64.or (local.get $b) (i64.const 1))))
                    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
                    (br_if $again (i32.gt_s (local.get $i) (i32.const 0))))
                (if (i32.eq (local.get $a) (i32.const {salt}))
                    (then (return (call $f{next} (local.get $a) (local.get $s)))))
                (local.get $s))",
            offset = place % 64 * 8,
        )?;
    }
    text.push_str(r#"(func (export "_start") (drop (call $f0 (i32.const 1) (i64.const 2)))))"#);
    Ok(text)
}
