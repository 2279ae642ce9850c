//! What is asked, and what must come of it.

use protocol::FailureCode;
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// Uses the secret of its repository.
    Uses,
    /// Uses the secret of its very module, which only some callers may.
    IsWhitelisted,
    /// Names no secrets.
    NamesNone,
    /// Uses the secret, then traps.
    Traps,
    /// Uses the secret, then exits with a code.
    Exits,
    /// Uses the secret, then uses up its instructions.
    RunsDry,
    /// Uses the secret, then computes until it is killed.
    Spins,
    /// The condition does not hold for the caller.
    IsDenied,
    /// There is no such profile.
    IsMissing,
    /// What is stored was changed after it was sealed.
    IsAltered,
    /// What was sealed is the secret and no object.
    IsNoObject,
    /// What was sealed has the secret where no value can be.
    IsNoString,
}

/// Of so many requests one is kept until its deadline: each takes a second of the processor.
const ONE_SPINS_OF: usize = 300;

impl Case {
    /// So many, mixed.
    pub(super) fn deal(count: usize, dice: &mut StdRng) -> Vec<Self> {
        let spins = dice.random_range(0..ONE_SPINS_OF);
        let mut deal = |number| match dice.random_range(0..100) {
            _ if number % ONE_SPINS_OF == spins => Self::Spins,
            0..40 => Self::Uses,
            40..60 => Self::IsWhitelisted,
            60..65 => Self::NamesNone,
            65..73 => Self::Traps,
            73..79 => Self::Exits,
            79..85 => Self::RunsDry,
            85..90 => Self::IsDenied,
            90..93 => Self::IsMissing,
            93..96 => Self::IsAltered,
            96..98 => Self::IsNoObject,
            _ => Self::IsNoString,
        };
        (0..count).map(&mut deal).collect()
    }

    /// What the guest does.
    pub(super) const fn script(self) -> &'static str {
        match self {
            Self::NamesNone => "say hi",
            Self::Traps => "digest API_KEY\ntrap",
            Self::Exits => "digest API_KEY\nexit 3",
            Self::RunsDry | Self::Spins => "digest API_KEY\nspin",
            _ => "digest API_KEY",
        }
    }

    /// What it may use.
    pub(super) fn limits(self) -> Value {
        match self {
            Self::RunsDry => json!({"max_instructions": 20_000_000}),
            Self::Spins => {
                json!({"max_execution_seconds": 1, "max_instructions": 100_000_000_000_u64})
            }
            _ => json!({}),
        }
    }

    /// The profile that it names.
    pub(super) const fn profile(self) -> Option<&'static str> {
        Some(match self {
            Self::NamesNone => return None,
            Self::IsWhitelisted => "listed",
            Self::IsDenied => "denied",
            Self::IsMissing => "missing",
            Self::IsAltered => "altered",
            Self::IsNoObject => "no-object",
            Self::IsNoString => "no-string",
            _ => "default",
        })
    }

    /// How it fails.
    pub(super) const fn failure(self) -> Option<FailureCode> {
        Some(match self {
            Self::Uses | Self::IsWhitelisted | Self::NamesNone => return None,
            Self::Traps => FailureCode::Trapped,
            Self::Exits => FailureCode::Exited,
            Self::RunsDry => FailureCode::OutOfInstructions,
            Self::Spins => FailureCode::OutOfTime,
            Self::IsDenied => FailureCode::SecretsDenied,
            Self::IsMissing => FailureCode::SecretsNotFound,
            Self::IsAltered | Self::IsNoObject | Self::IsNoString => FailureCode::InvalidCiphertext,
        })
    }

    /// What it answers, if it does.
    pub(super) fn output(self, digest: &str) -> Value {
        match self {
            Self::NamesNone => json!("hi"),
            _ => json!(digest),
        }
    }
}

/// What the probe says of a value: FNV-1a, 64 bits, which nobody gets 256 bits back from.
pub(super) fn digest(value: &str) -> String {
    let hash = value
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}")
}
