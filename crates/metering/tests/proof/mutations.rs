//! Bytes from outside, on stable Rust and in every test run: what the fuzz target looks for, over some thousand damaged modules.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::agree::rewritings_agree;
use crate::differential::made_up;
use crate::engines::with_stack;

/// Modules that are damaged, and ways in which each is.
const MODULES: u64 = 400;
const DAMAGES: usize = 20;

#[test]
fn damaged_modules_are_refused_or_counted_both_ways_alike() {
    let empty = wat::parse_str("(module)").unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut taken = 0;

    with_stack(|| {
        for seed in 0..MODULES {
            let Some(wasm) = made_up(seed * 4 + 1, &empty) else {
                continue;
            };
            taken += u32::from(rewritings_agree(&wasm));
            for _ in 0..DAMAGES {
                let mut wasm = wasm.clone();
                for _ in 0..random.random_range(1..4) {
                    let place = random.random_range(8..wasm.len());
                    match random.random_range(0..4) {
                        0 => wasm.truncate(place.max(9)),
                        1 => wasm[place] = random.random(),
                        2 => wasm[place] ^= 1 << random.random_range(0..8),
                        _ => wasm.insert(place, random.random()),
                    }
                }
                taken += u32::from(rewritings_agree(&wasm));
            }
        }
    });

    assert!(taken > 600, "{taken}");
}
