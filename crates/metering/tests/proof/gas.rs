//! Figures that are worked out by hand, on every engine, with every limit up to the figure.

use metering::{STACK_SLOTS, Variant, meter};

use crate::engines::{ALL, End, Engine, Ran, Started, Trap, with_stack};

/// What the host makes of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Returned,
    OutOfGas,
    StackOverflow,
    Trapped(String),
}

/// Runs `export` as a host does: by the fast variant, and once more by the exact one if that did not see its own end.
fn execute(engine: &Engine, wasm: &[u8], gas: i64) -> (Verdict, i64) {
    let fast = run(engine, wasm, Variant::Fast, gas);
    let ran = match &fast.end {
        End::Trapped(trap) if !trap.is_seen() => {
            let exact = run(engine, wasm, Variant::Exact, gas);
            assert_eq!(exact.end, fast.end);
            exact
        }
        _ => {
            assert_eq!(run(engine, wasm, Variant::Exact, gas), fast);
            fast
        }
    };
    if ran.is_out_of_gas() {
        return (Verdict::OutOfGas, gas);
    }
    let verdict = match ran.end {
        _ if ran.overflowed() => Verdict::StackOverflow,
        End::Returned(_) => Verdict::Returned,
        End::Trapped(Trap(reason)) => Verdict::Trapped(reason),
    };
    (verdict, gas - ran.gas_left)
}

fn run(engine: &Engine, wasm: &[u8], variant: Variant, gas: i64) -> Ran {
    let metered = meter(wasm, variant).unwrap();
    match engine.start(&metered.wasm).unwrap() {
        Started::Instance(mut instance) => instance.call("run", gas, 0),
        Started::Trapped(trap) => panic!("{trap:?}"),
    }
}

/// Asserts that `(func (export "run") …)` ends so on every engine and costs `gas`, and that it runs out of any less.
fn assert_gas(text: &str, verdict: &Verdict, gas: i64) {
    let wasm = wat::parse_str(text).unwrap();
    with_stack(|| {
        for name in ALL {
            let engine = Engine::new(name);
            let plenty = execute(&engine, &wasm, 1_000_000_000);
            assert_eq!(plenty, (verdict.clone(), gas), "{name:?}");
            let limits = (0..gas.min(50)).chain(gas - 1..=gas);
            for limit in limits {
                let expected = if limit < gas {
                    (Verdict::OutOfGas, limit)
                } else {
                    (verdict.clone(), gas)
                };
                assert_eq!(execute(&engine, &wasm, limit), expected, "{name:?} {limit}");
            }
        }
    });
}

fn trapped(reason: &str) -> Verdict {
    Verdict::Trapped(reason.to_owned())
}

#[test]
fn an_instruction_costs_one_and_so_does_entering() {
    // enter, const, const, add, drop for nothing
    assert_gas(
        r#"(module (func (export "run") (drop (i32.add (i32.const 1) (i32.const 2)))))"#,
        &Verdict::Returned,
        4,
    );
    assert_gas(
        r#"(module (func (export "run") (nop)))"#,
        &Verdict::Returned,
        1,
    );
}

#[test]
fn structure_costs_nothing() {
    assert_gas(
        r#"(module (func (export "run") (block (loop (nop) (block (return))))))"#,
        &Verdict::Returned,
        1,
    );
}

#[test]
fn a_loop_costs_its_turns() {
    // enter, const, set; ten turns of get, const, sub, tee, br_if
    assert_gas(
        r#"(module (func (export "run") (local i32)
            (local.set 0 (i32.const 10))
            (loop $again
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
        &Verdict::Returned,
        53,
    );
}

#[test]
fn the_arm_that_runs_is_charged() {
    // enter, get, if; then const, set, or const, const, add, set; then get, eqz, if twice over
    let text = |first: i32| {
        format!(
            r#"(module (func (export "run") (local i32)
                (local.set 0 (i32.const {first}))
                (if (local.get 0)
                    (then (local.set 0 (i32.const 5)))
                    (else (local.set 0 (i32.add (i32.const 5) (i32.const 6)))))
                (if (i32.eqz (local.get 0)) (then (unreachable)))))"#
        )
    };

    assert_gas(&text(1), &Verdict::Returned, 3 + 2 + 2 + 3);
    assert_gas(&text(0), &Verdict::Returned, 3 + 2 + 4 + 3);
}

#[test]
fn every_way_through_a_jump_table_is_charged() {
    for (case, cost) in [(0, 5), (1, 3), (2, 2), (9, 2)] {
        // enter, const, br_table; then the cases fall through into each other
        let text = format!(
            r#"(module (func (export "run") (local i32)
                (block $two (block $one (block $none
                    (br_table $none $one $two (i32.const {case})))
                    (local.set 0 (i32.const 1)))
                    (drop (i32.const 2)))
                (drop (i32.const 3)) (drop (i32.const 4))))"#
        );
        assert_gas(&text, &Verdict::Returned, 3 + cost);
    }
}

