//! The contract `outlayer`, typed: what a worker reads and resolves, and what a client asks for.

pub mod secrets;

use near_primitives::hash::CryptoHash;
use near_primitives::types::Gas;
use protocol::limits::Caps;
use protocol::pricing::Pricing;
use protocol::request::{ExecutionRequest, RequestArgs};
use protocol::response::{Compiling, ExecutionOutput, ExecutionResponse, ResourceMetrics};
use protocol::{AccountId, FailureCode, NearToken, RequestId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::near::outcome::ValueError;
use crate::near::{self, At, Call, ChainLimits, Node, Outcome, SendError, Sender};

/// What is left of a resume's payload for what the contract puts around the response. Unit: bytes.
const PAYLOAD_MARGIN: u64 = 128;

/// Gas for a resolve of a small answer; the callback's gas is set aside by the request.
const RESOLVE: Gas = Gas::from_teragas(60);

/// Gas for each byte of a resolve's arguments: to read it, parse it and store it. Source: `storage_write_value_byte` 31 Mgas,
/// `read_register_byte` and `write_register_byte` 4 Mgas, and about 100 instructions of 0.8 Mgas to parse it.
const RESOLVE_BYTE: Gas = Gas::from_gas(170_000_000);

/// The most gas that a call may carry on every network. Source: `max_total_prepaid_gas` before protocol 83.
const MOST: Gas = Gas::from_teragas(300);

/// Why a call of the contract came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A view failed.
    #[error(transparent)]
    Node(#[from] near::Error),
    /// A transaction did not land, or it is not known.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A transaction landed and failed, or did not return what it promises.
    #[error("transaction {transaction_hash} came to nothing")]
    Failed {
        /// Its hash.
        transaction_hash: CryptoHash,
        /// Why.
        #[source]
        reason: ValueError,
    },
    /// The arguments could not be written.
    #[error("the arguments cannot be written")]
    Arguments(#[from] serde_json::Error),
}

/// The contract, as anyone sees it.
#[derive(Clone, Debug)]
pub struct Contract {
    node: Node,
    contract_id: AccountId,
}

/// What the contract said to a resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The transaction.
    pub transaction_hash: CryptoHash,
    /// What came of it.
    pub verdict: Verdict,
    /// The failure that took the place of an accepted answer: one that no room is left for, or that is not what it says.
    pub replaced_by: Option<FailureCode>,
    /// Gas burnt by all of it.
    pub gas_burnt: Gas,
}

/// What came of a resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer counts.
    Accepted,
    /// It does not, and will not: usually somebody else had answered, or the yield had run out.
    Declined(FailureCode),
}

/// What `resolve_execution` returns.
#[derive(Debug, Deserialize)]
struct ResolveAnswer {
    resolved: bool,
    #[serde(default)]
    code: Option<FailureCode>,
}

/// The arguments of `submit_execution_output_and_resolve`: an [`ExecutionResponse`] with its fields spread out.
#[derive(Debug, Serialize)]
struct SubmitArgs<'a> {
    request_id: RequestId,
    output: &'a ExecutionOutput,
    success: bool,
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<FailureCode>,
    resources_used: ResourceMetrics,
    compilation_note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_usd: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiling: Option<&'a Compiling>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<&'a str>,
}

impl Contract {
    /// The contract at `contract_id`.
    pub const fn new(node: Node, contract_id: AccountId) -> Self {
        Self { node, contract_id }
    }

    /// Where the contract is.
    pub const fn contract_id(&self) -> &AccountId {
        &self.contract_id
    }

    /// The node that is asked.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// A pending request as of the newest final block; none if there is none or it has ended.
    pub async fn get_request(
        &self,
        id: RequestId,
    ) -> Result<Option<ExecutionRequest>, near::Error> {
        self.get_request_at(At::Final, id).await
    }

    /// A pending request as of a block.
    pub async fn get_request_at(
        &self,
        at: At,
        id: RequestId,
    ) -> Result<Option<ExecutionRequest>, near::Error> {
        let args = json!({"request_id": id});
        let seen = self
            .node
            .view_at(at, &self.contract_id, "get_request", &args)
            .await?;
        Ok(seen.value)
    }

    /// What an execution costs.
    pub async fn get_pricing(&self) -> Result<Pricing, near::Error> {
        self.view("get_pricing").await
    }

    /// The most that a request may ask for.
    pub async fn get_max_limits(&self) -> Result<Caps, near::Error> {
        self.view("get_max_limits").await
    }

