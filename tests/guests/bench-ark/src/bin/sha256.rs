//! Hashes 32 MiB: straight integer code in long blocks.

use bench_ark::{Xorshift, rounds};
use sha2::{Digest as _, Sha256};

fn main() {
    let mut random = Xorshift::new(0x1234_5678);
    let mebibyte: Vec<u8> = (0..1 << 20).map(|_| random.draw() as u8).collect();

    let mut hasher = Sha256::new();
    for _ in 0..rounds(32) {
        hasher.update(&mebibyte);
    }

    for byte in hasher.finalize() {
        print!("{byte:02x}");
    }
    println!();
}
