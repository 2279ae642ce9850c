//! What a guest can do before it runs: modules that are made to be hard to read or to compile.

use std::fmt::Write as _;

use crate::Expected::{BadModule, Returned};
use crate::Piece;

fn bomb(name: &str, text: &str) -> Piece {
    Piece::new(name, text, BadModule)
}

fn raw(name: &str, wasm: Vec<u8>) -> Piece {
    Piece {
        name: name.to_owned(),
        wasm,
        expected: BadModule,
    }
}

pub(super) fn gallery() -> Vec<Piece> {
    let mut all = vec![
        bomb(
            "more locals than a function may have",
            &function(&format!("(local {})", "i32 ".repeat(2_001))),
        ),
        bomb(
            "a body that is too long",
            &function(&"nop ".repeat(1 << 20)),
        ),
        bomb(
            "blocks in blocks in blocks",
            &function(&format!("{}{}", "(block ".repeat(1_500), ")".repeat(1_500))),
        ),
        bomb(
            "a branch to everywhere",
            &function(&format!(
                "(block $a (br_table {} (i32.const 0)))",
                "$a ".repeat(20_002)
            )),
        ),
        bomb(
            "too many functions",
            &format!("(module {})", "(func)".repeat(100_001)),
        ),
        bomb("too many types", &format!("(module {})", types())),
        raw("nothing", Vec::new()),
        raw("noise", b"hello".to_vec()),
        raw("a module of the future", b"\0asm\x02\0\0\0".to_vec()),
        raw(
            "a section that never comes",
            b"\0asm\x01\0\0\0\x01\xff\xff\xff\xff\x0f".to_vec(),
        ),
        raw(
            "a section cut short",
            b"\0asm\x01\0\0\0\x01\x05\x01\x60".to_vec(),
        ),
        raw(
            "sections out of order",
            b"\0asm\x01\0\0\0\x03\x01\0\x01\x01\0".to_vec(),
        ),
        raw(
            "a number that does not end",
            [b"\0asm\x01\0\0\0\x01".as_slice(), &[0x80; 100]].concat(),
        ),
        raw(
            "a promise of four billion types",
            b"\0asm\x01\0\0\0\x01\x05\xff\xff\xff\xff\x0f".to_vec(),
        ),
        raw("more bytes than a module may have", too_large()),
        raw(
            "a name that is not text",
            b"\0asm\x01\0\0\0\x02\x07\x01\x01\xff\x01a\0\0".to_vec(),
        ),
    ];
    all.push(heavy());
    all
}

fn function(body: &str) -> String {
    format!(r#"(module (func (export "_start") {body}))"#)
}

/// Types that are all different: each takes another row of parameters.
fn types() -> String {
    let mut text = String::new();
    for number in 0..100_001_u32 {
        let digits = std::iter::successors(Some(number), |rest| Some(rest / 4)).take(9);
        let params = digits.map(|rest| match rest % 4 {
            0 => "i32",
            1 => "i64",
            2 => "f32",
            _ => "f64",
        });
        let params: Vec<_> = params.collect();
        write!(text, "(type (func (param {})))", params.join(" ")).unwrap();
    }
    text
}

fn too_large() -> Vec<u8> {
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    wasm.resize((32 << 20) + 1, 0);
    wasm
}

/// Within every bound, and all the work that a compiler may be given by one function.
fn heavy() -> Piece {
    let locals = "i64 ".repeat(500);
    let mut body = String::new();
    for (number, next) in (0..400_u32).zip(1_u32..) {
        write!(
            body,
            "(if (i64.eqz (local.get {number})) (then (local.set {next} (i64.const 1))))"
        )
        .unwrap();
    }
    Piece::new(
        "as many locals and branches as are allowed",
        &function(&format!("(local {locals}) {body}")),
        Returned,
    )
}
