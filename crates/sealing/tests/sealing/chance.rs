//! Chance that a test decides.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::{CryptoRng, RngCore};

/// Chance from a seed.
pub(crate) fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Chance that comes to these bytes.
pub(crate) struct Told(pub(crate) Vec<u8>);

impl RngCore for Told {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&self.0);
        self.0 = rest;
    }
}

impl CryptoRng for Told {}
