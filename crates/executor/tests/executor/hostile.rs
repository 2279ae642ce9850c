//! Guests that mean harm. Each ends in its named outcome, and the next guest runs as ever.

use std::time::Duration;

use executor::{Limits, Outcome, Run, TrapKind};

use crate::{Bench, fixed, guest, module, trap};

async fn outcome(bench: &Bench, body: &str) -> Outcome {
    bench.run(&guest(body), fixed()).await.outcome
}

#[tokio::test]
async fn endless_loops_of_every_kind_run_out_of_instructions() {
    let bench = Bench::new();
    let loops = [
        "(loop $a (br $a))",
        "(loop $a (block $b (br $b)) (br $a))",
        "(loop $a (br_if $a (i32.const 1)))",
        "(loop $a (br_table $a $a (i32.const 0)))",
        "(loop $a (if (i32.const 1) (then (br $a))))",
        "(loop $a (loop $b (br $a)))",
        "(loop $a (call $nothing) (br $a))",
        "(loop $a (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (br $a))",
        "(loop $a (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (br $a))",
        "(loop $a (drop (memory.grow (i32.const 0))) (br $a))",
        "(loop $a (drop (call $write (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 8))) (br $a))",
        "(loop $a (drop (call $write (i32.const 9) (i32.const -1) (i32.const -1) (i32.const -1))) (br $a))",
        "(loop $a (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))) (br $a))",
        "(call_indirect (i32.const 0))",
    ];

    for body in loops {
        let body = format!(
            r#"(table 1 funcref) (elem (i32.const 0) $again)
               (func $nothing) (func $again (return_call_indirect (i32.const 0)))
               (func (export "_start") {body})"#
        );
        assert_eq!(
            outcome(&bench, &body).await,
            Outcome::OutOfInstructions,
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_flood_of_bytes_costs_what_it_moves() {
    let bench = Bench::new();
    let fill =
        r#"(func (export "_start") (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)))"#;
    let random = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 64)
        (func (export "_start") (drop (call $random (i32.const 0) (i32.const 4194304)))))"#;

    assert_eq!(outcome(&bench, fill).await, Outcome::OutOfInstructions);
    assert_eq!(
        bench.run(random, fixed()).await.outcome,
        Outcome::OutOfInstructions
    );
}

#[tokio::test]
async fn a_table_grows_to_its_cap_and_no_further() {
    let bench = Bench::new();
    let text = guest(
        r#"(table $t 1 funcref)
           (func (export "_start")
            (loop $again
                (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
            (unreachable))"#,
    );
    let run = Run {
        limits: Limits {
            instructions: 1_000_000_000,
            ..fixed().limits
        },
        ..fixed()
    };

    let execution = bench.run(&text, run).await;

    assert_eq!(execution.outcome, Outcome::OutOfMemory);
}

#[tokio::test]
async fn deep_recursion_with_large_frames_overflows_the_counted_stack_first() {
    let bench = Bench::new();
    let pushes = "(call $f (local.get 0))".repeat(100);
    let adds = "i64.add ".repeat(99);
    let body = format!(
        r#"(func $f (param i64) (result i64) (local {}) {pushes} {adds})
           (func (export "_start") (drop (call $f (i64.const 1))))"#,
        "v128 ".repeat(1_000)
    );

    assert_eq!(outcome(&bench, &body).await, Outcome::StackOverflow);
}

#[tokio::test]
async fn every_touch_outside_the_memory_traps() {
    let bench = Bench::new();
    let touches = [
        "(i32.store8 (i32.const -1) (i32.const 1))",
        "(drop (i64.load offset=4294967295 (i32.const -1)))",
        "(v128.store (i32.const 65521) (v128.const i64x2 0 0))",
        "(memory.fill (i32.const 65000) (i32.const 1) (i32.const 1000))",
        "(memory.copy (i32.const 0) (i32.const 65000) (i32.const 1000))",
    ];

    for touch in touches {
        let text = guest(&format!(r#"(func (export "_start") {touch})"#));
        let execution = bench.run(&text, fixed()).await;
        assert_eq!(trap(&execution), TrapKind::MemoryOutOfBounds, "{touch}");
    }
}

#[tokio::test]
async fn a_segment_that_does_not_fit_traps_before_anything_runs() {
    let bench = Bench::new();
    let text = r#"(module (memory (export "memory") 1) (data (i32.const 65535) "ab") (func (export "_start")))"#;

    let execution = bench.run(text, fixed()).await;

    assert_eq!(trap(&execution), TrapKind::MemoryOutOfBounds);
    assert_eq!(execution.instructions, 0);
}

#[tokio::test]
async fn a_guest_that_sleeps_for_ever_or_leaves_its_input_unread_is_ended() {
    let bench = Bench::new();
    let text = r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (i32.store (i32.const 16) (i32.const 1))
            (i64.store (i32.const 24) (i64.const -1))
            (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;
    let run = Run {
        input: vec![1; 1 << 20],
        clock: executor::Clock::System,
        limits: Limits {
            wall: Duration::from_millis(300),
            ..fixed().limits
        },
        ..fixed()
    };

    let execution = bench.run(text, run).await;

    assert_eq!(execution.outcome, Outcome::OutOfTime);
}

#[tokio::test]
async fn a_module_that_takes_too_much_memory_to_compile_is_bad() {
    let cache = tempfile::tempdir().unwrap();
    let mut settings = crate::settings(cache.path());
    settings.compile.memory_bytes = 60 << 20;
    let bench = Bench {
        executor: executor::Executor::new(&settings).unwrap(),
        cache,
    };
    let sets: Vec<_> = (0..1_999)
        .map(|local| {
            format!("(if (local.get {local}) (then (local.set {local} (i64.eqz (i64.const 1)))))")
        })
        .collect();
    let bomb = format!(
        r#"(func (export "_start") (local {}) (loop $a {} (br $a)))"#,
        "i32 ".repeat(1_999),
        sets.concat()
    );

    let execution = bench.run(&guest(&bomb), fixed()).await;

    let Outcome::BadModule { reason } = execution.outcome else {
        panic!("compiled: {:?}", execution.outcome);
    };
    assert_eq!(reason, "compiling it takes too much memory");
    assert!(execution.compile.is_some());
}

#[tokio::test]
async fn a_module_that_takes_too_long_to_compile_is_bad() {
    let cache = tempfile::tempdir().unwrap();
    let mut settings = crate::settings(cache.path());
    // A compiler that never comes to an end.
    settings.compiler.path = "/bin/sh".into();
    settings.compiler.args = vec!["-c".into(), "cat > /dev/null; sleep 1000".into()];
    settings.compile.wall = Duration::from_millis(50);
    let bench = Bench {
        executor: executor::Executor::new(&settings).unwrap(),
        cache,
    };

    let outcome = outcome(&bench, r#"(func (export "_start"))"#).await;

    let reason = "compiling it takes more than 50ms".to_owned();
    assert_eq!(outcome, Outcome::BadModule { reason });
}

#[tokio::test]
async fn after_all_that_a_good_guest_runs() {
    let bench = Bench::new();
    let bad = guest(r#"(func (export "_start") (unreachable))"#);
    let good = module(&guest(r#"(func (export "_start"))"#));
    for _ in 0..3 {
        bench.run(&bad, fixed()).await;
    }

    let execution = bench.executor.execute(&good, fixed()).await.unwrap();

    assert_eq!(execution.outcome, Outcome::Returned);
}