    /// Whether the contract takes no requests at present.
    pub async fn is_paused(&self) -> Result<bool, near::Error> {
        self.view("is_paused").await
    }

    async fn view<T: serde::de::DeserializeOwned>(&self, method: &str) -> Result<T, near::Error> {
        self.node.view(&self.contract_id, method, &json!({})).await
    }

    /// Asks for an execution, straight from an account, and waits until it has ended.
    pub async fn request_execution(
        &self,
        sender: &Sender,
        args: &RequestArgs,
        deposit: NearToken,
    ) -> Result<Outcome, Error> {
        let call = Call::new(&self.contract_id, "request_execution", args)?
            .with_gas(MOST)
            .with_deposit(deposit);
        Ok(sender.call(call).await?)
    }

    /// Answers a request, by a resume alone if the response fits into its payload, or by storing the output as well.
    pub async fn resolve(
        &self,
        sender: &Sender,
        limits: &ChainLimits,
        id: RequestId,
        response: &ExecutionResponse,
    ) -> Result<Resolved, Error> {
        match &response.output {
            Some(output) if !fits(response, limits)? => {
                self.submit_execution_output_and_resolve(sender, id, output, response)
                    .await
            }
            _ => self.resolve_execution(sender, id, response).await,
        }
    }

    /// Answers a request by a resume alone.
    pub async fn resolve_execution(
        &self,
        sender: &Sender,
        id: RequestId,
        response: &ExecutionResponse,
    ) -> Result<Resolved, Error> {
        let args = json!({"request_id": id, "response": response});
        self.answer(sender, "resolve_execution", &args).await
    }

    /// Stores a large output and answers the request in one transaction. The response's own output is left out.
    pub async fn submit_execution_output_and_resolve(
        &self,
        sender: &Sender,
        id: RequestId,
        output: &ExecutionOutput,
        response: &ExecutionResponse,
    ) -> Result<Resolved, Error> {
        let args = SubmitArgs {
            request_id: id,
            output,
            success: response.success,
            error: response.error.as_deref(),
            error_type: response.error_type,
            resources_used: response.resources_used,
            compilation_note: response.compilation_note.as_deref(),
            refund_usd: response.refund_usd,
            compiling: response.compiling.as_ref(),
            logs: response.logs.as_deref(),
        };
        self.answer(sender, "submit_execution_output_and_resolve", &args)
            .await
    }

    async fn answer<A: Serialize>(
        &self,
        sender: &Sender,
        method: &str,
        args: &A,
    ) -> Result<Resolved, Error> {
        let call = Call::new(&self.contract_id, method, args)?;
        let gas = resolve_gas(call.args.len());
        let outcome = sender.call(call.with_gas(gas)).await?;
        let transaction_hash = outcome.transaction_hash;
        let answer: ResolveAnswer = outcome.value().map_err(|reason| Error::Failed {
            transaction_hash,
            reason,
        })?;
        let verdict = if answer.resolved {
            Verdict::Accepted
        } else {
            Verdict::Declined(answer.code.unwrap_or(FailureCode::Unknown))
        };
        Ok(Resolved {
            transaction_hash,
            verdict,
            replaced_by: answer.code.filter(|_| answer.resolved),
            gas_burnt: outcome.gas_burnt(),
        })
    }
}

/// Whether a response fits into a resume's payload. The contract stores what does not, so a wrong guess costs gas, not the
/// answer.
fn fits(response: &ExecutionResponse, limits: &ChainLimits) -> Result<bool, serde_json::Error> {
    let json = serde_json::to_vec(response)?;
    let length = u64::try_from(json.len()).unwrap_or(u64::MAX);
    Ok(length.saturating_add(PAYLOAD_MARGIN) <= limits.yield_payload_bytes)
}

/// Gas for a resolve with so many bytes of arguments.
fn resolve_gas(args: usize) -> Gas {
    let bytes = u64::try_from(args).unwrap_or(u64::MAX);
    RESOLVE
        .saturating_add(RESOLVE_BYTE.saturating_mul(bytes))
        .min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_fits_while_it_and_its_margin_are_within_the_payload() {
        let response = |length| ExecutionResponse {
            success: true,
            output: Some(ExecutionOutput::Text("x".repeat(length))),
            ..Default::default()
        };

        assert!(fits(&response(500), &ChainLimits::DEFAULT).unwrap());
        assert!(!fits(&response(1_024), &ChainLimits::DEFAULT).unwrap());
    }
}
