//! What an execution may use.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::failure::FailureCode;

/// What a request asks for; a missing field takes its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimits {
    /// Metered WebAssembly instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_instructions: Option<u64>,
    /// Linear memory, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory_mb: Option<u32>,
    /// Wall-clock time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_execution_seconds: Option<u64>,
}

/// Limits with every number settled, as events and workers see them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct Limits {
    /// Metered WebAssembly instructions.
    pub max_instructions: u64,
    /// Linear memory, in MiB.
    pub max_memory_mb: u32,
    /// Wall-clock time, in seconds.
    pub max_execution_seconds: u64,
}

/// What a request gets that names no limits. Source: interface page, 2.1.
pub const DEFAULT: Limits = Limits {
    max_instructions: 1_000_000_000,
    max_memory_mb: 128,
    max_execution_seconds: 60,
};

/// The most that anyone may ask for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct Caps {
    /// Metered WebAssembly instructions.
    pub max_instructions: u64,
    /// Linear memory, in MiB. A 32-bit module can address 4,096.
    pub max_memory_mb: u32,
    /// Wall-clock time, in seconds.
    pub max_execution_seconds: u64,
    /// Wall-clock time of a build, in seconds.
    pub max_compile_seconds: u64,
}

impl Caps {
    /// What a new contract starts with. Source: interface page, 2.3.
    pub const DEFAULT: Self = Self {
        max_instructions: 100_000_000_000,
        max_memory_mb: 512,
        max_execution_seconds: 60,
        max_compile_seconds: 300,
    };

    /// What an owner may raise the caps to. Source: interface page, 2.3.
    pub const HIGHEST: Self = Self {
        max_instructions: 500_000_000_000,
        max_memory_mb: 4_096,
        max_execution_seconds: 180,
        max_compile_seconds: 300,
    };
}

/// Why limits are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A limit of nothing lets nothing run.
    #[error("{field} is zero")]
    Zero {
        /// The field's name.
        field: &'static str,
    },
    /// More than anyone may ask for.
    #[error("{field} is {asked}, the cap is {cap}")]
    AboveCap {
        /// The field's name.
        field: &'static str,
        /// What was asked for.
        asked: u64,
        /// The most that may be asked for.
        cap: u64,
    },
}

impl Error {
    /// The stable code.
    pub const fn code(&self) -> FailureCode {
        match self {
            Self::Zero { .. } => FailureCode::InvalidLimits,
            Self::AboveCap { .. } => FailureCode::LimitsAboveCap,
        }
    }
}

impl ResourceLimits {
    /// Fills in the defaults and checks against the caps.
    pub fn settle(self, caps: &Caps) -> Result<Limits, Error> {
        let limits = Limits {
            max_instructions: self.max_instructions.unwrap_or(DEFAULT.max_instructions),
            max_memory_mb: self.max_memory_mb.unwrap_or(DEFAULT.max_memory_mb),
            max_execution_seconds: self
                .max_execution_seconds
                .unwrap_or(DEFAULT.max_execution_seconds),
        };
        within(
            "max_instructions",
            limits.max_instructions,
            caps.max_instructions,
        )?;
        within(
            "max_memory_mb",
            limits.max_memory_mb.into(),
            caps.max_memory_mb.into(),
        )?;
        within(
            "max_execution_seconds",
            limits.max_execution_seconds,
            caps.max_execution_seconds,
        )?;
        Ok(limits)
    }
}

const fn within(field: &'static str, asked: u64, cap: u64) -> Result<(), Error> {
    if asked == 0 {
        return Err(Error::Zero { field });
    }
    if asked > cap {
        return Err(Error::AboveCap { field, asked, cap });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_limits_take_their_defaults() {
        let limits = ResourceLimits::default().settle(&Caps::DEFAULT);

        assert_eq!(limits, Ok(DEFAULT));
    }

    #[test]
    fn a_limit_of_zero_or_above_its_cap_is_refused_by_name() {
        let zero = ResourceLimits {
            max_memory_mb: Some(0),
            ..Default::default()
        };
        let high = ResourceLimits {
            max_execution_seconds: Some(61),
            ..Default::default()
        };

        assert_eq!(
            zero.settle(&Caps::DEFAULT).unwrap_err().code(),
            FailureCode::InvalidLimits
        );
        assert_eq!(
            high.settle(&Caps::DEFAULT).unwrap_err().to_string(),
            "max_execution_seconds is 61, the cap is 60"
        );
    }
}
