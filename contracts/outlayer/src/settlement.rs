//! What an ended request costs and who gets the rest.

use protocol::event::ExecutionCompleted;
use protocol::response::ExecutionResponse;
use protocol::{FailureCode, Fault, NearToken};

use crate::answer::cut;
use crate::ledger::{Ledger, Split};
use crate::pending::Pending;

/// How much of an error and of a remark an event shows, as JSON; with all else it stays far below the log limit.
///
/// Unit: bytes.
const EVENT_TEXT_BYTES: usize = 1_000;

/// What a request has cost: what was used at the rates in force when it was made, or nothing if we are at fault.
pub(crate) fn cost(pending: &Pending, response: &ExecutionResponse) -> NearToken {
    match response.failure_code().map(FailureCode::fault) {
        Some(Fault::Platform) => NearToken::from_yoctonear(0),
        None | Some(Fault::Guest | Fault::Requester) => {
            pending.pricing.cost(&response.resources_used)
        }
    }
}

/// Moves an ended request's escrow to the fees and, by the answer, to whoever gets the rest.
pub(crate) fn settle(
    ledger: &mut Ledger,
    pending: &Pending,
    response: &ExecutionResponse,
) -> Split {
    ledger.close(pending.payment, pending.staked, cost(pending, response))
}

/// What the event says of an ended request.
pub(crate) fn completed(
    pending: &Pending,
    response: &ExecutionResponse,
    split: Split,
    timestamp: u64,
) -> ExecutionCompleted {
    let short =
        |text: &Option<String>| text.as_deref().map(|t| cut(t, EVENT_TEXT_BYTES).to_owned());
    ExecutionCompleted {
        request_id: Some(pending.request_id),
        sender_id: pending.sender_id.clone(),
        code_source: pending.code.clone(),
        resources_used: response.resources_used,
        success: response.success,
        error_message: short(&response.error),
        error_type: response.failure_code(),
        payment_charged: split.charged,
        payment_refunded: split.refunded,
        compilation_note: short(&response.compilation_note),
        timestamp,
    }
}

#[cfg(test)]
mod tests {
    use protocol::response::ResourceMetrics;

    use super::*;
    use crate::pending::samples;

    fn ended(success: bool, error_type: Option<FailureCode>, time_ms: u64) -> Split {
        let pending = samples::pending();
        let mut ledger = Ledger::default();
        ledger.open(pending.payment, pending.staked);
        let response = ExecutionResponse {
            success,
            error_type,
            resources_used: ResourceMetrics {
                instructions: 2_000_000,
                time_ms,
                compile_time_ms: Some(1),
            },
            ..Default::default()
        };
        settle(&mut ledger, &pending, &response)
    }

    #[test]
    fn success_and_the_guests_own_failure_are_charged_what_was_used() {
        // 1e21 + 2 × 1e14 + 3 × 1e17 + 1 × 1e17
        let used = NearToken::from_yoctonear(1_000_400_200_000_000_000_000);

        let charged = [
            ended(true, None, 3),
            ended(false, None, 3),
            ended(false, Some(FailureCode::OutOfTime), 3),
            ended(false, Some(FailureCode::RepositoryNotFound), 3),
            ended(false, Some(FailureCode::CompilationInProgress), 3),
            ended(false, Some(FailureCode::Unknown), 3),
        ];

        assert!(charged.iter().all(|split| split.charged == used));
    }

    #[test]
    fn our_failure_costs_nothing() {
        for code in [
            FailureCode::TimedOut,
            FailureCode::Cancelled,
            FailureCode::PlatformFailure,
            FailureCode::SecretsUnavailable,
        ] {
            let split = ended(false, Some(code), 3);

            assert!(split.charged.is_zero());
            assert_eq!(split.refunded, samples::pending().payment);
        }
    }

    #[test]
    fn nobody_pays_more_than_the_deposit() {
        let split = ended(true, None, u64::MAX);

        assert_eq!(split.charged, samples::pending().payment);
        assert!(split.refunded.is_zero());
    }
}
