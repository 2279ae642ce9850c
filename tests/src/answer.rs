//! What came of a request.

use anyhow::Result;
use clients::near::Outcome;
use clients::near::outcome::{Failure, Status};
use outlayer::platform::Platform;
use protocol::event::{Envelope, Event, ExecutionCompleted};
use protocol::{FailureCode, NearToken};
use serde_json::Value;

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the caller got, or the text with which the call was refused.
    pub value: Result<Value, String>,
    /// How the contract settled; none for a request that was refused.
    pub completed: Option<ExecutionCompleted>,
    /// How often the contract settled within the transaction.
    pub settlements: usize,
    /// The transaction.
    pub transaction: String,
}

impl Answer {
    pub(super) fn read(platform: &Platform, outcome: &Outcome) -> Result<Self> {
        let value = match &outcome.status {
            Status::Succeeded(bytes) if bytes.is_empty() => Ok(Value::Null),
            Status::Succeeded(bytes) => Ok(serde_json::from_slice(bytes)?),
            Status::Failed(Failure::Panicked(message)) => Err(message.clone()),
            Status::Failed(failure) => Err(failure.to_string()),
            Status::Pending => {
                anyhow::bail!("transaction {} has not ended", outcome.transaction_hash)
            }
        };
        let contract = &platform.accounts.outlayer;
        let settled: Vec<_> = outcome
            .receipts
            .iter()
            .filter(|receipt| receipt.executor_id == *contract)
            .flat_map(|receipt| &receipt.logs)
            .filter_map(|log| match Envelope::from_log(log)?.event {
                Event::ExecutionCompleted([completed]) => Some(completed),
                Event::ExecutionRequested(_) => None,
            })
            .collect();
        Ok(Self {
            value,
            settlements: settled.len(),
            completed: settled.into_iter().next(),
            transaction: outcome.transaction_hash.to_string(),
        })
    }

    /// Why the request failed, if it did.
    pub fn failure(&self) -> Option<FailureCode> {
        self.completed.as_ref()?.error_type
    }

    /// What was kept of the deposit.
    pub fn charged(&self) -> NearToken {
        let completed = self.completed.as_ref();
        completed.map_or(NearToken::from_yoctonear(0), |it| it.payment_charged)
    }

    /// What went back.
    pub fn refunded(&self) -> NearToken {
        let completed = self.completed.as_ref();
        completed.map_or(NearToken::from_yoctonear(0), |it| it.payment_refunded)
    }
}
