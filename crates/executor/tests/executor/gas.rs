//! The definition of gas, by examples counted by hand.

use executor::{Execution, Limits, Outcome, Run};

use crate::{Bench, fixed, trap};

async fn execute(bench: &Bench, body: &str, instructions: u64) -> Execution {
    let text = format!(
        r#"(module
            (memory (export "memory") 1)
            (table $table 10 funcref)
            (elem $some func $two)
            (data $data "0123456789")
            (func $two (result i32 i32) (i32.const 1) (i32.const 2))
            (func $leaf)
            (func $forever (call $forever))
            (func $jump (param i32)
                (if (local.get 0) (then (return_call $jump (i32.sub (local.get 0) (i32.const 1))))))
            (func $early (param i32) (result i32)
                (if (local.get 0) (then (call $leaf) (return (i32.const 5))))
                (i32.const 6))
            (func (export "_start") (local $i i32) {body}))"#
    );
    let run = Run {
        limits: Limits {
            instructions,
            ..fixed().limits
        },
        ..fixed()
    };
    bench.run(&text, run).await
}

#[tokio::test]
async fn straight_code_branches_calls_and_bulk_operations_cost_what_the_definition_says() {
    let bench = Bench::new();
    // Each case costs 1 more, for entering `_start`.
    let cases = [
        ("", 0),
        ("(nop) (block (nop)) (drop (i32.const 1))", 1),
        ("(drop (i32.add (i32.const 1) (i32.const 2)))", 3),
        // Two constants, `if`, and one arm.
        (
            "(if (i32.const 1) (then (drop (i32.const 1))) (else (nop)))",
            3,
        ),
        (
            "(if (i32.const 0) (then (drop (i32.const 1))) (else (nop)))",
            2,
        ),
        // Ten rounds of get, constant, subtract, tee, br_if, after a constant and a set.
        (
            "(local.set $i (i32.const 10))
             (loop $again (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))",
            2 + 10 * 5,
        ),
        // The call, the entry, and the body.
        ("(call $leaf)", 2),
        ("(call $two) (drop) (drop)", 4),
        // A constant, the call, the entry, get, `if`, then the inner call and its entry and a constant; or only a constant.
        ("(drop (call $early (i32.const 1)))", 1 + 1 + 1 + 2 + 2 + 1),
        ("(drop (call $early (i32.const 0)))", 1 + 1 + 1 + 2 + 1),
        // A constant and the call; each round an entry, get, `if`; and get, constant, subtract, tail call but in the last.
        ("(call $jump (i32.const 3))", 2 + 4 * 3 + 3 * 4),
        ("(block $out (br $out) (drop (i32.const 1)))", 1),
        ("(block $a (block $b (br_table $a $b (i32.const 1))))", 2),
        ("(return) (drop (i32.const 1))", 0),
        // Three constants, the operation, and a thousand bytes.
        (
            "(memory.fill (i32.const 0) (i32.const 7) (i32.const 1000))",
            1_004,
        ),
        (
            "(memory.copy (i32.const 0) (i32.const 7) (i32.const 1000))",
            1_004,
        ),
        (
            "(memory.init $data (i32.const 0) (i32.const 0) (i32.const 10))",
            14,
        ),
        (
            "(table.fill $table (i32.const 0) (ref.null func) (i32.const 10))",
            14,
        ),
        (
            "(table.init $table $some (i32.const 0) (i32.const 0) (i32.const 1))",
            5,
        ),
        ("(table.copy (i32.const 0) (i32.const 1) (i32.const 5))", 9),
        (
            "(drop (table.grow $table (ref.null func) (i32.const 90)))",
            93,
        ),
        (
            "(drop (i8x16.extract_lane_s 3 (i8x16.splat (i32.const 1))))",
            3,
        ),
    ];

    for (body, cost) in cases {
        let execution = execute(&bench, body, 1_000_000).await;
        assert_eq!(execution.outcome, Outcome::Returned, "{body}");
        assert_eq!(execution.instructions, cost + 1, "{body}");
    }
}

