//! Guests that are components: what rustc makes for `wasm32-wasip2`, and what is written by hand.

use executor::{Artifact, Engine, Execution, Executor, Limits, Outcome, Run, Settings, TrapKind};

use crate::rustc::made;
use crate::{Bench, fixed, settings, trap};

/// Each word of the input asks for something.
const SOURCE: &str = r#"
    use std::hash::{BuildHasher, RandomState};
    use std::io::{Read, Write};
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    #[inline(never)]
    fn divide(by: u32) -> u32 {
        100 / std::hint::black_box(by)
    }

    fn main() {
        let mut input = String::new();
        std::io::stdin().read_to_string(&mut input).unwrap();
        let start = Instant::now();
        match input.as_str() {
            "given" => {
                println!("{:?} {:?}", std::env::args().collect::<Vec<_>>(), std::env::vars().collect::<Vec<_>>());
                eprintln!("message");
            }
            "random" => println!("{}", RandomState::new().hash_one(1)),
            "time" => println!("{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()),
            "sleep" => {
                std::thread::sleep(Duration::from_secs(3_600));
                println!("{:?}", start.elapsed());
            }
            "world" => println!(
                "{} {} {} {}",
                std::fs::read("/etc/passwd").is_err(),
                std::fs::read_dir("/").is_err(),
                std::net::TcpStream::connect("127.0.0.1:80").is_err(),
                std::net::UdpSocket::bind("127.0.0.1:0").is_err(),
            ),
            "fail" => std::process::exit(3),
            "panic" => panic!("told to"),
            "divide" => println!("{}", divide(0)),
            "hoard" => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(vec![1; 100_000]);
                }
            }
            "flood" => loop {
                std::io::stdout().write_all(&[b'x'; 4_000]).unwrap();
            },
            "loop" => {
                println!("begun");
                let mut sum = 0_u64;
                loop {
                    sum = std::hint::black_box(sum + 1);
                }
            }
            other => println!("{other} back"),
        }
    }
"#;

/// Gives back 7, then 7 again; `run` is well if the first text is empty and the second is not.
const REFUNDING: &str = r#"(component
    (import "near:payment/api@0.1.0" (instance $payment
        (export "refund-usd" (func (param "amount" u64) (result string)))))
    (core module $memory
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $bytes))
    (alias export $payment "refund-usd" (func $refund))
    (core func $lowered
        (canon lower (func $refund) (memory $bytes) (realloc (func $memory "realloc"))))
    (core module $main
        (import "host" "refund" (func $refund (param i64 i32)))
        (import "host" "memory" (memory 1))
        (func (export "run") (result i32)
            (call $refund (i64.const 7) (i32.const 0))
            (call $refund (i64.const 7) (i32.const 8))
            (i32.or
                (i32.ne (i32.load (i32.const 4)) (i32.const 0))
                (i32.eqz (i32.load (i32.const 12))))))
    (core instance $host
        (export "refund" (func $lowered))
        (export "memory" (memory $bytes)))
    (core instance $main (instantiate $main (with "host" (instance $host))))
    (func $run (result (result)) (canon lift (core func $main "run")))
    (instance $cli (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $cli)))"#;

/// Makes handles without end: the host keeps a table of them.
const HOARDING: &str = r#"(component
    (type $thing (resource (rep i32)))
    (core func $new (canon resource.new $thing))
    (core module $main
        (import "host" "new" (func $new (param i32) (result i32)))
        (func (export "run") (result i32)
            (loop $again
                (drop (call $new (i32.const 1)))
                (br $again))
            (i32.const 0)))
    (core instance $host (export "new" (func $new)))
    (core instance $main (instantiate $main (with "host" (instance $host))))
    (func $run (result (result)) (canon lift (core func $main "run")))
    (instance $cli (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $cli)))"#;

fn artifact() -> Artifact {
    made("wasm32-wasip2", SOURCE, &[])
}

