//! What an owner sets, and the checks of a request against it.

use borsh::{BorshDeserialize, BorshSerialize};
use protocol::limits::{Caps, Limits, ResourceLimits};
use protocol::pricing::Pricing;
use protocol::{AccountId, FailureCode, NearToken, event};
use serde::{Deserialize, Serialize};

use crate::ask::Ask;
use crate::refusal::Refusal;

/// The longest name and version of the event standard.
///
/// Unit: bytes.
const MAX_EVENT_NAME_BYTES: usize = 64;

/// What an owner sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub(crate) struct Settings {
    /// May change all of this.
    pub(crate) owner_id: AccountId,
    /// Answers requests.
    pub(crate) operator_id: AccountId,
    /// Whether no requests are taken.
    pub(crate) paused: bool,
    /// The rates of a request paid in NEAR.
    pub(crate) pricing: Pricing,
    /// The rates of a request paid in stablecoin.
    pub(crate) usd_pricing: UsdPricing,
    /// The most that a request may ask for.
    pub(crate) caps: Caps,
    /// The name in every event.
    pub(crate) event_standard: String,
    /// The version in every event.
    pub(crate) event_version: String,
}

/// The rates of a request paid in stablecoin, in 1e-6 USD.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub(crate) struct UsdPricing {
    /// For any request.
    #[serde(rename = "usd_base_fee")]
    pub(crate) base: u64,
    /// For each whole million of instructions.
    #[serde(rename = "usd_per_million_instructions_fee")]
    pub(crate) per_million_instructions: u64,
    /// For each second of execution.
    #[serde(rename = "usd_per_second_fee")]
    pub(crate) per_second: u64,
    /// For each millisecond of compilation.
    #[serde(rename = "usd_per_compile_ms_fee")]
    pub(crate) per_compile_ms: u64,
}

impl UsdPricing {
    /// What a new contract starts with. Source: interface page, 2.3.
    const DEFAULT: Self = Self {
        base: 1_000,
        per_million_instructions: 1,
        per_second: 1,
        per_compile_ms: 10,
    };
}

/// Rates to change; an absent one stays.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Repricing {
    #[serde(rename = "base_fee")]
    base: Option<NearToken>,
    #[serde(rename = "per_million_instructions_fee")]
    per_million_instructions: Option<NearToken>,
    #[serde(rename = "per_ms_fee")]
    per_ms: Option<NearToken>,
    #[serde(rename = "per_compile_ms_fee")]
    per_compile_ms: Option<NearToken>,
    #[serde(rename = "usd_base_fee")]
    usd_base: Option<u64>,
    #[serde(rename = "usd_per_million_instructions_fee")]
    usd_per_million_instructions: Option<u64>,
    #[serde(rename = "usd_per_second_fee")]
    usd_per_second: Option<u64>,
    #[serde(rename = "usd_per_compile_ms_fee")]
    usd_per_compile_ms: Option<u64>,
}

impl Settings {
    /// What a new contract starts with.
    pub(crate) fn new(
        owner_id: AccountId,
        operator_id: Option<AccountId>,
        event_standard: Option<String>,
        event_version: Option<String>,
    ) -> Result<Self, Refusal> {
        let mut settings = Self {
            operator_id: operator_id.unwrap_or_else(|| owner_id.clone()),
            owner_id,
            paused: false,
            pricing: Pricing::DEFAULT,
            usd_pricing: UsdPricing::DEFAULT,
            caps: Caps::DEFAULT,
            event_standard: event::STANDARD.to_owned(),
            event_version: event::VERSION.to_owned(),
        };
        settings.name_events(event_standard, event_version)?;
        Ok(settings)
    }

    /// Refuses anyone but the owner.
    pub(crate) fn require_owner(&self, caller: &AccountId) -> Result<(), Refusal> {
        if *caller == self.owner_id {
            return Ok(());
        }
        Err(not_allowed("only the owner may do this"))
    }

    /// Refuses anyone but the operator.
    pub(crate) fn require_operator(&self, caller: &AccountId) -> Result<(), Refusal> {
        if *caller == self.operator_id {
            return Ok(());
        }
        Err(not_allowed("only the operator may do this"))
    }

    /// The limits of a request and the least deposit for them.
    pub(crate) fn quote(&self, asked: ResourceLimits) -> Result<(Limits, NearToken), Refusal> {
        let limits = asked
            .settle(&self.caps)
            .map_err(|err| Refusal::new(err.code(), err.to_string()))?;
        Ok((limits, self.pricing.estimate(&limits)))
    }

    /// Refuses a request that is not one, asks for too much or brings too little.
    pub(crate) fn admit(&self, ask: &Ask, deposit: NearToken) -> Result<Limits, Refusal> {
        if self.paused {
            let sentence = "the contract takes no requests at present";
            return Err(Refusal::new(FailureCode::Paused, sentence));
        }
        let (limits, estimate) = self.quote(ask.limits)?;
        if ask.params.attached_usd.unwrap_or_default() > 0 {
            let sentence = "the caller has no stablecoin balance here";
            return Err(Refusal::new(FailureCode::InsufficientUsdBalance, sentence));
        }
        if deposit < estimate {
            return Err(Refusal::new(
                FailureCode::DepositTooSmall,
                format!(
                    "the deposit is {} yoctoNEAR, the estimate {}",
                    deposit.as_yoctonear(),
                    estimate.as_yoctonear()
                ),
            ));
        }
        Ok(limits)
    }

