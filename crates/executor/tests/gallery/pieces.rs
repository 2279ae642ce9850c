//! What a guest can do once it runs.

use executor::TrapKind;

use crate::Expected::{
    self, BadModule, Errno, OutOfInstructions, OutOfMemory, OutOfTime, OutputTooLarge, Refused,
    Returned, StackOverflow, Trapped,
};
use crate::Piece;

/// Error numbers of WASI preview 1. Source: `wasi_snapshot_preview1.witx`.
const BAD_FD: i32 = 8;
const FAULT: i32 = 21;
const INVALID: i32 = 28;
const NOT_IMPLEMENTED: i32 = 52;

/// Imports that most pieces use, memory, a table, and functions to jump to.
fn around(body: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fdstat (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_filestat_get" (func $filestat (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_raise" (func $raise (param i32) (result i32)))
            (memory (export "memory") 2)
            (table $table 4 funcref)
            (elem (table $table) (i32.const 1) func $again $returns)
            (elem $passive func $again)
            (data $data "0123456789")
            (func $again (return_call_indirect (i32.const 1)))
            (func $returns (result i32) (i32.const 7))
            (func $one (call $two))
            (func $two (call $one))
            (func $deep (param i64 i64 i64 i64 i64 i64 i64 i64) (local i64 i64 i64 i64 i64 i64 i64 i64)
                (call $deep (local.get 7) (local.get 6) (local.get 5) (local.get 4)
                    (local.get 3) (local.get 2) (local.get 1) (local.get 0)))
            (func $indirect (call_indirect (i32.const 3)))
            (elem (table $table) (i32.const 3) func $indirect)
            (func $self (call $self))
            {body})"#
    )
}

fn started(name: &str, body: &str, expected: Expected) -> Piece {
    let body = format!(r#"(func (export "_start") (local $i i32) (local $d f64) {body})"#);
    Piece::new(name, &around(&body), expected)
}

/// A guest that hands on the error number of a call.
fn errno(name: &str, call: &str, expected: i32) -> Piece {
    started(name, &format!("(call $exit {call})"), Errno(expected))
}

pub(super) fn gallery() -> Vec<Piece> {
    let mut all = loops();
    all.extend(nesting());
    all.extend(memory());
    all.extend(tables());
    all.extend(numbers());
    all.extend(pointers());
    all.extend(calls());
    all.extend(features());
    all
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn loops() -> Vec<Piece> {
    let spin = |name, body| started(name, body, OutOfInstructions);
    let wait = |name, body| started(name, body, OutOfTime);
    vec![
        spin("a loop", "(loop $a (br $a))"),
        spin("a loop in a loop", "(loop $a (loop $b (br $b)) (br $a))"),
        spin("a loop by br_if", "(loop $a (br_if $a (i32.const 1)))"),
        spin(
            "a loop by br_table",
            "(loop $a (br_table $a $a $a (i32.const 1)))",
        ),
        spin(
            "a loop by an if",
            "(loop $a (if (i32.const 1) (then (br $a))))",
        ),
        spin("tail calls through a table", "(call $again)"),
        spin(
            "yielding for ever",
            "(loop $a (drop (call $yield)) (br $a))",
        ),
        spin(
            "looking at the clock for ever",
            "(loop $a (drop (call $time (i32.const 0) (i64.const 0) (i32.const 0))) (br $a))",
        ),
        spin(
            "drawing random bytes for ever",
            "(loop $a (drop (call $random (i32.const 0) (i32.const 1024))) (br $a))",
        ),
        spin(
            "drawing no random bytes for ever",
            "(loop $a (drop (call $random (i32.const 0) (i32.const 0))) (br $a))",
        ),
        spin(
            "a flood of memory.fill",
            "(loop $a (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $a))",
        ),
        spin(
            "a flood of empty memory.fill",
            "(loop $a (memory.fill (i32.const 0) (i32.const 1) (i32.const 0)) (br $a))",
        ),
        spin(
            "a flood of memory.copy",
            "(loop $a (memory.copy (i32.const 1) (i32.const 0) (i32.const 65536)) (br $a))",
        ),
        spin(
            "a flood of memory.init",
            "(loop $a (memory.init $data (i32.const 0) (i32.const 0) (i32.const 10)) (br $a))",
        ),
        spin(
            "a flood of table.init",
            "(loop $a (table.init $table $passive (i32.const 0) (i32.const 0) (i32.const 1)) (br $a))",
        ),
        spin(
            "a flood of table.fill",
            "(loop $a (table.fill $table (i32.const 0) (ref.null func) (i32.const 4)) (br $a))",
        ),
        spin(
            "growing by nothing for ever",
            "(loop $a (drop (memory.grow (i32.const 0))) (br $a))",
        ),
        spin(
            "a memory.fill of all there is and more",
            "(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))",
        ),
        spin(
            "reading on at the end of the input",
            "(i32.store (i32.const 4) (i32.const 99)) (loop $a (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16))) (br $a))",
        ),
        spin(
            "writing nothing for ever",
            "(loop $a (drop (call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 16))) (br $a))",
        ),
        spin(
            "a flood of messages",
            "(i32.store (i32.const 4) (i32.const 1024)) (loop $a (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16))) (br $a))",
        ),
        spin(
            "sleeping for an hour on a fixed clock, for ever",
            &sleep("(br $a)"),
        ),
        wait(
            "a loop with all the instructions there are",
            "(loop $a (br $a))",
        ),
        wait(
            "memory.fill with all the instructions there are",
            "(loop $a (memory.fill (i32.const 0) (i32.const 1) (i32.const 131072)) (br $a))",
        ),
        wait(
            "looking at the machine's clock",
            "(loop $a (drop (call $time (i32.const 1) (i64.const 0) (i32.const 0))) (br $a))",
        ),
        wait("sleeping for an hour", &sleep("")),
        Piece::new(
            "a loop in the start section",
            r#"(module (start $s) (func $s (loop $a (br $a))) (func (export "_start")))"#,
            OutOfInstructions,
        ),
    ]
}

/// Sleeps for an hour of the monotonic clock, again and again if told so.
fn sleep(then: &str) -> String {
    format!(
        "(i32.store (i32.const 80) (i32.const 1)) (i64.store (i32.const 88) (i64.const 3600000000000))
         (loop $a (drop (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 512))) {then})"
    )
}

fn nesting() -> Vec<Piece> {
    let calls = |name, body| started(name, body, StackOverflow);
    vec![
        calls("recursion", "(call $self)"),
        calls("recursion of two", "(call $one)"),
        calls("recursion through a table", "(call $indirect)"),
        calls(
            "recursion with large frames",
            "(call $deep (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
                (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8))",
        ),
        Piece::new(
            "recursion in the start section",
            r#"(module (start $s) (func $s (call $s)) (func (export "_start")))"#,
            StackOverflow,
        ),
    ]
}

