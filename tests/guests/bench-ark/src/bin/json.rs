//! Writes, reads, writes and reads 32,000 records: allocation, many calls, text.

use bench_ark::{Xorshift, rounds};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
struct Record {
    id: u64,
    name: String,
    tags: Vec<String>,
    score: f64,
    active: bool,
    nested: Nested,
}

#[derive(Serialize, Deserialize)]
struct Nested {
    x: i64,
    y: i64,
    label: Option<String>,
}

fn record(id: u64, random: &mut Xorshift) -> Record {
    Record {
        id,
        name: format!("user-{:08x}", random.draw()),
        tags: (0..3)
            .map(|_| format!("t{}\n\"q\"", random.draw() % 1_000))
            .collect(),
        score: f64::from(random.draw()) / 7.0,
        active: random.draw() & 1 == 0,
        nested: Nested {
            x: i64::from(random.draw()),
            y: -i64::from(random.draw()),
            label: (random.draw() & 3 != 0).then(|| "h\u{e9}llo".to_owned()),
        },
    }
}

fn main() {
    let mut random = Xorshift::new(1);
    let records: Vec<_> = (0..rounds(32_000) as u64)
        .map(|id| record(id, &mut random))
        .collect();

    let first = serde_json::to_string(&records).unwrap();
    let value: Value = serde_json::from_str(&first).unwrap();
    let second = serde_json::to_string(&value).unwrap();
    let back: Vec<Record> = serde_json::from_str(&second).unwrap();
    let third = serde_json::to_string(&back).unwrap();

    let hash = third.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    println!(
        "{} {} {} {hash:016x}",
        first.len(),
        second.len(),
        third.len()
    );
}