    /// Changes rates.
    pub(crate) fn reprice(&mut self, new: &Repricing) {
        fn set<T: Copy>(rate: &mut T, new: Option<T>) {
            *rate = new.unwrap_or(*rate);
        }
        let near = &mut self.pricing;
        set(&mut near.base_fee, new.base);
        set(
            &mut near.per_million_instructions_fee,
            new.per_million_instructions,
        );
        set(&mut near.per_ms_fee, new.per_ms);
        set(&mut near.per_compile_ms_fee, new.per_compile_ms);
        let usd = &mut self.usd_pricing;
        set(&mut usd.base, new.usd_base);
        set(
            &mut usd.per_million_instructions,
            new.usd_per_million_instructions,
        );
        set(&mut usd.per_second, new.usd_per_second);
        set(&mut usd.per_compile_ms, new.usd_per_compile_ms);
    }

    /// Changes the caps, up to the highest that workers serve.
    pub(crate) fn cap(&mut self, caps: Caps) -> Result<(), Refusal> {
        let highest = Caps::HIGHEST;
        let fields = [
            (
                "max_instructions",
                caps.max_instructions,
                highest.max_instructions,
            ),
            (
                "max_memory_mb",
                caps.max_memory_mb.into(),
                highest.max_memory_mb.into(),
            ),
            (
                "max_execution_seconds",
                caps.max_execution_seconds,
                highest.max_execution_seconds,
            ),
            (
                "max_compile_seconds",
                caps.max_compile_seconds,
                highest.max_compile_seconds,
            ),
        ];
        for (field, asked, most) in fields {
            if asked == 0 {
                let sentence = format!("{field} is zero");
                return Err(Refusal::new(FailureCode::InvalidLimits, sentence));
            }
            if asked > most {
                let sentence = format!("{field} is {asked}, the most is {most}");
                return Err(Refusal::new(FailureCode::LimitsAboveCap, sentence));
            }
        }
        self.caps = caps;
        Ok(())
    }

    /// Changes what every event bears.
    pub(crate) fn name_events(
        &mut self,
        standard: Option<String>,
        version: Option<String>,
    ) -> Result<(), Refusal> {
        for text in [&standard, &version].into_iter().flatten() {
            let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
            let fits = !text.is_empty() && text.len() <= MAX_EVENT_NAME_BYTES;
            if !fits || !text.bytes().all(plain) {
                return Err(Refusal::new(
                    FailureCode::InvalidArguments,
                    format!(
                        "an event's standard and version have 1 to {MAX_EVENT_NAME_BYTES} plain characters"
                    ),
                ));
            }
        }
        if let Some(standard) = standard {
            self.event_standard = standard;
        }
        if let Some(version) = version {
            self.event_version = version;
        }
        Ok(())
    }
}

/// The caller may not do this.
pub(crate) fn not_allowed(sentence: &str) -> Refusal {
    Refusal::new(FailureCode::NotAllowed, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new("owner.test".parse().unwrap(), None, None, None).unwrap()
    }

    #[test]
    fn an_owner_is_the_operator_until_another_is_named() {
        let settings = settings();

        assert!(settings.require_operator(&settings.owner_id).is_ok());
        assert_eq!(
            settings
                .require_operator(&"eve.test".parse().unwrap())
                .unwrap_err()
                .to_string(),
            "not_allowed: only the operator may do this"
        );
    }

    #[test]
    fn caps_stay_between_one_and_the_highest() {
        let mut settings = settings();
        let none = Caps {
            max_memory_mb: 0,
            ..Caps::HIGHEST
        };
        let above = Caps {
            max_execution_seconds: 181,
            ..Caps::HIGHEST
        };

        assert!(settings.cap(Caps::HIGHEST).is_ok());
        assert_eq!(
            settings.cap(none).unwrap_err().code,
            FailureCode::InvalidLimits
        );
        assert_eq!(
            settings.cap(above).unwrap_err().code,
            FailureCode::LimitsAboveCap
        );
        assert_eq!(settings.caps, Caps::HIGHEST);
    }

    #[test]
    fn an_absent_rate_stays() {
        let mut settings = settings();

        settings.reprice(&Repricing {
            per_ms: Some(NearToken::from_yoctonear(7)),
            ..Repricing::default()
        });

        let expected = Pricing {
            per_ms_fee: NearToken::from_yoctonear(7),
            ..Pricing::DEFAULT
        };
        assert_eq!(settings.pricing, expected);
        assert_eq!(settings.usd_pricing, UsdPricing::DEFAULT);
    }

    #[test]
    fn an_events_name_needs_no_escaping() {
        let mut settings = settings();

        for bad in ["", "a b", "a\"b", "é", &"a".repeat(65)] {
            assert!(settings.name_events(Some(bad.into()), None).is_err());
        }
        assert!(settings.name_events(None, Some("2.0.0".into())).is_ok());
        assert_eq!(settings.event_version, "2.0.0");
        assert_eq!(settings.event_standard, event::STANDARD);
    }
}
