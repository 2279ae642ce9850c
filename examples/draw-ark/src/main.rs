//! Draws lots that nobody can foretell, not even the owner, and that this module alone can draw.
//!
//! Secret: `PROTECTED_SEED`, which the keystore generates and nobody has ever seen, bound to this module's sha256: changed code does not
//! get it. Input: the name of the draw and the number of lots, as `summer 2026/1000`. Output: the lot, from 1 on. The same name always
//! draws the same lot, so that whoever asks again cannot choose.

use std::env;
use std::io::{self, Read};
use std::process::ExitCode;

use hmac::{Hmac, Mac};
use sha2::Sha256;

fn main() -> ExitCode {
    match drawn() {
        Ok(lot) => {
            print!("{lot}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn drawn() -> Result<u64, String> {
    let seed = env::var("PROTECTED_SEED").map_err(|_| {
        "there is no PROTECTED_SEED: the request names no secrets that hold it".to_owned()
    })?;
    let mut input = String::new();
    io::stdin()
        .read_to_string(&mut input)
        .map_err(|error| format!("cannot read the input: {error}"))?;
    let (draw, lots) = input
        .rsplit_once('/')
        .ok_or("the input is a name and a number of lots, such as summer 2026/1000")?;
    let lots = lots
        .trim()
        .parse()
        .ok()
        .filter(|lots| *lots > 0)
        .ok_or_else(|| format!("{lots:?} is no number of lots"))?;
    Ok(lot(&seed, draw, lots))
}

/// One of `lots`, each equally likely.
fn lot(seed: &str, draw: &str, lots: u64) -> u64 {
    // What lies beyond the last whole round is drawn again, for a remainder would favour small numbers.
    let rounds = u64::MAX - u64::MAX % lots;
    let mut turn = 0_u64;
    loop {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(seed.as_bytes()).expect("a key may have any length");
        mac.update(&turn.to_le_bytes());
        mac.update(draw.as_bytes());
        let bytes = mac.finalize().into_bytes();
        let number = u64::from_le_bytes(*bytes.first_chunk().expect("a digest has 32 bytes"));
        if number < rounds {
            return number % lots + 1;
        }
        turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_always_comes_to_the_same_lot_and_another_draw_to_its_own() {
        let lots: std::collections::BTreeSet<_> = (0..100)
            .map(|number| lot("seed", &number.to_string(), 10))
            .collect();

        assert_eq!(lot("seed", "summer", 1000), lot("seed", "summer", 1000));
        assert_ne!(
            lot("seed", "summer", 1 << 60),
            lot("other", "summer", 1 << 60)
        );
        assert_eq!(lots, (1..=10).collect());
    }
}
