//! Any bytes as what a process on the other side may say: reading them does not panic, and what is read is within its bounds.

#![no_main]

use guest::wire::{self, Told};
use jail::wire::{Said, Start};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(answer) = wire::parse(bytes) {
        assert!(answer.stdout.len() + answer.stderr.len() <= bytes.len());
        if let Told::Ran(report) = &answer.told {
            assert_eq!(answer.stdout.len(), report.stdout_bytes as usize);
        }
    }
    let _ = Said::decode(bytes);
    let _ = Start::decode(bytes);
});
