//! What the contract counts.

use borsh::{BorshDeserialize, BorshSerialize};
use protocol::project::ProjectUuid;
use protocol::response::{ExecutionResponse, ResourceMetrics};
use protocol::{FailureCode, NearToken, RequestId};
use serde::Serialize;

use crate::ledger::Split;

/// Counts over the contract's life.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize,
)]
pub(crate) struct Tally {
    /// Requests that were taken.
    pub(crate) total_executions: u64,
    /// The guest returned.
    pub(crate) successful_executions: u64,
    /// It did not, or we failed.
    pub(crate) failed_executions: u64,
    /// Nobody answered in time.
    pub(crate) timed_out_executions: u64,
    /// Cancelled by the requester or the owner.
    pub(crate) cancelled_executions: u64,
    /// Metered instructions of all.
    pub(crate) total_instructions: u64,
    /// Wall-clock time of all, in milliseconds.
    pub(crate) total_time_ms: u64,
    /// What was charged for all.
    pub(crate) total_fees_collected: NearToken,
    /// What went back of all.
    pub(crate) total_refunded: NearToken,
    /// Projects that were created; the last one's number.
    pub(crate) total_projects: u64,
}

impl Tally {
    /// The number of the next request that is taken; the first is 1.
    pub(crate) const fn next_id(&self) -> RequestId {
        RequestId(self.total_executions.saturating_add(1))
    }

    /// A request is taken.
    pub(crate) const fn open(&mut self) {
        self.total_executions = self.next_id().0;
    }

    /// Counts a new project and names it for good.
    pub(crate) const fn open_project(&mut self) -> ProjectUuid {
        self.total_projects = self.total_projects.saturating_add(1);
        ProjectUuid(self.total_projects)
    }

    /// A request has ended.
    pub(crate) const fn close(&mut self, response: &ExecutionResponse, split: Split) {
        let counter = match (response.success, response.error_type) {
            (true, _) => &mut self.successful_executions,
            (false, Some(FailureCode::TimedOut)) => &mut self.timed_out_executions,
            (false, Some(FailureCode::Cancelled)) => &mut self.cancelled_executions,
            (false, _) => &mut self.failed_executions,
        };
        *counter = counter.saturating_add(1);
        let ResourceMetrics {
            instructions,
            time_ms,
            ..
        } = response.resources_used;
        self.total_instructions = self.total_instructions.saturating_add(instructions);
        self.total_time_ms = self.total_time_ms.saturating_add(time_ms);
        self.total_fees_collected = self.total_fees_collected.saturating_add(split.charged);
        self.total_refunded = self.total_refunded.saturating_add(split.refunded);
    }
}