#[tokio::test]
async fn a_run_with_exactly_what_it_needs_returns_and_with_one_less_does_not() {
    let bench = Bench::new();
    let body = "
        (local.set $i (i32.const 10))
        (loop $again (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (call $leaf) (memory.fill (i32.const 0) (i32.const 7) (i32.const 1000)) (drop (i32.const 3))";
    let whole = execute(&bench, body, 1_000_000).await.instructions;

    for less in [0, 1, 2, 500, 1_005, whole - 1] {
        let limit = whole - less;
        let execution = execute(&bench, body, limit).await;

        let outcome = if less == 0 {
            Outcome::Returned
        } else {
            Outcome::OutOfInstructions
        };
        assert_eq!(
            (execution.outcome, execution.instructions),
            (outcome, limit)
        );
    }
}

#[tokio::test]
async fn a_trap_charges_what_ran_and_itself_and_nothing_behind_it() {
    let bench = Bench::new();
    let behind = "(drop (i32.const 1)) (drop (i32.load (i32.const 0)))
                  (drop (i32.div_s (i32.const 1) (i32.const 1)))";
    let cases = [
        // Before the trap: the entry, and constants.
        ("(drop (i32.load (i32.const 100000)))", 1 + 2),
        ("(drop (i32.load offset=4294967295 (i32.const 1)))", 1 + 2),
        ("(drop (i32.div_u (i32.const 1) (local.get $i)))", 1 + 3),
        // The load is folded into the addition by the compiler, and still it is the load that traps.
        (
            "(drop (i64.add (i64.const 1) (i64.load (i32.const 100000))))",
            1 + 3,
        ),
        (
            "(drop (i32.add (local.get $i) (i32.load (i32.sub (i32.const 100000) (local.get $i)))))",
            1 + 5,
        ),
        ("(i32.store (i32.const 70000) (i32.const 5))", 1 + 3),
        (
            "(i64.store (i32.const 65530) (i64.load (i32.const 8)))",
            1 + 4,
        ),
        ("(drop (i32.trunc_f64_s (f64.const 1e300)))", 1 + 2),
        ("(unreachable)", 1),
        ("(call_indirect (i32.const 3))", 1 + 2),
        ("(drop (table.get $table (i32.const 10)))", 1 + 2),
        // Entry and call are paid, the frame is not there.
        (
            "(memory.fill (i32.const 65530) (i32.const 0) (i32.const 100))",
            1 + 4 + 100,
        ),
        // In the second round: a round is get, constant, shift, load, drop, get, constant, add, set and br.
        (
            "(loop $again
                (drop (i32.load (i32.shl (local.get $i) (i32.const 16))))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br $again))",
            1 + 9 + 4,
        ),
        // In a callee, with a caller whose own code behind the call is not paid yet.
        (
            "(drop (i32.div_s (call $early (i32.const 0)) (local.get $i)))",
            1 + 1 + 1 + 1 + 2 + 1 + 2,
        ),
    ];

    for (body, cost) in cases {
        let body = format!("{body} {behind}");
        let execution = execute(&bench, &body, 1_000_000).await;
        trap(&execution);
        assert_eq!(execution.instructions, cost, "{body}");
    }
}

#[tokio::test]
async fn endless_recursion_overflows_at_the_same_depth_each_time() {
    let bench = Bench::new();

    let first = execute(&bench, "(call $forever)", 1_000_000).await;
    let second = execute(&bench, "(call $forever)", 1_000_000).await;

    // A frame is 4 slots. `_start` calls and so has one, with its local. Each round is a call and an entry, but where there is no
    // room to enter.
    let depth = (262_144 - 5) / 4;
    assert_eq!(first.outcome, Outcome::StackOverflow);
    assert_eq!(first.instructions, 2 + 2 * depth);
    assert_eq!(second.outcome, first.outcome);
    assert_eq!(second.instructions, first.instructions);
}

#[tokio::test]
async fn endless_tail_calls_run_out_of_instructions_and_not_of_stack() {
    let bench = Bench::new();

    let execution = execute(&bench, "(call $jump (i32.const -1))", 1_000_000).await;

    assert_eq!(execution.outcome, Outcome::OutOfInstructions);
    assert_eq!(execution.instructions, 1_000_000);
}

#[tokio::test]
async fn a_start_section_is_metered_too() {
    let bench = Bench::new();
    let counted =
        r#"(module (func $first (drop (i32.const 1))) (start $first) (func (export "_start")))"#;
    let endless = r#"(module (func $first (loop $again (br $again))) (start $first) (func (export "_start")))"#;

    let counted = bench.run(counted, fixed()).await;
    let endless = bench.run(endless, fixed()).await;

    assert_eq!(
        (counted.outcome, counted.instructions),
        (Outcome::Returned, 3)
    );
    assert_eq!(endless.outcome, Outcome::OutOfInstructions);
}
