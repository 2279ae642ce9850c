//! What a guest is given of WASI, and what it is refused.

use executor::{Clock, Outcome, Run, Seed};

use crate::{Bench, fixed};

/// A guest that calls one function of WASI with these arguments, and writes its error number and 64 bytes from address 64.
fn calling(name: &str, params: &str, args: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "{name}" (func $call (param {params}) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\3f\00\00\00\41\00\00\00")
            (func (export "_start")
                (i32.store8 (i32.const 63) (call $call {args}))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
    )
}

/// The error number and what the call left at address 64.
async fn call(bench: &Bench, name: &str, params: &str, args: &str, run: Run) -> (u8, Vec<u8>) {
    let execution = bench.run(&calling(name, params, args), run).await;
    assert_eq!(execution.outcome, Outcome::Returned, "{name}");
    let (errno, rest) = execution.stdout.split_first().unwrap();
    (*errno, rest.to_vec())
}

const P2: &str = "i32 i32";
const AT_64: &str = "(i32.const 64) (i32.const 96)";

#[tokio::test]
async fn arguments_and_environment_arrive() {
    let bench = Bench::new();
    let run = || Run {
        args: vec!["guest".to_owned(), "-v".to_owned()],
        env: [
            ("NEAR_SENDER_ID".to_owned(), "alice.near".to_owned()),
            ("EMPTY".to_owned(), String::new()),
        ]
        .into(),
        ..fixed()
    };
    // Pointers at 96, so that the texts are what is seen at 64.
    let swapped = "(i32.const 112) (i32.const 64)";

    let (errno, texts) = call(&bench, "environ_get", P2, swapped, run()).await;
    assert_eq!(
        (errno, &texts[..33]),
        (0, &b"EMPTY=\0NEAR_SENDER_ID=alice.near\0"[..])
    );

    let (errno, texts) = call(&bench, "args_get", P2, swapped, run()).await;
    assert_eq!((errno, &texts[..9]), (0, &b"guest\0-v\0"[..]));

    let (_, counts) = call(&bench, "environ_sizes_get", P2, AT_64, run()).await;
    assert_eq!((counts[0], counts[32]), (2, 33));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let bench = Bench::new();
    let random = |seed| {
        let run = Run { seed, ..fixed() };
        call(
            &bench,
            "random_get",
            P2,
            "(i32.const 64) (i32.const 64)",
            run,
        )
    };

    let seeded = random(Seed([1; 32])).await;
    let again = random(Seed([1; 32])).await;
    let other = random(Seed([2; 32])).await;

    assert_eq!(seeded, again);
    assert_ne!(seeded, other);
}

#[tokio::test]
async fn a_fixed_clock_stands_still_until_the_guest_sleeps() {
    let bench = Bench::new();
    let now = 1_700_000_000_123_456_789;
    let text = r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\40\00\00\00\18\00\00\00")
        (func (export "_start")
            (drop (call $time (i32.const 0) (i64.const 0) (i32.const 64)))
            ;; An hour on the monotonic clock.
            (i32.store (i32.const 216) (i32.const 1))
            (i64.store (i32.const 224) (i64.const 3600000000000))
            (drop (call $poll (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 80)))
            (drop (call $time (i32.const 0) (i64.const 0) (i32.const 72)))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    let run = Run {
        clock: Clock::Fixed(now),
        ..fixed()
    };

    let execution = bench.run(text, run).await;

    let number = |at: usize| u64::from_le_bytes(execution.stdout[at..at + 8].try_into().unwrap());
    assert_eq!(number(0), now);
    assert_eq!(number(8), now + 3_600_000_000_000);
    assert_eq!(number(16), 1, "one event");
}

#[tokio::test]
async fn the_systems_clock_is_the_machines() {
    let bench = Bench::new();
    let run = Run {
        clock: Clock::System,
        ..fixed()
    };

    let (errno, time) = call(
        &bench,
        "clock_time_get",
        "i32 i64 i32",
        "(i32.const 0) (i64.const 0) (i32.const 64)",
        run,
    )
    .await;

    let told = u64::from_le_bytes(time[..8].try_into().unwrap());
    assert_eq!(errno, 0);
    assert!(told > 1_700_000_000_000_000_000, "{told}");
}

#[tokio::test]
async fn pointers_out_of_bounds_are_faults_and_not_traps() {
    let bench = Bench::new();
    let fault = 21;
    let far = "(i32.const 65532)";
    let top = "(i32.const -1)";
    let cases = [
        ("random_get", P2, format!("{far} (i32.const 5)")),
        ("random_get", P2, format!("{top} {top}")),
        ("environ_sizes_get", P2, format!("{top} {top}")),
        ("args_sizes_get", P2, format!("{far} {top}")),
        ("args_get", P2, format!("{top} {top}")),
        ("environ_get", P2, format!("{top} {top}")),
        (
            "clock_time_get",
            "i32 i64 i32",
            format!("(i32.const 0) (i64.const 0) {far}"),
        ),
        ("clock_res_get", P2, format!("(i32.const 0) {top}")),
        ("fd_fdstat_get", P2, format!("(i32.const 1) {far}")),
        ("fd_filestat_get", P2, format!("(i32.const 1) {far}")),
        (
            "fd_read",
            "i32 i32 i32 i32",
            format!("(i32.const 0) {far} (i32.const 1) (i32.const 8)"),
        ),
        (
            "fd_read",
            "i32 i32 i32 i32",
            format!("(i32.const 0) (i32.const 0) (i32.const 1) {top}"),
        ),
        (
            "poll_oneoff",
            "i32 i32 i32 i32",
            format!("{far} {top} (i32.const 1) {top}"),
        ),
    ];
    let run = || Run {
        args: vec!["guest".to_owned()],
        env: [("A".to_owned(), "b".to_owned())].into(),
        ..fixed()
    };

    for (name, params, args) in cases {
        let (errno, _) = call(&bench, name, params, &args, run()).await;
        assert_eq!(errno, fault, "{name} {args}");
    }
}

#[tokio::test]
async fn pieces_out_of_bounds_write_nothing() {
    let bench = Bench::new();
    let text = crate::guest(
        r#"(func (export "_start")
            ;; The first piece is well, the second reaches beyond the memory.
            (i32.store (i32.const 100) (i32.const 0)) (i32.store (i32.const 104) (i32.const 4))
            (i32.store (i32.const 108) (i32.const 65530)) (i32.store (i32.const 112) (i32.const 100))
            (call $exit (call $write (i32.const 1) (i32.const 100) (i32.const 2) (i32.const 8))))"#,
    );

    let execution = bench.run(&text, fixed()).await;

    assert_eq!(execution.outcome, Outcome::Exited(21));
    assert!(execution.stdout.is_empty());
}

#[tokio::test]
async fn there_are_no_files_and_no_sockets() {
    let bench = Bench::new();
    let open = "i32 i32 i32 i32 i32 i64 i64 i32 i32";
    let open_args = |fd: u8| {
        format!(
            "(i32.const {fd}) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 0) (i64.const 0)
             (i32.const 0) (i32.const 64)"
        )
    };
    let two = |fd: u8| format!("(i32.const {fd}) (i32.const 64)");
    let (bad_fd, not_a_directory, not_a_socket, no_seek) = (8, 54, 57, 70);
    let cases = [
        ("path_open", open, open_args(3), bad_fd),
        ("path_open", open, open_args(0), not_a_directory),
        ("fd_prestat_get", P2, two(3), bad_fd),
        ("fd_prestat_get", P2, two(0), bad_fd),
        ("fd_fdstat_get", P2, two(3), bad_fd),
        ("sock_shutdown", P2, two(1), not_a_socket),
        ("sock_shutdown", P2, two(9), bad_fd),
        ("fd_tell", P2, two(0), no_seek),
        (
            "fd_read",
            "i32 i32 i32 i32",
            "(i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)".to_owned(),
            bad_fd,
        ),
        ("fd_close", "i32", "(i32.const 4)".to_owned(), bad_fd),
    ];

    for (name, params, args, expected) in cases {
        let (errno, _) = call(&bench, name, params, &args, fixed()).await;
        assert_eq!(errno, expected, "{name} {args}");
    }
}
