//! A request comes in.

use near_sdk::{GasWeight, NearToken, PromiseIndex, env, near};
use protocol::request::RequestParams;
use protocol::response::ExecutionResult;
use protocol::{FailureCode, RequestId};

use super::transfer::Purpose;
use super::{Outlayer, OutlayerExt};
use crate::ask::{Ask, wants_full_result};
use crate::pending::{Pending, Record};
use crate::refusal::Refusal;
use crate::{announce, answer, gas};

/// Where the host puts the yield's data id.
const DATA_ID_REGISTER: u64 = 0;

#[near]
impl Outlayer {
    /// Asks for an execution; see [`protocol::request::RequestArgs`]. The answer is what the call returns, once it is there.
    ///
    /// The deposit must cover the estimate, and the storage that the request takes while it is pending; what is not used comes
    /// back.
    #[payable]
    pub fn request_execution(&mut self) {
        let json = env::input().unwrap_or_default();
        match self.take(&json) {
            Ok(promise) => env::promise_return(promise),
            Err(refusal) if wants_full_result(&json) => Self::turn_away(refusal),
            Err(refusal) => env::panic_str(&refusal.to_string()),
        }
    }
}

impl Outlayer {
    /// Takes a request: checks first, then yields, keeps and announces it.
    fn take(&mut self, json: &[u8]) -> Result<PromiseIndex, Refusal> {
        let ask = Ask::read(json)?;
        let payment = env::attached_deposit();
        let limits = self.settings.admit(&ask, payment)?;
        let (code, project, project_uuid) = self.code_of(&ask.source)?;
        let mut pending = Pending {
            request_id: self.tally.next_id(),
            data_id: [0; 32],
            sender_id: env::predecessor_account_id(),
            signer_id: env::signer_account_id(),
            code,
            project,
            limits,
            payment,
            timestamp: env::block_timestamp(),
            secrets_ref: ask.secrets_ref,
            response_format: ask.response_format,
            payer_account_id: ask.payer_account_id,
            params: RequestParams {
                project_uuid: project_uuid.map(|uuid| uuid.to_string()),
                ..ask.params
            },
            pricing: self.settings.pricing,
            staked: NearToken::default(),
            has_input: !ask.input.is_empty(),
            answer_room: 0,
            answered: false,
        };
        let bytes = pending.stored_bytes(&ask.input);
        pending.staked = self
            .ledger
            .stake(payment, bytes, &Self::holdings(payment))?;

        let (promise, data_id) = open_yield(pending.request_id, &ask.input)?;
        pending.data_id = data_id;
        pending.answer_room = gas::answer_room(env::prepaid_gas().saturating_sub(env::used_gas()));
        super::log(&announce::requested(&self.settings, &pending, &ask.input));
        self.keep(pending, ask.input);
        Ok(promise)
    }

    fn keep(&mut self, pending: Pending, input: String) {
        let id = pending.request_id;
        self.tally.open();
        self.ledger.open(pending.payment, pending.staked);
        if !input.is_empty() {
            self.inputs.set(id, Some(input));
        }
        self.pending.insert(id, Record::V1(pending));
    }

    /// Returns the refusal as a value and the deposit by a transfer.
    fn turn_away(refusal: Refusal) {
        let caller = env::predecessor_account_id();
        Self::pay(&caller, env::attached_deposit(), Purpose::Refund);
        let result = ExecutionResult::Error {
            error_type: refusal.code,
            error_message: refusal.sentence,
            partial_logs: String::new(),
        };
        env::value_return(answer::whole(&result));
    }
}

fn open_yield(id: RequestId, input: &str) -> Result<(PromiseIndex, [u8; 32]), Refusal> {
    let promise = env::promise_yield_create(
        "on_execution_response",
        format!(r#"{{"request_id":{id}}}"#),
        gas::callback(input),
        GasWeight(1),
        DATA_ID_REGISTER,
    );
    env::read_register(DATA_ID_REGISTER)
        .and_then(|data_id| data_id.try_into().ok())
        .map(|data_id| (promise, data_id))
        .ok_or_else(|| Refusal::new(FailureCode::PlatformFailure, "the yield has no data id"))
}