fn memory() -> Vec<Piece> {
    let outside = |name, body| started(name, body, Trapped(TrapKind::MemoryOutOfBounds));
    vec![
        outside("a load far outside", "(drop (i32.load (i32.const -1)))"),
        outside(
            "a load with a huge offset",
            "(drop (i32.load offset=4294967295 (i32.const -1)))",
        ),
        outside(
            "a load across the end",
            "(drop (i64.load (i32.const 131065)))",
        ),
        outside(
            "a byte behind the end",
            "(drop (i32.load8_u (i32.const 131072)))",
        ),
        outside(
            "a store far outside",
            "(i64.store (i32.const 2147483647) (i64.const 1))",
        ),
        outside(
            "a vector across the end",
            "(drop (v128.load (i32.const 131060)))",
        ),
        outside(
            "memory.fill across the end",
            "(memory.fill (i32.const 131000) (i32.const 1) (i32.const 100))",
        ),
        outside(
            "memory.copy from outside",
            "(memory.copy (i32.const 0) (i32.const 131072) (i32.const 1))",
        ),
        outside(
            "memory.init behind its data",
            "(memory.init $data (i32.const 0) (i32.const 9) (i32.const 2))",
        ),
        outside(
            "memory.init of dropped data",
            "(data.drop $data) (memory.init $data (i32.const 0) (i32.const 0) (i32.const 1))",
        ),
        started(
            "growing without end",
            "(loop $a (br_if $a (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) (unreachable)",
            OutOfMemory,
        ),
        started(
            "growing by all there is",
            "(if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then (unreachable)))",
            Returned,
        ),
        Piece::new(
            "more memory than the limit",
            r#"(module (memory 200) (func (export "_start")))"#,
            OutOfMemory,
        ),
        Piece::new(
            "all the memory there is",
            r#"(module (memory 65536) (func (export "_start")))"#,
            OutOfMemory,
        ),
        Piece::new(
            "data behind the memory",
            r#"(module (memory 1) (data (i32.const 65535) "ab") (func (export "_start")))"#,
            Trapped(TrapKind::MemoryOutOfBounds),
        ),
    ]
}