#[test]
fn bulk_operations_cost_what_they_move() {
    // enter, three consts, fill of 100
    assert_gas(
        r#"(module (memory 1) (func (export "run")
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 100))))"#,
        &Verdict::Returned,
        105,
    );
    // The same out of bounds: what it asked for is charged.
    assert_gas(
        r#"(module (memory 1) (func (export "run")
            (memory.fill (i32.const 65500) (i32.const 1) (i32.const 100))))"#,
        &trapped("MemoryOutOfBounds"),
        105,
    );
    // enter, null, const, grow of 7, size
    assert_gas(
        r#"(module (table 1 funcref) (func (export "run")
            (drop (table.grow (ref.null func) (i32.const 7))) (drop (table.size))))"#,
        &Verdict::Returned,
        12,
    );
}

#[test]
fn a_trap_charges_what_ran_and_itself() {
    // enter, const, const, div; what stands behind it is free
    assert_gas(
        r#"(module (func (export "run")
            (drop (i32.div_u (i32.const 1) (i32.const 0)))
            (drop (i32.const 1)) (drop (i32.const 1))))"#,
        &trapped("IntegerDivisionByZero"),
        4,
    );
    // Between two checkpoints, after a loop of three turns: enter, const, set; 3 of 5; get, load
    assert_gas(
        r#"(module (memory 1) (func (export "run") (local i32)
            (local.set 0 (i32.const 3))
            (loop $again
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (drop (i32.load offset=70000 (local.get 0)))
            (drop (i32.const 1))))"#,
        &trapped("MemoryOutOfBounds"),
        3 + 15 + 2,
    );
    assert_gas(
        r#"(module (func (export "run") (drop (i32.const 1)) (unreachable)))"#,
        &trapped("UnreachableCodeReached"),
        2,
    );
}

#[test]
fn calls_through_a_table_are_exact_when_they_fail() {
    let text = |index: u32| {
        format!(
            r#"(module (table 3 funcref) (elem (i32.const 0) $takes)
                (func $takes (param i32))
                (func (export "run")
                    (drop (i32.const 1))
                    (call_indirect (i32.const {index}))))"#
        )
    };

    // enter, const, const, call_indirect
    assert_gas(&text(0), &trapped("BadSignature"), 4);
    assert_gas(&text(1), &trapped("IndirectCallToNull"), 4);
    assert_gas(&text(3), &trapped("TableOutOfBounds"), 4);
}

#[test]
fn a_call_costs_one_and_what_is_called() {
    // enter, call; enter, const; twice: call, enter, call, enter, const; drops for nothing
    assert_gas(
        r#"(module
            (func $leaf (result i32) (i32.const 1))
            (func $outer (result i32) (call $leaf))
            (func (export "run") (drop (call $leaf)) (drop (call $outer)) (drop (call $outer))))"#,
        &Verdict::Returned,
        1 + 3 + 2 * 5,
    );
}

#[test]
fn the_stack_ends_at_the_same_call_everywhere() {
    // A frame is 4 slots, and a slot for the operand; each call that fits costs an entry, a const and the call.
    let frames = i64::from(STACK_SLOTS) / 5;
    assert_gas(
        r#"(module (func $again (export "run") (i32.const 1) (call $again) (drop)))"#,
        &Verdict::StackOverflow,
        frames * 3,
    );
}

#[test]
fn tail_calls_take_no_stack() {
    // enter, const, tail call; n of enter, get, eqz, if, call, enter, get, const, sub, tail call; at last enter, get, eqz, if
    let text = r#"(module
        (func $down (param i32)
            (if (i32.eqz (local.get 0)) (then (return)))
            (call $leaf)
            (return_call $down (i32.sub (local.get 0) (i32.const 1))))
        (func $leaf)
        (func (export "run") (return_call $down (i32.const 100000))))"#;
    let wasm = wat::parse_str(text).unwrap();
    let gas = 3 + 100_000 * 10 + 4;

    with_stack(|| {
        for name in ALL {
            if name == crate::engines::Name::Winch {
                continue; // It takes no tail calls.
            }
            let engine = Engine::new(name);

            let plenty = execute(&engine, &wasm, 1_000_000_000);
            let short = execute(&engine, &wasm, gas - 1);

            assert_eq!(plenty, (Verdict::Returned, gas), "{name:?}");
            assert_eq!(short, (Verdict::OutOfGas, gas - 1), "{name:?}");
        }
    });
}

#[test]
fn the_start_section_waits_until_it_is_called() {
    let wasm = wat::parse_str(
        r#"(module (func $begin (drop (i32.const 1))) (func (export "run")) (start $begin))"#,
    )
    .unwrap();
    let engine = Engine::new(ALL[0]);

    let metered = meter(&wasm, Variant::Fast).unwrap();
    let Started::Instance(mut instance) = engine.start(&metered.wasm).unwrap() else {
        panic!("trapped");
    };
    let ran = instance.call(metering::START_EXPORT, 10, 0);

    assert_eq!(ran.gas_left, 8);
}
