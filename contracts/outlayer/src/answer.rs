//! What the calling contract gets to see, and the form in which a large answer waits in state.
//!
//! A resume carries at most [`MAX_PAYLOAD_BYTES`]. What does not fit is stored by the operator's transaction in the very form
//! that the callback returns, so that settling costs the caller only the reading of bytes and no parsing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::response::{ExecutionOutput, ExecutionResponse, ExecutionResult};
use protocol::{FailureCode, NearToken};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::escaped_byte_len;
use crate::pending::{Pending, to_u64};

/// The most that a resume carries.
///
/// Unit: bytes. Source: the protocol's parameter `max_yield_payload_size`; a contract cannot read it, and a lower one there would
/// make every resume of a larger payload fail and be retried with less.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 1_024;

/// What a stored answer takes beside its own bytes: 40 for any record, 9 of key, 4 of length, 1 of form.
///
/// Unit: bytes.
const ANSWER_OVERHEAD_BYTES: u64 = 40 + 9 + 4 + 1;

/// How much of an error and of a remark survive when the payload is short, as JSON.
///
/// Unit: bytes.
const SHORT_TEXT_BYTES: usize = 240;

/// How much of a build's key survives when the payload is short, as JSON.
///
/// Unit: bytes.
const SHORT_KEY_BYTES: usize = 100;

/// What the callback returns when there is nothing to return.
pub(crate) const NULL: &[u8] = b"null";

/// What a resume carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payload {
    /// The whole response.
    Response(ExecutionResponse),
    /// The response without what is long; the answer is stored.
    Stored(ExecutionResponse),
    /// The request was closed before; this is what its caller gets.
    Closed(Value),
}

/// The first byte of a stored answer; the rest is what the callback returns.
mod form {
    /// A plain value that stands for bytes.
    pub(super) const BYTES: u8 = 0;
    /// A plain value that stands for text.
    pub(super) const TEXT: u8 = 1;
    /// A plain value.
    pub(super) const JSON: u8 = 2;
    /// A whole [`protocol::response::ExecutionResult`].
    pub(super) const WHOLE: u8 = 3;
}

/// How a request is to be resumed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resumption {
    /// What the resume carries.
    pub(crate) payload: Vec<u8>,
    /// What must be stored for the callback.
    pub(crate) keep: Keep,
    /// The failure that took the answer's place, if there was no room for it.
    pub(crate) replaced_by: Option<FailureCode>,
}

/// What is stored for the callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing.
    Nothing,
    /// What was submitted before.
    Submitted,
    /// This.
    Answer(Vec<u8>),
}

/// Why an answer cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The request's gas does not pay for reading it.
    Gas {
        /// What it does pay for, in bytes.
        room: u64,
    },
    /// The account's reserve does not stake it.
    Reserve,
}

impl NoRoom {
    /// The failure that takes the answer's place. What the guest used is charged if the caller's gas was short, and nothing if
    /// our reserve was.
    pub(crate) const fn code(self) -> FailureCode {
        match self {
            Self::Gas { .. } => FailureCode::OutputTooLarge,
            Self::Reserve => FailureCode::PlatformFailure,
        }
    }

    fn failure(self, response: &ExecutionResponse) -> ExecutionResponse {
        let message = match self {
            Self::Gas { room } => {
                format!("the request's gas pays for an answer of {room} bytes; attach more gas")
            }
            Self::Reserve => "the contract's reserve cannot hold an answer of this size".to_owned(),
        };
        ExecutionResponse {
            resources_used: response.resources_used,
            ..ExecutionResponse::failure(self.code(), message)
        }
    }
}

/// What there is to store an answer with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Bytes that the callback's gas pays for.
    pub(crate) gas_bytes: u64,
    /// What the reserve can stake.
    pub(crate) reserve: NearToken,
    /// The stake of a byte.
    pub(crate) byte_price: NearToken,
}

impl Room {
    /// Refuses an answer that the callback could not return or the account not stake.
    pub(crate) fn check(&self, answer: &[u8]) -> Result<(), NoRoom> {
        let bytes = to_u64(answer.len());
        if bytes > self.gas_bytes {
            return Err(NoRoom::Gas {
                room: self.gas_bytes,
            });
        }
        let staked = bytes.saturating_add(ANSWER_OVERHEAD_BYTES);
        if self.byte_price.saturating_mul(staked.into()) > self.reserve {
            return Err(NoRoom::Reserve);
        }
        Ok(())
    }
}

/// The stored form of an output that was submitted alone.
pub(crate) fn stored_output(output: &ExecutionOutput) -> Vec<u8> {
    let form = match output {
        ExecutionOutput::Bytes(_) => form::BYTES,
        ExecutionOutput::Text(_) => form::TEXT,
        ExecutionOutput::Json(_) => form::JSON,
    };
    stored(form, &output.to_plain())
}

/// The output in a stored answer, if it is one that was submitted alone.
pub(crate) fn output_of(stored: &[u8]) -> Option<ExecutionOutput> {
    let (form, json) = stored.split_first()?;
    let value: Value = serde_json::from_slice(json).ok()?;
    match (*form, value) {
        (form::BYTES, Value::String(text)) => {
            STANDARD.decode(text).ok().map(ExecutionOutput::Bytes)
        }
        (form::TEXT, Value::String(text)) => Some(ExecutionOutput::Text(text)),
        (form::JSON, value) => Some(ExecutionOutput::Json(value)),
        _ => None,
    }
}

