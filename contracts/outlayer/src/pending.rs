//! A pending request as the contract keeps it.

use borsh::{BorshDeserialize, BorshSerialize};
use protocol::limits::Limits;
use protocol::pricing::Pricing;
use protocol::project::ProjectId;
use protocol::request::{ExecutionRequest, RequestParams, ResponseFormat, SecretsReference};
use protocol::response::ExecutionOutput;
use protocol::source::{CodeSource, ExecutionSource};
use protocol::{AccountId, NearToken, RequestId};

/// What a record takes beside its own bytes: the key and index of a map and the slot of its list of keys.
///
/// Unit: bytes. Map: 40 for any record, 10 of key, 1 of version, 4 of index. List: 40, 6 of key, 8 of id.
const RECORD_OVERHEAD_BYTES: u64 = 40 + 10 + 1 + 4 + 40 + 6 + 8;

/// What an input takes beside its own bytes: 40 for any record, 9 of key, 4 of length.
///
/// Unit: bytes.
const INPUT_OVERHEAD_BYTES: u64 = 40 + 9 + 4;

/// Every form in which a record was ever stored; append only.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Record {
    /// The first.
    V1(Pending),
}

/// A pending request; its input is kept beside it, so that settling need not read it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Pending {
    pub(crate) request_id: RequestId,
    pub(crate) data_id: [u8; 32],
    pub(crate) sender_id: AccountId,
    pub(crate) signer_id: AccountId,
    pub(crate) code: CodeSource,
    /// The project by which the code was named, if it was.
    pub(crate) project: Option<NamedProject>,
    pub(crate) limits: Limits,
    pub(crate) payment: NearToken,
    pub(crate) timestamp: u64,
    pub(crate) secrets_ref: Option<SecretsReference>,
    pub(crate) response_format: ResponseFormat,
    pub(crate) payer_account_id: Option<AccountId>,
    pub(crate) params: RequestParams,
    /// The rates in force when it was made: a later change does not touch it.
    pub(crate) pricing: Pricing,
    /// How much of the payment stakes its bytes.
    pub(crate) staked: NearToken,
    /// Whether an input is kept beside it.
    pub(crate) has_input: bool,
    /// Bytes of stored answer that the callback's gas pays for.
    pub(crate) answer_room: u64,
    /// Whether the yield has been resumed.
    pub(crate) answered: bool,
}

/// The project by which a request named its code; its uuid is in the request's parameters.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct NamedProject {
    /// As it was called then.
    pub(crate) project_id: ProjectId,
    /// The version that was asked for, if one was.
    pub(crate) version_key: Option<String>,
}

impl From<Record> for Pending {
    fn from(record: Record) -> Self {
        match record {
            Record::V1(pending) => pending,
        }
    }
}

impl Record {
    /// The record in the present form.
    pub(crate) const fn get(&self) -> &Pending {
        match self {
            Self::V1(pending) => pending,
        }
    }
}

impl Pending {
    /// What the request takes of the account's storage, its input included.
    pub(crate) fn stored_bytes(&self, input: &str) -> u64 {
        let record = borsh::object_length(self).unwrap_or(usize::MAX);
        let record = to_u64(record).saturating_add(RECORD_OVERHEAD_BYTES);
        match to_u64(input.len()) {
            0 => record,
            length => record
                .saturating_add(length)
                .saturating_add(INPUT_OVERHEAD_BYTES),
        }
    }

    /// Who gets the unused part of the payment.
    pub(crate) const fn refund_to(&self) -> &AccountId {
        match &self.payer_account_id {
            Some(payer) => payer,
            None => &self.sender_id,
        }
    }

    /// What was asked for.
    fn source(&self) -> ExecutionSource {
        match &self.project {
            None => self.code.clone().into(),
            Some(project) => ExecutionSource::Project {
                project_id: project.project_id.to_string(),
                version_key: project.version_key.clone(),
            },
        }
    }

    /// The request as `get_request` shows it.
    pub(crate) fn view(
        &self,
        input: Option<String>,
        output: Option<ExecutionOutput>,
    ) -> ExecutionRequest {
        ExecutionRequest {
            request_id: self.request_id,
            data_id: self.data_id,
            sender_id: self.sender_id.clone(),
            signer_id: self.signer_id.clone(),
            execution_source: self.source(),
            resolved_source: self.code.clone(),
            resource_limits: self.limits,
            payment: self.payment,
            timestamp: self.timestamp,
            secrets_ref: self.secrets_ref.clone(),
            response_format: self.response_format,
            input_data: input,
            payer_account_id: self.payer_account_id.clone(),
            attached_usd: self.params.attached_usd.unwrap_or_default(),
            params: self.params.clone(),
            output_submitted: output.is_some(),
            pending_output: output,
        }
    }
}

/// A length on any machine that we build for.
pub(crate) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod samples;
