//! Bytes from outside, on stable Rust and in every test run: what the fuzz target looks for, over some thousand damaged modules.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::agree::rewritings_agree;
use crate::components::TWO_MODULES;
use crate::differential::made_up;
use crate::engines::with_stack;

/// Modules that are damaged, and ways in which each is.
const MODULES: u64 = 400;
const DAMAGES: usize = 20;

/// Damages a module or component in some way.
fn damage(wasm: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut wasm = wasm.to_vec();
    for _ in 0..random.random_range(1..4) {
        let place = random.random_range(8..wasm.len());
        match random.random_range(0..4) {
            0 => wasm.truncate(place.max(9)),
            1 => wasm[place] = random.random(),
            2 => wasm[place] ^= 1 << random.random_range(0..8),
            _ => wasm.insert(place, random.random()),
        }
    }
    wasm
}

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
                let damaged = damage(&wasm, &mut random);
                taken += u32::from(rewritings_agree(&damaged));
            }
        }
    });

    assert!(taken > 600, "{taken}");
}

#[test]
fn damaged_components_are_refused_or_stay_valid() {
    let wasm = wat::parse_str(TWO_MODULES).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(8);

    let taken = (0..MODULES)
        .filter(|_| rewritings_agree(&damage(&wasm, &mut random)))
        .count();

    assert!(taken > 10, "{taken}");
}