/// What the callback returns of a stored answer.
pub(crate) fn returned(stored: &[u8]) -> &[u8] {
    stored.split_first().map_or(NULL, |(_, json)| json)
}

fn stored<T: Serialize>(form: u8, value: &T) -> Vec<u8> {
    let mut bytes = vec![form];
    if serde_json::to_writer(&mut bytes, value).is_err() {
        bytes.truncate(1);
        bytes.extend(NULL);
    }
    bytes
}

/// What a caller gets of `response`: the plain value or null, or the whole result if it asked for that.
pub(crate) fn for_caller(response: ExecutionResponse, full_result: bool) -> Vec<u8> {
    if full_result {
        return whole(&response.into());
    }
    let output = response.output.filter(|_| response.success);
    let plain = output.map_or(Value::Null, |output| output.to_plain());
    serde_json::to_vec(&plain).unwrap_or_else(|_| NULL.to_vec())
}

/// What a caller gets that asked for the whole result.
pub(crate) fn whole(result: &ExecutionResult) -> Vec<u8> {
    serde_json::to_vec(result).unwrap_or_else(|_| NULL.to_vec())
}

/// What a caller gets whose request was closed before its yield came back.
pub(crate) fn of_closed(payload: Payload) -> Vec<u8> {
    match payload {
        Payload::Closed(value) => serde_json::to_vec(&value).unwrap_or_else(|_| NULL.to_vec()),
        Payload::Response(_) | Payload::Stored(_) => NULL.to_vec(),
    }
}

/// Prepares the resume of `pending` with `response`; an output that was submitted before stands in for a missing one.
pub(crate) fn resume(
    pending: &Pending,
    mut response: ExecutionResponse,
    submitted: Option<&[u8]>,
    room: &Room,
) -> Resumption {
    let full_result = pending.params.full_result;
    if response.success && response.output.is_none() {
        match submitted {
            Some(_) if !full_result => {
                return Resumption::new(&Payload::Stored(shortened(&response)), Keep::Submitted);
            }
            Some(stored) => response.output = output_of(stored),
            None => {}
        }
    }
    let inline = Resumption::new(&Payload::Response(response.clone()), Keep::Nothing);
    if inline.payload.len() <= MAX_PAYLOAD_BYTES {
        return inline;
    }
    let answer = match &response.output {
        _ if full_result => stored(form::WHOLE, &ExecutionResult::from(response.clone())),
        Some(output) if response.success => stored_output(output),
        _ => return Resumption::new(&Payload::Response(shortened(&response)), Keep::Nothing),
    };
    match room.check(&answer) {
        Ok(()) => Resumption::new(&Payload::Stored(shortened(&response)), Keep::Answer(answer)),
        Err(no_room) => Resumption {
            replaced_by: Some(no_room.code()),
            ..Resumption::new(
                &Payload::Response(no_room.failure(&response)),
                Keep::Nothing,
            )
        },
    }
}

impl Resumption {
    fn new(payload: &Payload, keep: Keep) -> Self {
        Self {
            payload: serialize(payload),
            keep,
            replaced_by: None,
        }
    }
}

/// Reads what a resume carried; what cannot be read is our failure.
pub(crate) fn read(payload: &[u8]) -> Payload {
    serde_json::from_slice(payload).unwrap_or_else(|_| Payload::Response(unreadable()))
}

/// The response in place of one that was not waited for.
pub(crate) fn cancelled() -> ExecutionResponse {
    ExecutionResponse::failure(FailureCode::Cancelled, "the request was cancelled")
}

/// The response of nobody.
pub(crate) fn timed_out() -> ExecutionResponse {
    ExecutionResponse::failure(FailureCode::TimedOut, "no worker answered in time")
}

/// The response in place of one that cannot be read.
pub(crate) fn unreadable() -> ExecutionResponse {
    ExecutionResponse::failure(FailureCode::PlatformFailure, "the answer could not be read")
}

/// A payload has no map with keys other than text, so this cannot fail; an empty one settles as our failure.
pub(crate) fn serialize(payload: &Payload) -> Vec<u8> {
    serde_json::to_vec(payload).unwrap_or_default()
}

/// The response without what is long; it fits a payload.
fn shortened(response: &ExecutionResponse) -> ExecutionResponse {
    let short =
        |text: &Option<String>| text.as_deref().map(|t| cut(t, SHORT_TEXT_BYTES).to_owned());
    let mut compiling = response.compiling.clone();
    if let Some(compiling) = &mut compiling {
        compiling.cache_key = cut(&compiling.cache_key, SHORT_KEY_BYTES).to_owned();
    }
    ExecutionResponse {
        output: None,
        logs: None,
        error: short(&response.error),
        compilation_note: short(&response.compilation_note),
        compiling,
        ..response.clone()
    }
}

/// The longest beginning of `text` that takes at most `max_json_bytes` inside a JSON string.
pub(crate) fn cut(text: &str, max_json_bytes: usize) -> &str {
    let mut taken = 0_usize;
    for (at, c) in text.char_indices() {
        let length: usize = c
            .encode_utf8(&mut [0; 4])
            .bytes()
            .map(escaped_byte_len)
            .sum();
        taken = taken.saturating_add(length);
        if taken > max_json_bytes {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests;