fn run(input: &str) -> Run {
    Run {
        input: input.into(),
        limits: Limits {
            instructions: 100_000_000,
            stderr_bytes: 10_000,
            ..fixed().limits
        },
        ..fixed()
    }
}

fn said(execution: &Execution) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(&execution.stdout)
}

#[tokio::test]
async fn a_component_is_given_what_a_module_is_given() {
    let (bench, artifact) = (Bench::new(), artifact());
    let given = Run {
        args: vec!["guest".to_owned(), "-v".to_owned()],
        env: [("NEAR_SENDER_ID".to_owned(), "alice.near".to_owned())].into(),
        ..run("given")
    };

    let execution = bench.executor.execute(&artifact, given).await.unwrap();

    assert_eq!(execution.outcome, Outcome::Returned);
    assert_eq!(
        said(&execution),
        "[\"guest\", \"-v\"] [(\"NEAR_SENDER_ID\", \"alice.near\")]\n"
    );
    assert_eq!(execution.stderr, b"message\n");
}

#[tokio::test]
async fn a_component_under_a_fixed_clock_does_the_same_again() {
    let (bench, artifact) = (Bench::new(), artifact());
    for (word, wanted) in [
        ("random", None),
        ("time", Some("1700000000000000000\n")),
        ("sleep", Some("3600s\n")),
    ] {
        let first = bench.executor.execute(&artifact, run(word)).await.unwrap();
        let second = bench.executor.execute(&artifact, run(word)).await.unwrap();

        assert_eq!(first.outcome, Outcome::Returned, "{word}");
        assert_eq!(said(&first), said(&second), "{word}");
        assert_eq!(first.instructions, second.instructions, "{word}");
        assert!(wanted.is_none_or(|wanted| said(&first) == wanted));
    }
}

#[tokio::test]
async fn a_component_has_no_files_and_no_network() {
    let (bench, artifact) = (Bench::new(), artifact());

    let execution = bench.executor.execute(&artifact, run("world")).await;

    assert_eq!(said(&execution.unwrap()), "true true true true\n");
}

#[tokio::test]
async fn a_component_ends_as_a_module_does() {
    let (bench, artifact) = (Bench::new(), artifact());
    let end = async |word: &str| bench.executor.execute(&artifact, run(word)).await.unwrap();

    assert_eq!(end("fail").await.outcome, Outcome::Exited(1));
    assert_eq!(trap(&end("panic").await), TrapKind::Unreachable);
    assert_eq!(end("hoard").await.outcome, Outcome::OutOfMemory);
    let flood = end("flood").await;
    assert_eq!(flood.outcome, Outcome::OutputTooLarge);
    assert_eq!(flood.stdout, b"x".repeat(1_000));
    let endless = end("loop").await;
    assert_eq!(endless.outcome, Outcome::OutOfInstructions);
    assert_eq!(endless.instructions, 100_000_000);
}

#[tokio::test]
async fn a_component_that_takes_too_long_is_ended_with_what_it_wrote() {
    let (bench, artifact) = (Bench::new(), artifact());
    bench.executor.warm(&artifact).await.unwrap();
    let mut short = run("loop");
    short.limits.instructions = u64::MAX;
    short.limits.wall = std::time::Duration::from_millis(300);

    let execution = bench.executor.execute(&artifact, short).await.unwrap();

    assert_eq!(execution.outcome, Outcome::OutOfTime);
    assert_eq!(said(&execution), "begun\n");
}

#[tokio::test]
async fn a_trap_in_a_component_names_its_functions_and_is_counted_exactly() {
    let artifact = artifact();
    let cache = tempfile::tempdir().unwrap();
    let mut counts = Vec::new();
    for engine in [Engine::Cranelift, Engine::Winch] {
        let executor = Executor::new(&Settings {
            engine,
            ..settings(cache.path())
        })
        .unwrap();

        let well = executor.execute(&artifact, run("hello")).await.unwrap();
        let ill = executor.execute(&artifact, run("panic")).await.unwrap();

        assert_eq!(said(&well), "hello back\n");
        let Outcome::Trapped { backtrace, .. } = &ill.outcome else {
            unreachable!("it is a trap: {:?}", ill.outcome);
        };
        assert!(backtrace.contains(": guest::main\n"), "{backtrace}");
        counts.push((well.instructions, ill.instructions));
    }
    assert_eq!(counts.first(), counts.get(1));
    assert!(counts.iter().all(|(well, ill)| *well > 0 && *ill > 0));
}

