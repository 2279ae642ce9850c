//! What anyone may read.

use near_sdk::{NearToken, near};
use protocol::limits::{Caps, ResourceLimits};
use protocol::pricing::Pricing;
use protocol::request::ExecutionRequest;
use protocol::{AccountId, RequestId};
use serde::Serialize;

use super::{Outlayer, OutlayerExt};
use crate::answer;
use crate::refusal::Refusal;
use crate::settings::{Settings, UsdPricing};
use crate::tally::Tally;

/// The most ids that one call lists.
const MAX_PAGE: usize = 1_000;

/// What `get_stats` shows.
#[derive(Clone, Debug, Serialize)]
pub struct StatsView {
    #[serde(flatten)]
    tally: Tally,
    pending_requests: u32,
}

/// What `get_pricing_full` shows: the rates in yoctoNEAR and in 1e-6 USD.
#[derive(Clone, Debug, Serialize)]
pub struct PricingView {
    #[serde(flatten)]
    near: Pricing,
    #[serde(flatten)]
    usd: UsdPricing,
}

/// What `get_config` shows.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigView<'a> {
    #[serde(flatten)]
    settings: &'a Settings,
    max_yield_payload_bytes: usize,
}

/// What `get_event_metadata` shows.
#[derive(Clone, Debug, Serialize)]
pub struct EventMetadataView<'a> {
    event_standard: &'a str,
    event_version: &'a str,
}

/// What `get_reserve` shows: whose money the account holds; see [`crate::ledger`].
#[derive(Clone, Debug, Serialize)]
pub struct ReserveView {
    /// All that the account has.
    balance: NearToken,
    /// Deposits of pending requests.
    escrow: NearToken,
    /// Earned and not withdrawn.
    fees: NearToken,
    /// Refunds that could not be paid.
    unclaimed: NearToken,
    /// What was left for the bytes of secrets and projects, and stakes these.
    storage_deposits: NearToken,
    /// What the account's bytes stake.
    storage_stake: NearToken,
    /// The part of it that `escrow` stakes.
    staked_escrow: NearToken,
    /// What is free to stake more; null when the account falls short.
    reserve: Option<NearToken>,
}

#[near]
impl Outlayer {
    /// A pending request, with its input.
    pub fn get_request(&self, request_id: RequestId) -> Option<ExecutionRequest> {
        let pending = self.pending.get(&request_id)?.get();
        let input = self.inputs.get(&request_id).cloned();
        let output = self.answers.get(&request_id);
        Some(pending.view(input, output.and_then(|stored| answer::output_of(stored))))
    }

    /// The numbers of pending requests, in no order.
    pub fn get_pending_request_ids(
        &self,
        from_index: Option<u64>,
        limit: Option<u64>,
    ) -> Vec<RequestId> {
        let from = from_index.map_or(0, |from| usize::try_from(from).unwrap_or(usize::MAX));
        let limit = limit.map_or(100, |limit| usize::try_from(limit).unwrap_or(MAX_PAGE));
        let ids = self.pending.keys().skip(from);
        ids.take(limit.min(MAX_PAGE)).copied().collect()
    }

    /// Counts over the contract's life.
    pub fn get_stats(&self) -> StatsView {
        StatsView {
            tally: self.tally,
            pending_requests: self.pending.len(),
        }
    }

    /// The rates in yoctoNEAR.
    pub fn get_pricing(&self) -> Pricing {
        self.settings.pricing
    }

    /// All rates.
    pub fn get_pricing_full(&self) -> PricingView {
        PricingView {
            near: self.settings.pricing,
            usd: self.settings.usd_pricing,
        }
    }

    /// All settings.
    pub fn get_config(&self) -> ConfigView<'_> {
        ConfigView {
            settings: &self.settings,
            max_yield_payload_bytes: answer::MAX_PAYLOAD_BYTES,
        }
    }

    /// The most that a request may ask for.
    pub fn get_max_limits(&self) -> Caps {
        self.settings.caps
    }

    /// Whether no requests are taken.
    pub fn is_paused(&self) -> bool {
        self.settings.paused
    }

    /// The least deposit for a request with these limits.
    #[handle_result]
    pub fn estimate_execution_cost(
        &self,
        resource_limits: Option<ResourceLimits>,
    ) -> Result<NearToken, Refusal> {
        let (_, estimate) = self.settings.quote(resource_limits.unwrap_or_default())?;
        Ok(estimate)
    }

    /// The standard and version that every event bears.
    pub fn get_event_metadata(&self) -> EventMetadataView<'_> {
        EventMetadataView {
            event_standard: &self.settings.event_standard,
            event_version: &self.settings.event_version,
        }
    }

    /// Whose money the account holds.
    pub fn get_reserve(&self) -> ReserveView {
        let holdings = Self::holdings(NearToken::default());
        ReserveView {
            balance: holdings.balance,
            escrow: self.ledger.escrow,
            fees: self.ledger.fees,
            unclaimed: self.ledger.unclaimed,
            storage_deposits: self.ledger.storage_deposits,
            storage_stake: holdings.price(holdings.storage_bytes),
            staked_escrow: self.ledger.staked_escrow,
            reserve: self.ledger.reserve(&holdings),
        }
    }

    /// The refunds that wait for `account_id`.
    pub fn get_unclaimed(&self, account_id: &AccountId) -> NearToken {
        self.unclaimed.get(account_id).copied().unwrap_or_default()
    }
}
