//! Every way in which a guest can end.

use executor::{Limits, Outcome, Run, TrapKind};

use crate::{Bench, fixed, guest, trap};

const ECHO: &str = r#"
    (func (export "_start") (local $length i32)
        (i32.store (i32.const 0) (i32.const 100))
        (i32.store (i32.const 4) (i32.const 1000))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $length (i32.load (i32.const 8)))
        (call $print (i32.const 1) (i32.const 100) (local.get $length))
        (call $print (i32.const 2) (i32.const 100) (i32.const 2)))"#;

#[tokio::test]
async fn a_guest_reads_its_input_and_writes_its_output_and_its_messages() {
    let bench = Bench::new();
    let run = Run {
        input: b"hello".to_vec(),
        ..fixed()
    };

    let execution = bench.run(&guest(ECHO), run).await;

    assert_eq!(execution.outcome, Outcome::Returned);
    assert_eq!(execution.stdout, b"hello");
    assert_eq!(execution.stderr, b"he");
    assert_eq!(execution.memory_peak_bytes, 65_536);
    assert!(execution.instructions > 0);
}

#[tokio::test]
async fn a_guest_exits_with_its_code() {
    let bench = Bench::new();

    let well = bench
        .run(
            &guest(r#"(func (export "_start") (call $exit (i32.const 0)))"#),
            fixed(),
        )
        .await;
    let ill = bench
        .run(
            &guest(r#"(func (export "_start") (call $exit (i32.const -3)))"#),
            fixed(),
        )
        .await;

    assert_eq!(well.outcome, Outcome::Exited(0));
    assert!(well.outcome.is_success());
    assert_eq!(ill.outcome, Outcome::Exited(-3));
    assert!(!ill.outcome.is_success());
}

#[tokio::test]
async fn a_trap_names_its_kind_and_its_functions() {
    let bench = Bench::new();
    let text = guest(
        r#"(func $_ZN4core5inner17h0123456789abcdefE (unreachable))
           (func $outer (call $_ZN4core5inner17h0123456789abcdefE))
           (func $main (export "_start") (call $outer))"#,
    );

    let execution = bench.run(&text, fixed()).await;

    assert_eq!(
        execution.outcome,
        Outcome::Trapped {
            kind: TrapKind::Unreachable,
            backtrace: "0: core::inner\n1: outer\n2: main\n".to_owned(),
        }
    );
}

#[tokio::test]
async fn each_kind_of_trap_is_told_apart() {
    let bench = Bench::new();
    let cases = [
        (
            "(drop (i32.load (i32.const 65536)))",
            TrapKind::MemoryOutOfBounds,
        ),
        (
            "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
            TrapKind::DivisionByZero,
        ),
        (
            "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
            TrapKind::IntegerOverflow,
        ),
        (
            "(drop (i32.trunc_f32_s (f32.const nan)))",
            TrapKind::BadConversion,
        ),
        ("(call_indirect (i32.const 9))", TrapKind::TableOutOfBounds),
        (
            "(call_indirect (i32.const 1))",
            TrapKind::IndirectCallToNull,
        ),
        (
            "(call_indirect (param i32) (i32.const 1) (i32.const 0))",
            TrapKind::BadSignature,
        ),
    ];

    for (body, kind) in cases {
        let text = guest(&format!(
            r#"(table 2 funcref) (elem (i32.const 0) $f) (func $f)
               (func (export "_start") {body})"#
        ));
        assert_eq!(trap(&bench.run(&text, fixed()).await), kind, "{body}");
    }
}

#[tokio::test]
async fn a_guest_that_is_refused_memory_and_aborts_is_out_of_memory() {
    let bench = Bench::new();
    let text = guest(
        r#"(func (export "_start")
            (loop $again
                (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
            (unreachable))"#,
    );

    let execution = bench.run(&text, fixed()).await;

    assert_eq!(execution.outcome, Outcome::OutOfMemory);
    assert_eq!(execution.memory_peak_bytes, 4 << 20);
}

#[tokio::test]
async fn a_guest_that_copes_with_refused_memory_returns() {
    let bench = Bench::new();
    let text = guest(r#"(func (export "_start") (drop (memory.grow (i32.const 1000))))"#);

    let execution = bench.run(&text, fixed()).await;

    assert_eq!(execution.outcome, Outcome::Returned);
    assert_eq!(execution.memory_peak_bytes, 65_536);
}

#[tokio::test]
async fn a_guest_that_needs_more_memory_than_its_limit_to_begin_with_is_out_of_memory() {
    let bench = Bench::new();
    let text = r#"(module (memory (export "memory") 65) (func (export "_start")))"#;

    let execution = bench.run(text, fixed()).await;

    assert_eq!(execution.outcome, Outcome::OutOfMemory);
}

#[tokio::test]
async fn a_guest_that_writes_more_than_an_answer_holds_ends_with_what_fits() {
    let bench = Bench::new();
    let text = guest(
        r#"(func (export "_start")
            (loop $again (call $print (i32.const 1) (i32.const 0) (i32.const 300)) (br $again)))"#,
    );

    let execution = bench.run(&text, fixed()).await;

    assert_eq!(execution.outcome, Outcome::OutputTooLarge);
    assert_eq!(execution.stdout.len(), 1_000);
}

#[tokio::test]
async fn messages_beyond_their_cap_are_dropped_and_counted() {
    let bench = Bench::new();
    let text = guest(
        r#"(func (export "_start")
            (call $print (i32.const 2) (i32.const 0) (i32.const 300))
            (call $print (i32.const 2) (i32.const 0) (i32.const 7)))"#,
    );

    let execution = bench.run(&text, fixed()).await;

    assert_eq!(execution.outcome, Outcome::Returned);
    assert_eq!(execution.stderr.len(), 100);
    assert_eq!(execution.stderr_dropped, 207);
}

#[tokio::test]
async fn a_guest_that_runs_too_long_is_killed_and_what_it_wrote_is_kept() {
    let bench = Bench::new();
    let text = guest(
        r#"(func (export "_start")
            (call $print (i32.const 1) (i32.const 0) (i32.const 3))
            (loop $again (br $again)))"#,
    );
    let run = Run {
        limits: Limits {
            instructions: u64::MAX,
            wall: std::time::Duration::from_millis(300),
            ..fixed().limits
        },
        ..fixed()
    };

    let execution = bench.run(&text, run).await;

    assert_eq!(execution.outcome, Outcome::OutOfTime);
    assert_eq!(execution.stdout.len(), 3);
    assert!(execution.instructions > 0);
}

#[tokio::test]
async fn what_is_no_module_to_run_is_told_why() {
    let bench = Bench::new();
    let strange = r#"(module (import "env" "magic" (func)) (func (export "_start")))"#;
    let valued = r#"(module (func (export "_start") (result i32) (i32.const 1)))"#;
    let threaded = r#"(module (memory 1 1 shared) (func (export "_start")))"#;
    let mistyped =
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func)) (func (export "_start")))"#;
    let bad = |outcome: Outcome| match outcome {
        Outcome::BadModule { reason } => reason,
        other => panic!("not a bad module: {other:?}"),
    };

    let noise = executor::Artifact::from_bytes(&b"not wasm"[..]);
    let noise = bench.executor.execute(&noise, fixed()).await.unwrap();
    assert!(bad(noise.outcome).starts_with("not a valid module: "));
    assert_eq!(
        bad(bench.run(strange, fixed()).await.outcome),
        "the module imports env.magic, which no guest is given"
    );
    assert_eq!(
        bad(bench.run(valued, fixed()).await.outcome),
        "`_start` takes or returns values"
    );
    assert!(bad(bench.run(mistyped, fixed()).await.outcome).contains("proc_exit"));
    assert_eq!(
        bench.run(threaded, fixed()).await.outcome,
        Outcome::Refused {
            feature: "threads".to_owned()
        }
    );
}

#[tokio::test]
async fn a_run_with_what_wasi_cannot_hold_is_refused_at_once() {
    let bench = Bench::new();
    let run = Run {
        env: [("A=B".to_owned(), "c".to_owned())].into(),
        ..fixed()
    };

    let error = bench
        .executor
        .execute(&crate::module(&guest(ECHO)), run)
        .await
        .unwrap_err();

    assert!(!error.is_retryable());
}
