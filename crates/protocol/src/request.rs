//! What a contract asks for, and how the contract shows it while it is pending.

use borsh::{BorshDeserialize, BorshSerialize};
use near_account_id::AccountId;
use near_token::NearToken;
use serde::{Deserialize, Serialize};

use crate::id::RequestId;
use crate::limits::{Limits, ResourceLimits};
use crate::source::{CodeSource, ExecutionSource};

/// The arguments of `request_execution`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestArgs {
    /// The code to run; `code_source` is the other spelling.
    #[serde(alias = "code_source")]
    pub source: ExecutionSource,
    /// What the execution may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_limits: Option<ResourceLimits>,
    /// What the guest reads on stdin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_data: Option<String>,
    /// The profile of secrets that the guest gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_ref: Option<SecretsReference>,
    /// How stdout becomes the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    /// Who gets the unused part of the deposit; the caller if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_account_id: Option<AccountId>,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<RequestParams>,
}

/// How a guest's stdout becomes the answer.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
pub enum ResponseFormat {
    /// As they are; the caller gets them in base64.
    Bytes,
    /// UTF-8.
    #[default]
    Text,
    /// A JSON value.
    Json,
}

/// A profile of secrets, by name and owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct SecretsReference {
    /// The profile's name.
    pub profile: String,
    /// Its owner.
    pub account_id: AccountId,
}

/// The options of a request, all of them off or absent by default.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape is given: interface page, 2"
)]
pub struct RequestParams {
    /// Build even if the artifact is there.
    pub force_rebuild: bool,
    /// Keep the artifact on `FastFS` too.
    pub store_on_fastfs: bool,
    /// Build and do not run.
    pub compile_only: bool,
    /// Ignored when a caller gives it; the contract sets it for a project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_uuid: Option<String>,
    /// Stablecoin for the project's author, in 1e-6 USD, as a decimal string.
    #[serde(skip_serializing_if = "Option::is_none", with = "usd")]
    pub attached_usd: Option<u128>,
    /// Run under the identity that the project binds.
    pub use_bound_identity: bool,
    /// Give the caller the whole [`crate::response::ExecutionResult`] instead of the plain value.
    pub full_result: bool,
}

/// A pending request, as the view `get_request` shows it: what a worker believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct ExecutionRequest {
    /// The request's number.
    pub request_id: RequestId,
    /// What resumes the yield.
    pub data_id: [u8; 32],
    /// The calling contract.
    pub sender_id: AccountId,
    /// Who signed the transaction.
    pub signer_id: AccountId,
    /// What was asked for.
    pub execution_source: ExecutionSource,
    /// The code it stands for.
    pub resolved_source: CodeSource,
    /// What the execution may use.
    pub resource_limits: Limits,
    /// The escrowed deposit.
    pub payment: NearToken,
    /// Nanoseconds since the Unix epoch.
    pub timestamp: u64,
    /// The profile of secrets that the guest gets.
    pub secrets_ref: Option<SecretsReference>,
    /// How stdout becomes the answer.
    pub response_format: ResponseFormat,
    /// What the guest reads on stdin.
    pub input_data: Option<String>,
    /// Who gets the unused part of the deposit, if not the caller.
    pub payer_account_id: Option<AccountId>,
    /// Stablecoin for the project's author, in 1e-6 USD.
    #[serde(with = "usd::plain")]
    pub attached_usd: u128,
    /// Everything else that was asked for.
    #[serde(default)]
    pub params: RequestParams,
    /// A stored large output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_output: Option<crate::response::ExecutionOutput>,
    /// Whether a large output is stored.
    #[serde(default)]
    pub output_submitted: bool,
}

/// Stablecoin amounts as decimal strings.
mod usd {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        amount: &Option<u128>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match amount {
            Some(amount) => serializer.collect_str(amount),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u128>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }

    pub(super) mod plain {
        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        pub(in super::super) fn serialize<S: Serializer>(
            amount: &u128,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_str(amount)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<u128, D::Error> {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        }
    }
}
