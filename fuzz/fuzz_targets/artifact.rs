//! Any bytes as a file in the cache of compiled code or as a record of an execution: only what was kept is taken.

#![no_main]

use executor::{Record, checked_code};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(code) = checked_code(bytes) {
        assert_eq!(code.len() + 32, bytes.len());
    }
    if let Ok(record) = Record::from_bytes(bytes) {
        assert_eq!(record.to_bytes().expect("it was bytes before"), bytes);
    }
});
