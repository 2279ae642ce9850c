//! Reads the arguments of `request_execution`, in every spelling that is accepted.
//!
//! They are read by hand, and not by the SDK, so that malformed ones get a code that clients can match and a caller that
//! asked for `full_result` gets a value instead of a failed receipt.
//!
//! The live spelling names the code `source`; there `"resource_limits": null` asks to compile only. The original
//! specification names it `code_source`; there null means the default limits, as a missing field does in both.

use protocol::limits::ResourceLimits;
use protocol::request::{RequestParams, ResponseFormat, SecretsReference};
use protocol::source::ExecutionSource;
use protocol::{AccountId, FailureCode};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// The longest repository or URL. With it and the next two every event fits the log limit, however it is escaped.
///
/// Unit: bytes.
const MAX_ADDRESS_BYTES: usize = 512;

/// The longest commit, tag or branch, and the longest name of a project.
///
/// Unit: bytes. Source: git refuses references over 255 bytes on common file systems.
const MAX_NAME_BYTES: usize = 255;

/// The longest name of a profile of secrets.
///
/// Unit: bytes.
const MAX_PROFILE_BYTES: usize = 128;

/// The largest input, as JSON text, so that the view `get_request` can always show it: what a view returns is capped at 4 MiB.
///
/// Unit: bytes.
const MAX_INPUT_JSON_BYTES: usize = 1_048_576;

/// What a caller asks for, in one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) source: ExecutionSource,
    pub(crate) limits: ResourceLimits,
    pub(crate) input: String,
    pub(crate) secrets_ref: Option<SecretsReference>,
    pub(crate) response_format: ResponseFormat,
    pub(crate) payer_account_id: Option<AccountId>,
    pub(crate) params: RequestParams,
}

#[derive(Deserialize)]
struct Spelling<'a> {
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    code_source: Option<&'a RawValue>,
    #[serde(default)]
    resource_limits: Nullable<ResourceLimits>,
    input_data: Option<String>,
    secrets_ref: Option<SecretsReference>,
    response_format: Option<ResponseFormat>,
    payer_account_id: Option<AccountId>,
    params: Option<RequestParams>,
}

/// A field in which null and nothing differ.
#[derive(Default)]
enum Nullable<T> {
    #[default]
    Missing,
    Null,
    Given(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let field = Option::deserialize(deserializer)?;
        Ok(field.map_or(Self::Null, Self::Given))
    }
}

impl Ask {
    /// Reads the arguments.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Refusal> {
        let spelling: Spelling<'_> = serde_json::from_slice(json)
            .map_err(|err| Refusal::new(FailureCode::InvalidArguments, err.to_string()))?;
        let (source, is_live) = match (spelling.source, spelling.code_source) {
            (Some(source), None) => (source, true),
            (None, Some(source)) => (source, false),
            (None, None) => return Err(bad_source("the arguments name no source")),
            (Some(_), Some(_)) => {
                return Err(bad_source("the arguments name both source and code_source"));
            }
        };
        let source: ExecutionSource = serde_json::from_slice(source.get().as_bytes())
            .map_err(|err| bad_source(err.to_string()))?;
        check_source(&source)?;
        let input = spelling.input_data.unwrap_or_default();
        check_input(&input)?;
        if let Some(secrets) = &spelling.secrets_ref {
            check_profile(secrets)?;
        }
        let (limits, null_limits) = match spelling.resource_limits {
            Nullable::Given(limits) => (limits, false),
            Nullable::Null => (ResourceLimits::default(), true),
            Nullable::Missing => (ResourceLimits::default(), false),
        };
        let params = spelling.params.unwrap_or_default();
        Ok(Self {
            source,
            limits,
            input,
            secrets_ref: spelling.secrets_ref,
            response_format: spelling.response_format.unwrap_or_default(),
            payer_account_id: spelling.payer_account_id,
            params: RequestParams {
                compile_only: params.compile_only || (is_live && null_limits),
                project_uuid: None, // only the contract's own look-up of a project sets it
                ..params
            },
        })
    }
}

/// Whether arguments that cannot be read as a whole ask for `full_result` all the same.
pub(crate) fn wants_full_result(json: &[u8]) -> bool {
    serde_json::from_slice::<Value>(json)
        .ok()
        .and_then(|value| value.pointer("/params/full_result")?.as_bool())
        .unwrap_or(false)
}

pub(crate) fn bad_source(sentence: impl Into<String>) -> Refusal {
    Refusal::new(FailureCode::InvalidSource, sentence)
}

/// Refuses a source whose parts are empty, too long or hold odd characters.
pub(crate) fn check_source(source: &ExecutionSource) -> Result<(), Refusal> {
    match source {
        ExecutionSource::GitHub(git_hub) => {
            check_text("repo", &git_hub.repo, MAX_ADDRESS_BYTES)?;
            check_text("commit", &git_hub.commit, MAX_NAME_BYTES)
        }
        ExecutionSource::WasmUrl(wasm_url) => check_text("url", &wasm_url.url, MAX_ADDRESS_BYTES),
        ExecutionSource::Project {
            project_id,
            version_key,
        } => {
            check_text("project_id", project_id, MAX_NAME_BYTES)?;
            let key = version_key.as_deref().unwrap_or("-");
            check_text(
                "version_key",
                key,
                MAX_ADDRESS_BYTES.saturating_add(MAX_NAME_BYTES),
            )
        }
    }
}

