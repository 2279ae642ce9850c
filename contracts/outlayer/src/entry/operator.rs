//! The operator answers.

use near_sdk::{NearToken, env, near};
use protocol::response::ExecutionResponse;
use protocol::{FailureCode, RequestId};

use super::{Outlayer, OutlayerExt};
use crate::announce::{Change, Submitted};
use crate::answer::{self, Keep, Room};
use crate::pending::{Pending, Record, to_u64};
use crate::refusal::Refusal;
use crate::resolution::{self, Receipt, Resolve, Submit, Verdict};

#[near]
impl Outlayer {
    /// Answers a request. The arguments are `request_id` and `response`, a [`ExecutionResponse`], or its fields beside
    /// `request_id`.
    #[handle_result]
    pub fn resolve_execution(&mut self) -> Result<Verdict, Refusal> {
        self.settings
            .require_operator(&env::predecessor_account_id())?;
        let json = env::input().unwrap_or_default();
        let arguments: Resolve = resolution::read(&json)?;
        let id = arguments.request_id;
        Ok(self.resolve(id, arguments.into_response()?))
    }

    /// Answers a request with an output of any size; as `resolve_execution`, which stores a large output by itself.
    #[handle_result]
    pub fn submit_execution_output_and_resolve(&mut self) -> Result<Verdict, Refusal> {
        self.resolve_execution()
    }

    /// Stores a large output, for a `resolve_execution` without one to refer to.
    #[handle_result]
    pub fn submit_execution_output(&mut self) -> Result<Receipt, Refusal> {
        self.settings
            .require_operator(&env::predecessor_account_id())?;
        let json = env::input().unwrap_or_default();
        let Submit { request_id, output } = resolution::read(&json)?;
        let Some(pending) = self.unanswered(request_id) else {
            return Ok(Receipt::missed(FailureCode::NoSuchRequest));
        };
        let stored = answer::stored_output(&output);
        if let Err(no_room) = self.room(&pending).check(&stored) {
            return Ok(Receipt::missed(no_room.code()));
        }
        let bytes = to_u64(stored.len());
        self.answers.set(request_id, Some(stored));
        self.log_change(&Change::OutputSubmitted([Submitted { request_id, bytes }]));
        Ok(Receipt::STORED)
    }
}

impl Outlayer {
    /// Resumes the yield and keeps what the payload cannot carry. A refused resume changes nothing.
    fn resolve(&mut self, id: RequestId, response: ExecutionResponse) -> Verdict {
        let Some(mut pending) = self.unanswered(id) else {
            return Verdict::missed(FailureCode::NoSuchRequest);
        };
        let submitted = self.answers.get(&id).map(Vec::as_slice);
        let resumption = answer::resume(&pending, response, submitted, &self.room(&pending));
        if !env::promise_yield_resume(&pending.data_id, &resumption.payload) {
            return Verdict::missed(FailureCode::TimedOut);
        }
        match resumption.keep {
            Keep::Submitted => {}
            Keep::Answer(answer) => self.answers.set(id, Some(answer)),
            Keep::Nothing => self.forget_answer(id),
        }
        pending.answered = true;
        self.pending.insert(id, Record::V1(pending));
        Verdict::resolved(resumption.replaced_by)
    }

    fn unanswered(&self, id: RequestId) -> Option<Pending> {
        let pending = self.pending.get(&id)?.get();
        (!pending.answered).then(|| pending.clone())
    }

    fn room(&self, pending: &Pending) -> Room {
        let holdings = Self::holdings(NearToken::default());
        Room {
            gas_bytes: pending.answer_room,
            reserve: self.ledger.reserve(&holdings).unwrap_or_default(),
            byte_price: holdings.byte_price,
        }
    }
}
