//! What an execution costs, in yoctoNEAR.

use borsh::{BorshDeserialize, BorshSerialize};
use near_token::NearToken;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::response::ResourceMetrics;

/// Instructions that one unit of the instruction rate pays for.
const INSTRUCTIONS_PER_UNIT: u64 = 1_000_000;

/// The rates; every amount is in yoctoNEAR and travels as a decimal string.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct Pricing {
    /// For any request.
    pub base_fee: NearToken,
    /// For each whole million of instructions.
    pub per_million_instructions_fee: NearToken,
    /// For each millisecond of execution.
    pub per_ms_fee: NearToken,
    /// For each millisecond of compilation.
    pub per_compile_ms_fee: NearToken,
}

impl Pricing {
    /// What a new contract starts with. Source: interface page, 2.3.
    pub const DEFAULT: Self = Self {
        base_fee: NearToken::from_yoctonear(10u128.pow(21)),
        per_million_instructions_fee: NearToken::from_yoctonear(10u128.pow(14)),
        per_ms_fee: NearToken::from_yoctonear(10u128.pow(17)),
        per_compile_ms_fee: NearToken::from_yoctonear(10u128.pow(17)),
    };

    /// What was used, priced. Saturates: a charge never exceeds the deposit anyway.
    pub const fn cost(&self, used: &ResourceMetrics) -> NearToken {
        let compile_ms = match used.compile_time_ms {
            Some(ms) => ms,
            None => 0,
        };
        self.base_fee
            .saturating_add(self.instructions(used.instructions))
            .saturating_add(times(self.per_ms_fee, used.time_ms))
            .saturating_add(times(self.per_compile_ms_fee, compile_ms))
    }

    /// The least deposit for `limits`: all of them used up, compilation aside.
    pub const fn estimate(&self, limits: &Limits) -> NearToken {
        let max_ms = limits.max_execution_seconds.saturating_mul(1_000);
        self.base_fee
            .saturating_add(self.instructions(limits.max_instructions))
            .saturating_add(times(self.per_ms_fee, max_ms))
    }

    const fn instructions(&self, instructions: u64) -> NearToken {
        let units = instructions / INSTRUCTIONS_PER_UNIT;
        times(self.per_million_instructions_fee, units)
    }
}

const fn times(rate: NearToken, units: u64) -> NearToken {
    #[expect(clippy::as_conversions, reason = "u128::from is not const")]
    rate.saturating_mul(units as u128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    #[test]
    fn the_default_limits_are_estimated_at_base_instructions_and_time() {
        let estimate = Pricing::DEFAULT.estimate(&limits::DEFAULT);

        // 1e21 + 1,000 × 1e14 + 60,000 × 1e17
        assert_eq!(estimate.as_yoctonear(), 7_000_100_000_000_000_000_000);
    }

    #[test]
    fn a_started_million_of_instructions_is_not_charged() {
        let used = |instructions| ResourceMetrics {
            instructions,
            time_ms: 2,
            compile_time_ms: Some(3),
        };

        let cost = Pricing::DEFAULT.cost(&used(1_999_999));

        assert_eq!(
            cost.as_yoctonear(),
            10u128.pow(21) + 10u128.pow(14) + 5 * 10u128.pow(17)
        );
        assert_eq!(cost, Pricing::DEFAULT.cost(&used(1_000_000)));
    }
}
