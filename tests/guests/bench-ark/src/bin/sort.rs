//! Sorts five million numbers and sieves ten million: branches that cannot be foretold, and memory.

use bench_ark::{Xorshift, rounds};

fn main() {
    let count = rounds(5_000_000);
    let mut random = Xorshift::new(1);
    let mut numbers: Vec<u32> = (0..count).map(|_| random.draw()).collect();
    numbers.sort_unstable();
    let mut hash = 0_u64;
    for (place, number) in numbers.iter().enumerate().step_by(997) {
        hash = hash.rotate_left(5) ^ (u64::from(*number) + place as u64);
    }

    let most = 2 * count;
    let mut is_prime = vec![true; most + 1];
    let mut primes = 0;
    for number in 2..=most {
        if is_prime[number] {
            primes += 1;
            let mut multiple = number.saturating_mul(number);
            while multiple <= most {
                is_prime[multiple] = false;
                multiple += number;
            }
        }
    }

    println!("{hash:016x} {primes}");
}