#[tokio::test]
async fn a_component_gives_back_once_and_no_more_than_was_attached() {
    let bench = Bench::new();
    let attached = |attached_usd| Run {
        attached_usd,
        ..run("")
    };

    let enough = bench.run(REFUNDING, attached(7)).await;
    let too_little = bench.run(REFUNDING, attached(6)).await;

    assert_eq!(enough.outcome, Outcome::Returned);
    assert_eq!(enough.refund_usd, Some(7));
    assert_eq!(too_little.outcome, Outcome::Exited(1));
    assert_eq!(too_little.refund_usd, None);
}

#[tokio::test]
async fn a_component_that_calls_itself_without_end_overflows_the_stack() {
    let bench = Bench::new();
    let endless = r#"(func $run (export "run") (result i32) (drop (call $run))"#;
    let text = REFUNDING.replace(r#"(func (export "run") (result i32)"#, endless);

    let execution = bench.run(&text, run("")).await;

    assert_eq!(execution.outcome, Outcome::StackOverflow);
}

#[tokio::test]
async fn a_component_that_hoards_handles_takes_no_more_than_its_process_may() {
    let bench = Bench::new();

    let execution = bench.run(HOARDING, run("")).await;

    assert_eq!(trap(&execution), TrapKind::Other);
}

#[tokio::test]
async fn a_component_whose_gas_cannot_be_told_is_charged_in_full() {
    let bench = Bench::new();
    let text = REFUNDING.replace("(i32.ne ", "(i32.add ");

    let execution = bench.run(&text, run("")).await;

    assert_eq!(trap(&execution), TrapKind::Other);
    assert_eq!(execution.instructions, 100_000_000);
}

#[tokio::test]
async fn a_component_that_imports_what_is_not_there_is_no_guest() {
    let bench = Bench::new();
    let text = REFUNDING.replace("near:payment/api", "near:nothing/api");

    let execution = bench.run(&text, run("")).await;

    let Outcome::BadModule { reason } = execution.outcome else {
        unreachable!("it is bad: {:?}", execution.outcome);
    };
    assert!(reason.contains("near:nothing/api"), "{reason}");
}

#[tokio::test]
async fn a_component_may_name_what_this_execution_does_not_have_and_may_not_call_it() {
    let bench = Bench::new();
    let naming = REFUNDING
        .replace("near:payment/api", "near:vrf/api")
        .replace("(call $refund (i64.const 7) (i32.const 0))", "")
        .replace(
            "(call $refund (i64.const 7) (i32.const 8))",
            "(i32.store (i32.const 12) (i32.const 1))",
        );
    let calling = REFUNDING.replace("near:payment/api", "near:vrf/api");

    let named = bench.run(&naming, run("")).await;
    let called = bench.run(&calling, run("")).await;

    assert_eq!(named.outcome, Outcome::Returned);
    assert_eq!(trap(&called), TrapKind::Other);
    assert_eq!(
        String::from_utf8_lossy(&called.stderr),
        "outlayer: near:vrf/api@0.1.0 is not there for this execution: refund-usd\n"
    );
}

#[tokio::test]
async fn the_interpreter_refuses_components_by_name() {
    let cache = tempfile::tempdir().unwrap();
    let executor = Executor::new(&Settings {
        engine: Engine::Interpreter,
        ..settings(cache.path())
    })
    .unwrap();

    let execution = executor
        .execute(&crate::module(REFUNDING), run(""))
        .await
        .unwrap();

    let feature = "components under the interpreter".to_owned();
    assert_eq!(execution.outcome, Outcome::Refused { feature });
}
