//! What the rewriting takes and what it refuses; what it counts is tested by running it, in `tests/gas.rs`.

use super::*;

fn refusal(text: &str) -> Refusal {
    meter(&wat::parse_str(text).unwrap(), Variant::Fast).unwrap_err()
}

fn feature(text: &str) -> String {
    match refusal(text) {
        Refusal::Feature { feature } => feature,
        Refusal::BadModule { reason } => panic!("refused as a bad module: {reason}"),
    }
}

fn reason(text: &str) -> String {
    match refusal(text) {
        Refusal::BadModule { reason } => reason,
        Refusal::Feature { feature } => panic!("refused for {feature}"),
    }
}

#[test]
fn a_metered_module_is_valid() {
    let wasm = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (table 2 funcref)
            (elem (i32.const 0) $two $_start)
            (global $mine (mut i32) (i32.const 7))
            (func $two (result i32 i64) (call $nothing) (return (i32.const 1) (i64.const 2)))
            (func $nothing)
            (func $jump (param i32) (result i32 i64)
                (if (local.get 0) (then (call $nothing) (return_call $two)))
                (return_call_indirect (result i32 i64) (i32.const 0)))
            (func $_start (export "_start")
                (local i64)
                (call_indirect (result i32 i64) (i32.const 0)) (drop) (drop)
                (call $jump (i32.const 1)) (drop) (drop)
                (block $out (loop $again (br_if $out (global.get $mine)) (br $again)))
                (memory.fill (i32.const 0) (i32.const 1) (i32.const 100))
                (drop (i8x16.extract_lane_s 0 (v128.const i64x2 1 2)))
                (call $exit (i32.trunc_sat_f32_s (f32.const 1.5))))
            (start $nothing)
            (data "abc"))"#,
    )
    .unwrap();

    let all = [Variant::Fast, Variant::Exact, Variant::Profiled];
    let metered = all.map(|variant| meter(&wasm, variant).unwrap());

    for (metered, variant) in metered.iter().zip(all) {
        wasmparser::validate(&metered.wasm).unwrap();
        assert_eq!(metered.wasm, meter(&wasm, variant).unwrap().wasm);
        assert!(metered.is_command);
    }
}

#[test]
fn refused_features_are_named() {
    let start = r#"(func (export "_start"))"#;
    let of = |body: &str| feature(&format!("(module {body} {start})"));

    assert_eq!(of("(memory 1 2 shared)"), "threads");
    assert_eq!(of("(memory i64 1)"), "memory64");
    assert_eq!(of("(memory 1) (memory 1)"), "multi-memory");
    assert_eq!(of("(tag)"), "exceptions");
    assert_eq!(of("(type (struct (field i32)))"), "gc");
    assert_eq!(of("(func (param externref))"), "externref");
    assert_eq!(
        of("(func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))"),
        "relaxed-simd"
    );
}

/// A module whose only function is this one.
fn program(body: &str) -> String {
    format!(r#"(module (memory 1) (func (export "_start") {body}))"#)
}

fn assert_reasons(cases: &[(String, &str)]) {
    for (text, expected) in cases {
        assert_eq!(reason(text), *expected);
    }
}

#[test]
fn a_function_too_large_to_compile_is_refused_with_its_figure() {
    let locals = "i32 ".repeat(2_001);
    let nested = format!("{}{}", "block ".repeat(1_001), "end ".repeat(1_001));
    let targets = format!("(br_table {}(i32.const 0))", "0 ".repeat(20_002));
    let tables = format!("(br_table {}(i32.const 0))", "0 ".repeat(10_001)).repeat(11);
    let blocks = format!(
        "(local {}) {}",
        "i64 ".repeat(1_900),
        "(block) ".repeat(11_000)
    );
    let operands = format!(
        "{}{}",
        "i32.const 0 ".repeat(20_001),
        "drop ".repeat(20_001)
    );

    assert_reasons(&[
        (
            program(&format!("(local {locals})")),
            "function 0 has 2001 locals; the most is 2000",
        ),
        (
            program(&"nop ".repeat(1 << 20)),
            "function 0 has 1048578 bytes; the most is 1048576",
        ),
        (
            program(&nested),
            "function 0 has 1001 nested blocks; the most is 1000",
        ),
        (
            program(&targets),
            "function 0 has 20001 targets of one br_table; the most is 20000",
        ),
        (
            program(&tables),
            "function 0 has 110000 br_table targets; the most is 100000",
        ),
        (
            program(&blocks),
            "function 0 has 20900000 locals times blocks; the most is 20000000",
        ),
        (
            program(&operands),
            "function 0 has 20001 operands; the most is 20000",
        ),
    ]);
}

#[test]
fn a_module_with_too_many_parts_is_refused_with_its_figure() {
    let names = (0..=100_000).map(|name| format!(r#"(export "{name}" (memory 0)) "#));
    let exports = names.collect::<Vec<_>>().concat();
    let many = |part: &str| format!("(module {})", part.repeat(100_001));
    let table = "(module (table 1000001 funcref))".to_owned();
    let imports = r#"(import "" "" (func))"#.repeat(10_001);

    assert_reasons(&[
        (
            table,
            "the sum of all tables has 1000001 entries; the most is 1000000",
        ),
        (
            format!("(module (memory 1) {exports})"),
            "the module has 100001 exports; the most is 100000",
        ),
        (
            format!("(module {imports})"),
            "the module has 10001 imports; the most is 10000",
        ),
        (
            many("(func)"),
            "the module has 100001 functions; the most is 100000",
        ),
        (
            many("(global i32 (i32.const 0))"),
            "the module has 100001 globals; the most is 100000",
        ),
        (
            many(r#"(data "")"#),
            "the module has 100001 data segments; the most is 100000",
        ),
        (
            many("(elem func)"),
            "the module has 100001 element segments; the most is 100000",
        ),
    ]);
}

#[test]
fn what_is_no_module_to_run_is_refused_with_its_reason() {
    let noise = meter(b"hello", Variant::Fast).unwrap_err().to_string();
    let nothing = meter(b"", Variant::Fast).unwrap_err().to_string();

    assert!(noise.starts_with("not a valid module: "), "{noise}");
    assert!(nothing.starts_with("not a valid module: "), "{nothing}");
    assert!(!meter(b"\0asm\x01\0\0\0", Variant::Fast).unwrap().is_command);
    assert_eq!(
        reason(
            r#"(module (func (export "_start")) (global (export "outlayer:gas") i32 (i32.const 1)))"#
        ),
        "the module exports `outlayer:gas`, a reserved name"
    );
    for module in ["outlayer:profile", "outlayer:meter"] {
        assert_eq!(
            reason(&format!(
                r#"(module (import "{module}" "leave" (func)) (func (export "_start")))"#
            )),
            format!("the module imports from `{module}`, a reserved name")
        );
    }
}
