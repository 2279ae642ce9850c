//! A request is given up.

use near_sdk::{env, near};
use protocol::{FailureCode, RequestId};

use super::{Outlayer, OutlayerExt};
use crate::answer::{self, Payload};
use crate::gas;
use crate::pending::Pending;
use crate::refusal::Refusal;
use crate::settings::not_allowed;

/// How old a request must be before its requester may cancel it. A yield ends long before; only a callback that failed leaves
/// such a request behind.
///
/// Unit: nanoseconds. Source: interface page, 2.2: ten minutes.
const STALE_AFTER_NS: u64 = 10 * 60 * 1_000_000_000;

/// The most requests that one call cancels: so many events fit the log limit.
const MAX_BATCH: usize = 10;

#[near]
impl Outlayer {
    /// Gives up a request that is ten minutes old; for its requester. All goes back.
    #[handle_result]
    pub fn cancel_stale_execution(&mut self, request_id: RequestId) -> Result<(), Refusal> {
        let pending = self.known(request_id)?;
        if env::predecessor_account_id() != pending.sender_id {
            return Err(not_allowed("only the requester may do this"));
        }
        let age = env::block_timestamp().saturating_sub(pending.timestamp);
        if age < STALE_AFTER_NS {
            let sentence = "a request can be cancelled when it is ten minutes old";
            return Err(Refusal::new(FailureCode::TooEarly, sentence));
        }
        self.cancel(request_id);
        Ok(())
    }

    /// Gives up a request; for the owner. All goes back, and the caller learns of it at once.
    #[handle_result]
    pub fn emergency_cancel_execution(&mut self, request_id: RequestId) -> Result<(), Refusal> {
        self.settings
            .require_owner(&env::predecessor_account_id())?;
        self.known(request_id)?;
        self.cancel(request_id);
        Ok(())
    }

    /// Gives up the named requests, or the first of all, as far as gas goes, at most ten; for the owner. Returns which.
    #[handle_result]
    pub fn cancel_pending_requests(
        &mut self,
        request_ids: Option<Vec<RequestId>>,
        limit: Option<u32>,
    ) -> Result<Vec<RequestId>, Refusal> {
        self.settings
            .require_owner(&env::predecessor_account_id())?;
        let most = limit
            .and_then(|limit| usize::try_from(limit).ok())
            .map_or(MAX_BATCH, |limit| limit.min(MAX_BATCH));
        let named =
            request_ids.unwrap_or_else(|| self.pending.keys().take(most).copied().collect());
        let mut cancelled = Vec::new();
        for id in named.into_iter().take(most) {
            let left = env::prepaid_gas().saturating_sub(env::used_gas());
            if left < gas::CANCEL {
                break;
            }
            if self.cancel(id) {
                cancelled.push(id);
            }
        }
        Ok(cancelled)
    }
}

impl Outlayer {
    fn known(&self, id: RequestId) -> Result<&Pending, Refusal> {
        let record = self.pending.get(&id).ok_or_else(|| {
            let sentence = format!("there is no pending request {id}");
            Refusal::new(FailureCode::NoSuchRequest, sentence)
        })?;
        Ok(record.get())
    }

    /// Settles a request as cancelled and ends its yield, if that is still there; says whether there was such a request.
    fn cancel(&mut self, id: RequestId) -> bool {
        let Some(pending) = self.pending.remove(&id).map(Pending::from) else {
            return false;
        };
        let response = answer::cancelled();
        let answer = answer::for_caller(response.clone(), pending.params.full_result);
        let payload = Payload::Closed(serde_json::from_slice(&answer).unwrap_or_default());
        env::promise_yield_resume(&pending.data_id, answer::serialize(&payload));
        self.close(&pending, &response);
        true
    }
}