/// No part of a source needs escaping in JSON or holds a blank.
fn check_text(field: &str, text: &str, max_bytes: usize) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(bad_source(format!("{field} is empty")));
    }
    if text.len() > max_bytes {
        let length = text.len();
        return Err(bad_source(format!(
            "{field} has {length} bytes, the most is {max_bytes}"
        )));
    }
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\\');
    match text.chars().find(|c| odd(*c)) {
        Some(c) => Err(bad_source(format!("{field} holds the character {c:?}"))),
        None => Ok(()),
    }
}

fn check_input(input: &str) -> Result<(), Refusal> {
    let length = escaped_len(input);
    if length <= MAX_INPUT_JSON_BYTES {
        return Ok(());
    }
    Err(Refusal::new(
        FailureCode::InputTooLarge,
        format!("the input has {length} bytes as JSON, the most is {MAX_INPUT_JSON_BYTES}"),
    ))
}

fn check_profile(secrets: &SecretsReference) -> Result<(), Refusal> {
    let length = secrets.profile.len();
    if length <= MAX_PROFILE_BYTES {
        return Ok(());
    }
    Err(Refusal::new(
        FailureCode::InvalidArguments,
        format!("the profile's name has {length} bytes, the most is {MAX_PROFILE_BYTES}"),
    ))
}

/// How many bytes `text` takes inside a JSON string.
pub(crate) fn escaped_len(text: &str) -> usize {
    text.bytes().map(escaped_byte_len).sum()
}

/// How many bytes one byte of UTF-8 takes inside a JSON string.
pub(crate) const fn escaped_byte_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..=31 => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"{"GitHub":{"repo":"https://github.com/a/b","commit":"main"}}"#;

    fn code_of(json: &str) -> FailureCode {
        Ask::read(json.as_bytes()).unwrap_err().code
    }

    #[test]
    fn both_spellings_name_the_same_code() {
        let live = Ask::read(format!(r#"{{"source":{SOURCE}}}"#).as_bytes()).unwrap();
        let specified = Ask::read(format!(r#"{{"code_source":{SOURCE}}}"#).as_bytes()).unwrap();

        assert_eq!(live, specified);
        assert_eq!(live.limits, ResourceLimits::default());
        assert!(!live.params.compile_only);
    }

    #[test]
    fn null_limits_mean_compile_only_in_the_live_spelling_alone() {
        let ask = |name: &str| {
            let json = format!(r#"{{"{name}":{SOURCE},"resource_limits":null}}"#);
            Ask::read(json.as_bytes()).unwrap()
        };

        assert!(ask("source").params.compile_only);
        assert!(!ask("code_source").params.compile_only);
    }

    #[test]
    fn a_project_uuid_from_a_caller_is_ignored() {
        let json = format!(r#"{{"source":{SOURCE},"params":{{"project_uuid":"p1"}}}}"#);

        let ask = Ask::read(json.as_bytes()).unwrap();

        assert_eq!(ask.params.project_uuid, None);
    }

    #[test]
    fn bad_arguments_each_have_a_code() {
        let with = |rest: &str| code_of(&format!(r#"{{"source":{SOURCE},{rest}}}"#));
        let git = |repo: &str| {
            let repo = serde_json::to_string(repo).unwrap();
            code_of(&format!(r#"{{"source":{{"repo":{repo},"commit":"c"}}}}"#))
        };

        assert_eq!(code_of("{"), FailureCode::InvalidArguments);
        assert_eq!(code_of("[]"), FailureCode::InvalidArguments);
        assert_eq!(code_of("{}"), FailureCode::InvalidSource);
        assert_eq!(code_of(r#"{"source":{}}"#), FailureCode::InvalidSource);
        assert_eq!(with(r#""code_source":{}"#), FailureCode::InvalidSource);
        assert_eq!(with(r#""input_data":7"#), FailureCode::InvalidArguments);
        assert_eq!(
            with(r#""payer_account_id":"UP"#),
            FailureCode::InvalidArguments
        );
        assert_eq!(
            with(r#""payer_account_id":"UPPER CASE""#),
            FailureCode::InvalidArguments
        );
        assert_eq!(
            with(r#""resource_limits":{"max_instructions":-1}"#),
            FailureCode::InvalidArguments
        );
        assert_eq!(git(""), FailureCode::InvalidSource);
        assert_eq!(git("a b"), FailureCode::InvalidSource);
        assert_eq!(git("\u{0}"), FailureCode::InvalidSource);
        assert_eq!(git(&"a".repeat(513)), FailureCode::InvalidSource);
    }

    #[test]
    fn an_input_is_measured_as_json() {
        let ask = |input: String| {
            let input = serde_json::to_string(&input).unwrap();
            Ask::read(format!(r#"{{"source":{SOURCE},"input_data":{input}}}"#).as_bytes())
        };

        assert!(ask("a".repeat(1_048_576)).is_ok());
        assert_eq!(
            ask("\u{1}".repeat(174_763)).unwrap_err().code,
            FailureCode::InputTooLarge
        );
    }

    #[test]
    fn the_wish_for_a_full_result_is_made_out_from_bad_arguments() {
        let asks = |json: &str| wants_full_result(json.as_bytes());

        assert!(asks(r#"{"source":7,"params":{"full_result":true}}"#));
        assert!(!asks(r#"{"source":7,"params":{"full_result":"yes"}}"#));
        assert!(!asks(r#"{"params":{"full_result":true}"#));
    }
}
