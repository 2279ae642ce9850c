//! What the programs share: numbers that look random and are the same everywhere.

/// Marsaglia's xorshift of 32 bits.
#[derive(Debug, Clone)]
pub struct Xorshift(u32);

impl Xorshift {
    /// Begins at `seed`, which must not be zero.
    pub const fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn draw(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// The first argument as a number, or `default`: a smaller figure makes a shorter run.
pub fn rounds(default: usize) -> usize {
    std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok())
        .unwrap_or(default)
}
