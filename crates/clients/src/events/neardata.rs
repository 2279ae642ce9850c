//! Blocks from a feed in the shape of neardata.xyz: `/v0/block/{height}` (`null` where there is none) and
//! `/v0/last_block/final`.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use protocol::AccountId;
use reqwest::Url;
use serde::de::DeserializeOwned;

use super::ReadBlocks;
use super::block::Block;
use super::error::Error;
use super::message::Message;
use crate::redact;

/// How long one block may take; a feed may hold a question for the next block for some seconds.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Blocks from a feed in the shape of neardata.xyz.
pub struct Neardata {
    http: reqwest::Client,
    base: Url,
    shown: String,
    contract_id: AccountId,
    /// The newest final height that was seen: below it `null` means that there is no such block, above it that there is
    /// none yet.
    tip: AtomicU64,
}

impl fmt::Debug for Neardata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Neardata({})", self.shown)
    }
}

impl Neardata {
    /// The feed at `base`, for what concerns `contract_id`.
    pub fn new(base: &Url, contract_id: AccountId) -> Result<Self, Error> {
        let shown = redact::address(base);
        let http = reqwest::Client::builder()
            .timeout(BLOCK_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::Unavailable {
                address: shown.clone(),
                reason: redact::reason(error),
            })?;
        Ok(Self {
            http,
            base: base.clone(),
            shown,
            contract_id,
            tip: AtomicU64::new(0),
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let unavailable = |error| Error::Unavailable {
            address: self.shown.clone(),
            reason: redact::reason(error),
        };
        let response = self.http.get(url).send().await.map_err(unavailable)?;
        let response = response.error_for_status().map_err(unavailable)?;
        let body = response.bytes().await.map_err(unavailable)?;
        serde_json::from_slice(&body).map_err(|error| Error::Malformed {
            what: format!("/{} of {}", path.join("/"), self.shown),
            reason: error.to_string(),
        })
    }

    async fn block(&self, height: u64) -> Result<Option<Message>, Error> {
        let height = height.to_string();
        self.get(&["v0", "block", &height]).await
    }

    async fn last_final(&self) -> Result<Message, Error> {
        let message: Message = self.get(&["v0", "last_block", "final"]).await?;
        self.tip.fetch_max(message.height(), Ordering::AcqRel);
        Ok(message)
    }
}

#[async_trait]
impl ReadBlocks for Neardata {
    async fn final_height(&self) -> Result<u64, Error> {
        self.last_final().await.map(|message| message.height())
    }

    async fn next_after(&self, height: u64) -> Result<Option<Block>, Error> {
        let next = height.saturating_add(1);
        if next > self.tip.load(Ordering::Acquire) {
            // A feed holds the question for the block that is about to come, so at the head this is a long poll.
            if let Some(message) = self.block(next).await? {
                return message.into_block(&self.contract_id).map(Some);
            }
            self.last_final().await?;
        }
        for height in next..=self.tip.load(Ordering::Acquire) {
            if let Some(message) = self.block(height).await? {
                return message.into_block(&self.contract_id).map(Some);
            }
        }
        Ok(None)
    }
}
