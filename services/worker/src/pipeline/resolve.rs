//! Step 9: one transaction tells the chain the answer; the contract settles.

use clients::outlayer::Verdict;
use protocol::FailureCode;
use protocol::job::{Lease, Report};
use protocol::request::ExecutionRequest;
use protocol::response::ExecutionResponse;

use super::execute::Answer;
use crate::parts::Parts;
use crate::setback::Setback;

/// The most that an answer may weigh as the JSON arguments of a call.
///
/// Unit: bytes. Source: `max_transaction_size` is 1,572,864; the rest is room for the transaction around it.
const ANSWER_BYTES: usize = 1_400_000;

/// Sends the answer to the contract.
pub(super) async fn resolve(
    parts: &Parts,
    request: &ExecutionRequest,
    answer: Answer,
) -> Result<Report, Setback> {
    let response = fitting(answer.response)?;
    let resolved = parts
        .contract
        .resolve(
            &parts.sender,
            &parts.chain_limits,
            request.request_id,
            &response,
        )
        .await
        .map_err(Setback::ours)?;
    if let Verdict::Declined(code) = resolved.verdict {
        tracing::info!(request = %request.request_id, %code, "the answer came too late");
        return Err(Setback::Gone);
    }
    // The contract puts a failure in the place of an answer that it has no room for.
    Ok(Report {
        success: response.success && resolved.replaced_by.is_none(),
        error_type: resolved.replaced_by.or(response.failure_code()),
        resources_used: response.resources_used,
        artifact: answer.artifact,
        resolve_transaction: Some(resolved.transaction_hash.to_string()),
    })
}

/// Ends a request with a failure that is known without running anything further.
pub(crate) async fn give_up(
    parts: &Parts,
    lease: &Lease,
    response: ExecutionResponse,
) -> Result<Report, Setback> {
    let request = super::confirm::confirm(parts, lease).await?.request;
    let answer = Answer {
        response,
        artifact: None,
    };
    resolve(parts, &request, answer).await
}

/// The response, or the failure that it is too large.
fn fitting(response: ExecutionResponse) -> Result<ExecutionResponse, Setback> {
    let bytes = serde_json::to_vec(&response).map_err(Setback::ours)?.len();
    if bytes <= ANSWER_BYTES {
        return Ok(response);
    }
    let mut failure = ExecutionResponse::failure(
        FailureCode::OutputTooLarge,
        format!(
            "the answer is {bytes} bytes of JSON, at most {ANSWER_BYTES} fit into a transaction"
        ),
    );
    failure.resources_used = response.resources_used;
    Ok(failure)
}
