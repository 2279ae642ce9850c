//! The yield comes back, with an answer or because its time is up.

use near_sdk::{PromiseError, env, near};
use protocol::RequestId;
use protocol::response::ExecutionResponse;

use super::transfer::Purpose;
use super::{Outlayer, OutlayerExt};
use crate::answer::{self, MAX_PAYLOAD_BYTES, Payload};
use crate::pending::Pending;
use crate::{announce, settlement};

#[near]
impl Outlayer {
    /// Settles a request and returns its answer to the caller. Nothing that a payload holds makes it fail.
    ///
    /// It returns nothing in Rust: near-sdk would write that over the answer, which is returned as it is.
    pub fn on_execution_response(&mut self, request_id: RequestId) {
        if let Err(refusal) = super::require_self() {
            env::panic_str(&refusal.to_string());
        }
        let payload = match env::promise_result_checked(0, MAX_PAYLOAD_BYTES) {
            Ok(bytes) => answer::read(&bytes),
            Err(PromiseError::Failed) => Payload::Response(answer::timed_out()),
            Err(_) => Payload::Response(answer::unreadable()),
        };
        let Some(pending) = self.pending.remove(&request_id).map(Pending::from) else {
            env::value_return(answer::of_closed(payload));
            return;
        };
        let (response, stored) = match payload {
            Payload::Response(response) => (response, None),
            Payload::Stored(response) => (response, self.answers.get(&request_id)),
            Payload::Closed(_) => (answer::unreadable(), None),
        };
        match stored {
            Some(stored) => env::value_return(answer::returned(stored)),
            None => env::value_return(answer::for_caller(
                response.clone(),
                pending.params.full_result,
            )),
        }
        self.close(&pending, &response);
    }
}

impl Outlayer {
    /// Settles `pending`, which has been taken out: charges, refunds, counts, forgets and announces.
    pub(super) fn close(&mut self, pending: &Pending, response: &ExecutionResponse) {
        let split = settlement::settle(&mut self.ledger, pending, response);
        self.tally.close(response, split);
        self.forget(pending);
        Self::pay(pending.refund_to(), split.refunded, Purpose::Refund);
        let event = settlement::completed(pending, response, split, env::block_timestamp());
        super::log(&announce::completed(&self.settings, event));
    }

    /// Forgets a request's input and answer.
    fn forget(&mut self, pending: &Pending) {
        if pending.has_input {
            self.inputs.set(pending.request_id, None);
        }
        self.forget_answer(pending.request_id);
    }

    /// Forgets a request's stored answer, if it has one.
    pub(super) fn forget_answer(&mut self, id: RequestId) {
        if self.answers.contains_key(&id) {
            self.answers.set(id, None);
        }
    }
}
