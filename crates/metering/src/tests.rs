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

#[test]
fn what_is_too_large_to_compile_is_refused_with_its_figure() {
    let locals = format!(
        r#"(module (func (export "_start") (local {})))"#,
        "i32 ".repeat(2_001)
    );
    let body = format!(
        r#"(module (func (export "_start") {}))"#,
        "nop ".repeat(1 << 20)
    );
    let table = r#"(module (table 1000001 funcref) (func (export "_start")))"#;

    assert_eq!(
        reason(&locals),
        "function 0 has 2001 locals; the most is 2000"
    );
    assert_eq!(
        reason(&body),
        "function 0 has 1048578 bytes; the most is 1048576"
    );
    assert_eq!(
        reason(table),
        "all tables together has 1000001 entries; the most is 1000000"
    );
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
}