fn tables() -> Vec<Piece> {
    let outside = |name, body| started(name, body, Trapped(TrapKind::TableOutOfBounds));
    vec![
        outside("a call behind the table", "(call_indirect (i32.const 4))"),
        outside(
            "table.get far outside",
            "(drop (table.get $table (i32.const -1)))",
        ),
        outside(
            "table.set behind the table",
            "(table.set $table (i32.const 4) (ref.null func))",
        ),
        outside(
            "table.fill across the end",
            "(table.fill $table (i32.const 3) (ref.null func) (i32.const 2))",
        ),
        outside(
            "table.copy across the end",
            "(table.copy $table $table (i32.const 0) (i32.const 3) (i32.const 2))",
        ),
        outside(
            "table.init behind its elements",
            "(table.init $table $passive (i32.const 0) (i32.const 1) (i32.const 1))",
        ),
        started(
            "a call of an empty entry",
            "(call_indirect (i32.const 0))",
            Trapped(TrapKind::IndirectCallToNull),
        ),
        started(
            "a call of another type",
            "(call_indirect (i32.const 2))",
            Trapped(TrapKind::BadSignature),
        ),
        started(
            "a table that grows by all there is",
            "(if (i32.ne (table.grow $table (ref.null func) (i32.const 200000)) (i32.const 4)) (then (unreachable)))",
            Returned,
        ),
        started(
            "a table that grows for ever",
            "(loop $a (drop (table.grow $table (ref.null func) (i32.const 1000))) (br $a))",
            OutOfInstructions,
        ),
        Piece::new(
            "elements behind the table",
            r#"(module (table 1 funcref) (elem (i32.const 1) $s) (func $s (export "_start")))"#,
            Trapped(TrapKind::TableOutOfBounds),
        ),
        Piece::new(
            "a table of a million and one",
            r#"(module (table 1000001 funcref) (func (export "_start")))"#,
            BadModule,
        ),
    ]
}

