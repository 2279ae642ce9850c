//! The contract's prices, read from the chain and kept for a while.

use protocol::clock::UnixMs;
use protocol::pricing::Pricing;
use tokio::sync::Mutex;

use crate::error::Error;
use crate::parts::Parts;

/// How long a price that was read is good, in milliseconds. An owner changes prices a few times a year.
const GOOD_MS: u64 = 60_000;

/// The prices.
#[derive(Debug)]
pub(crate) struct Prices {
    parts: Parts,
    /// Held while the chain is asked, so that many callers ask it once.
    last: Mutex<Option<(UnixMs, Pricing)>>,
}

impl Prices {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            last: Mutex::default(),
        }
    }

    /// What the contract charges. When the chain does not answer, the last that is known.
    pub(crate) async fn now(&self) -> Result<Pricing, Error> {
        let now = self.parts.clock.now_ms();
        let mut last = self.last.lock().await;
        if let Some((read_at, pricing)) = *last
            && now.saturating_sub(read_at) < GOOD_MS
        {
            return Ok(pricing);
        }
        match (self.parts.pricing.pricing().await, *last) {
            (Ok(pricing), _) => {
                *last = Some((now, pricing));
                Ok(pricing)
            }
            (Err(err), Some((_, pricing))) => {
                tracing::warn!(error = %err, "the prices cannot be read; the last known are shown");
                Ok(pricing)
            }
            (Err(err), None) => Err(Error::PricingUnavailable(err)),
        }
    }
}
