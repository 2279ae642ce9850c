//! Step 4: the queue is a hint; the chain is the truth.

use clients::near::At;
use clients::near::node::Seen;
use protocol::job::Lease;
use protocol::request::ExecutionRequest;
use serde_json::json;

use crate::parts::Parts;
use crate::setback::Setback;

/// A request that the chain vouches for.
#[derive(Debug)]
pub(super) struct Confirmed {
    /// The request as the contract holds it. Everything after this step reads it and not the job.
    pub(super) request: ExecutionRequest,
    /// Blocks before the yield runs out. The queue says in which block the request was made: where that is wrong, the answer comes
    /// sooner or later than it could.
    pub(super) blocks_left: u64,
}

/// Asks the chain for the request.
pub(super) async fn confirm(parts: &Parts, lease: &Lease) -> Result<Confirmed, Setback> {
    let job = &lease.job;
    if job.contract_id != parts.config.contract_id {
        return Err(Setback::ours(anyhow::anyhow!(
            "the job is of {}, this worker answers for {}",
            job.contract_id,
            parts.config.contract_id
        )));
    }
    let id = job.notice.request_id;
    let seen: Seen<Option<ExecutionRequest>> = parts
        .contract
        .node()
        .view_at(
            At::Final,
            &job.contract_id,
            "get_request",
            &json!({"request_id": id}),
        )
        .await
        .map_err(Setback::ours)?;
    match seen.value {
        Some(request) if request.data_id == job.data_id => {
            let last = job
                .origin
                .block_height
                .saturating_add(parts.chain_limits.yield_timeout_blocks);
            Ok(Confirmed {
                request,
                blocks_left: last.saturating_sub(seen.block_height),
            })
        }
        // A node that has not come to the request's block yet cannot say that the request is gone.
        None if seen.block_height < job.origin.block_height => Err(Setback::ours(anyhow::anyhow!(
            "the node is at block {}, the request was made in {}",
            seen.block_height,
            job.origin.block_height
        ))),
        _ => Err(Setback::Gone),
    }
}