fn numbers() -> Vec<Piece> {
    vec![
        started(
            "a division by zero",
            "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
            Trapped(TrapKind::DivisionByZero),
        ),
        started(
            "a remainder by zero",
            "(drop (i64.rem_u (i64.const 1) (i64.const 0)))",
            Trapped(TrapKind::DivisionByZero),
        ),
        started(
            "the least integer by -1",
            "(drop (i64.div_s (i64.const -9223372036854775808) (i64.const -1)))",
            Trapped(TrapKind::IntegerOverflow),
        ),
        started(
            "an integer of a float that is none",
            "(drop (i32.trunc_f64_s (f64.const nan)))",
            Trapped(TrapKind::BadConversion),
        ),
        started(
            "an integer of a float too large",
            "(drop (i32.trunc_f32_u (f32.const 1e30)))",
            Trapped(TrapKind::IntegerOverflow),
        ),
        started(
            "an integer of a NaN's bits, written out",
            "(local.set $d (f64.sub (f64.const inf) (f64.const inf)))
             (i32.store (i32.const 100) (f64.ne (local.get $d) (local.get $d)))
             (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 4))
             (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))",
            Returned,
        ),
        started(
            "unreachable",
            "(unreachable)",
            Trapped(TrapKind::Unreachable),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn pointers() -> Vec<Piece> {
    let bad = |name, call| errno(name, call, FAULT);
    vec![
        bad(
            "args_get out of bounds",
            "(call $args (i32.const -8) (i32.const -8))",
        ),
        bad(
            "args_sizes_get out of bounds",
            "(call $args_sizes (i32.const -2) (i32.const 131071))",
        ),
        bad(
            "environ_get out of bounds",
            "(call $env (i32.const 131071) (i32.const 0))",
        ),
        bad(
            "environ_sizes_get out of bounds",
            "(call $env_sizes (i32.const 131069) (i32.const 0))",
        ),
        bad(
            "clock_time_get out of bounds",
            "(call $time (i32.const 0) (i64.const 0) (i32.const 131065))",
        ),
        bad(
            "clock_res_get out of bounds",
            "(call $resolution (i32.const 0) (i32.const -1))",
        ),
        bad(
            "random_get out of bounds",
            "(call $random (i32.const 131000) (i32.const 1000))",
        ),
        bad(
            "random_get around the end of addresses",
            "(call $random (i32.const -1) (i32.const -1))",
        ),
        bad(
            "fd_read with its list out of bounds",
            "(call $read (i32.const 0) (i32.const -4) (i32.const 1) (i32.const 0))",
        ),
        bad(
            "fd_write with its list out of bounds",
            "(call $write (i32.const 1) (i32.const 131069) (i32.const 1) (i32.const 0))",
        ),
        bad(
            "fd_write with its answer out of bounds",
            "(call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const -1))",
        ),
        bad(
            "fd_fdstat_get out of bounds",
            "(call $fdstat (i32.const 1) (i32.const 131060))",
        ),
        bad(
            "fd_filestat_get out of bounds",
            "(call $filestat (i32.const 1) (i32.const 131060))",
        ),
        bad(
            "poll_oneoff out of bounds",
            "(call $poll (i32.const 131070) (i32.const 0) (i32.const 1) (i32.const 0))",
        ),
        errno(
            "poll_oneoff of nothing",
            "(call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
            INVALID,
        ),
        errno(
            "poll_oneoff of too much",
            "(call $poll (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0))",
            INVALID,
        ),
        errno(
            "a list of too many pieces",
            "(call $write (i32.const 1) (i32.const 0) (i32.const 1025) (i32.const 0))",
            INVALID,
        ),
        errno(
            "a clock that is not there",
            "(call $time (i32.const 9) (i64.const 0) (i32.const 0))",
            INVALID,
        ),
    ]
}

fn calls() -> Vec<Piece> {
    vec![
        errno(
            "opening a file",
            "(call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 0))",
            BAD_FD,
        ),
        errno(
            "sending on a socket",
            "(call $send (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
            BAD_FD,
        ),
        errno(
            "raising a signal",
            "(call $raise (i32.const 9))",
            NOT_IMPLEMENTED,
        ),
        errno(
            "writing to a descriptor that is not there",
            "(call $write (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 0))",
            BAD_FD,
        ),
        errno(
            "reading what is for writing",
            "(call $read (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0))",
            BAD_FD,
        ),
        errno(
            "writing to what was closed",
            "(drop (call $close (i32.const 1))) (call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0))",
            BAD_FD,
        ),
        started(
            "a flood of output",
            "(i32.store (i32.const 4) (i32.const 100)) (loop $a (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))) (br $a))",
            OutputTooLarge,
        ),
        started(
            "all memory as output, many times at once",
            &many_pieces(),
            OutputTooLarge,
        ),
        started("leaving its input unread", "(nop)", Returned),
    ]
}

/// A list of 1,000 pieces of 100 bytes each, the same bytes.
fn many_pieces() -> String {
    "(loop $a
        (i32.store (i32.add (i32.const 2000) (i32.mul (local.get $i) (i32.const 8))) (i32.const 0))
        (i32.store (i32.add (i32.const 2004) (i32.mul (local.get $i) (i32.const 8))) (i32.const 100))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $a (i32.lt_u (local.get $i) (i32.const 1000))))
     (drop (call $write (i32.const 1) (i32.const 2000) (i32.const 1000) (i32.const 16)))"
        .to_owned()
}

fn features() -> Vec<Piece> {
    let refused = |name, body: &str, feature| {
        let text = format!(r#"(module {body} (func (export "_start")))"#);
        Piece::new(name, &text, Refused(feature))
    };
    let bad = |name, text| Piece::new(name, text, BadModule);
    vec![
        refused("shared memory", "(memory 1 2 shared)", "threads"),
        refused("a memory of 64-bit addresses", "(memory i64 1)", "memory64"),
        refused("two memories", "(memory 1) (memory 1)", "multi-memory"),
        refused("exceptions", "(tag)", "exceptions"),
        refused("structs", "(type (struct (field i32)))", "gc"),
        refused(
            "relaxed vectors",
            "(func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))",
            "relaxed-simd",
        ),
        bad(
            "an import that is not there",
            r#"(module (import "env" "system" (func)) (func (export "_start")))"#,
        ),
        bad(
            "an import of another type",
            r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param f64))) (func (export "_start")))"#,
        ),
        bad(
            "a memory that is imported",
            r#"(module (import "env" "memory" (memory 1)) (func (export "_start")))"#,
        ),
        bad(
            "a name that is ours",
            r#"(module (func (export "_start")) (global (export "outlayer:gas") i64 (i64.const 1)))"#,
        ),
        bad("nothing to start", "(module)"),
        bad(
            "a start that takes values",
            r#"(module (func (export "_start") (param i32)))"#,
        ),
    ]
}
