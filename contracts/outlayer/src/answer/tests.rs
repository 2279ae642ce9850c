//! Answers of every size and kind find their way through a resume.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a sum that overflows fails its test"
)]

use proptest::prelude::*;
use protocol::response::{Compiling, ResourceMetrics};
use serde_json::json;

use super::*;
use crate::pending::samples;

const PLENTY: Room = Room {
    gas_bytes: 1_000_000,
    reserve: NearToken::from_near(100),
    byte_price: NearToken::from_yoctonear(10u128.pow(19)),
};

fn asked_for(full_result: bool) -> Pending {
    let mut pending = samples::pending();
    pending.params.full_result = full_result;
    pending
}

fn success(output: ExecutionOutput) -> ExecutionResponse {
    ExecutionResponse {
        success: true,
        output: Some(output),
        ..Default::default()
    }
}

/// What the callback returns after `resumption`, as the entry point does it.
fn called_back(pending: &Pending, resumption: &Resumption, submitted: Option<&[u8]>) -> Value {
    let json = match (read(&resumption.payload), &resumption.keep) {
        (Payload::Response(response), _) => for_caller(response, pending.params.full_result),
        (Payload::Stored(_), Keep::Answer(stored)) => returned(stored).to_vec(),
        (Payload::Stored(_), Keep::Submitted) => returned(submitted.unwrap()).to_vec(),
        (payload, keep) => panic!("{payload:?} with {keep:?}"),
    };
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn a_caller_gets_base64_a_string_or_the_value() {
    let plain = |output| {
        let resumption = resume(&asked_for(false), success(output), None, &PLENTY);
        called_back(&asked_for(false), &resumption, None)
    };

    assert_eq!(plain(ExecutionOutput::Bytes(vec![255])), json!("/w=="));
    assert_eq!(plain(ExecutionOutput::Text("a".into())), json!("a"));
    assert_eq!(
        plain(ExecutionOutput::Json(json!({"a": 1}))),
        json!({"a": 1})
    );
}

#[test]
fn a_failure_is_null_unless_the_whole_result_was_asked_for() {
    let failure = ExecutionResponse::failure(FailureCode::Trapped, "x".repeat(5_000));
    let answer = |full_result| {
        let pending = asked_for(full_result);
        let resumption = resume(&pending, failure.clone(), None, &PLENTY);
        called_back(&pending, &resumption, None)
    };

    assert_eq!(answer(false), Value::Null);
    assert_eq!(answer(true)["Error"]["error_type"], json!("trapped"));
    assert_eq!(
        answer(true)["Error"]["error_message"],
        json!("x".repeat(5_000))
    );
}

#[test]
fn a_large_output_is_stored_as_the_callback_returns_it() {
    let text = "\u{1}é".repeat(2_000);
    for full_result in [false, true] {
        let pending = asked_for(full_result);
        let response = success(ExecutionOutput::Text(text.clone()));

        let resumption = resume(&pending, response, None, &PLENTY);

        let answer = called_back(&pending, &resumption, None);
        let value = if full_result {
            &answer["Success"]["return_value"]
        } else {
            &answer
        };
        assert_eq!(value, &json!(text));
        assert!(matches!(resumption.keep, Keep::Answer(_)));
    }
}

#[test]
fn a_submitted_output_stands_in_for_a_missing_one() {
    let outputs = [
        ExecutionOutput::Bytes(vec![0, 255]),
        ExecutionOutput::Text("t".into()),
        ExecutionOutput::Json(json!([1])),
    ];
    for output in outputs {
        let submitted = stored_output(&output);
        let response = ExecutionResponse {
            success: true,
            ..Default::default()
        };

        let plain = resume(
            &asked_for(false),
            response.clone(),
            Some(&submitted),
            &PLENTY,
        );
        let whole = resume(&asked_for(true), response, Some(&submitted), &PLENTY);

        assert_eq!(output_of(&submitted).as_ref(), Some(&output));
        assert_eq!(plain.keep, Keep::Submitted);
        assert_eq!(
            called_back(&asked_for(false), &plain, Some(&submitted)),
            output.to_plain()
        );
        assert_eq!(
            called_back(&asked_for(true), &whole, None)["Success"]["return_value"],
            output.to_plain()
        );
    }
}

#[test]
fn an_answer_without_room_becomes_a_failure_that_says_so() {
    let response = ExecutionResponse {
        resources_used: ResourceMetrics {
            instructions: 7,
            ..Default::default()
        },
        ..success(ExecutionOutput::Text("x".repeat(5_000)))
    };
    let replaced = |room: Room| {
        let resumption = resume(&asked_for(false), response.clone(), None, &room);
        let Payload::Response(failure) = read(&resumption.payload) else {
            panic!("stored");
        };
        assert_eq!(failure.resources_used, response.resources_used);
        assert_eq!(failure.failure_code(), resumption.replaced_by);
        resumption.replaced_by
    };

    let little_gas = Room {
        gas_bytes: 4_999,
        ..PLENTY
    };
    let little_reserve = Room {
        reserve: NearToken::from_millinear(50),
        ..PLENTY
    };
    assert_eq!(replaced(little_gas), Some(FailureCode::OutputTooLarge));
    assert_eq!(replaced(little_reserve), Some(FailureCode::PlatformFailure));
}

#[test]
fn what_cannot_be_read_is_our_failure() {
    for payload in [
        "",
        "null",
        "{",
        r#"{"response":{}}"#,
        r#"{"stored":7}"#,
        "\u{ff}",
    ] {
        let Payload::Response(response) = read(payload.as_bytes()) else {
            panic!("{payload}");
        };
        assert_eq!(response.failure_code(), Some(FailureCode::PlatformFailure));
    }
}

#[test]
fn the_longest_shortened_response_fits_a_payload() {
    let long = "\u{1}".repeat(9_999);
    let response = ExecutionResponse {
        error: Some(long.clone()),
        error_type: Some(FailureCode::RepositoryAccessDenied),
        compilation_note: Some(long.clone()),
        refund_usd: Some(u64::MAX),
        resources_used: ResourceMetrics {
            instructions: u64::MAX,
            time_ms: u64::MAX,
            compile_time_ms: Some(u64::MAX),
        },
        compiling: Some(Compiling {
            estimated_seconds: u64::MAX,
            retry_after_blocks: u64::MAX,
            cache_key: long.clone(),
        }),
        logs: Some(long.clone()),
        output: Some(ExecutionOutput::Text(long)),
        success: false,
    };

    let payload = serialize(&Payload::Response(shortened(&response)));

    assert!(payload.len() <= MAX_PAYLOAD_BYTES, "{}", payload.len());
}

proptest! {
    #[test]
    fn a_cut_text_is_a_beginning_that_fits(text in "\\PC{0,40}|[\u{0}-\u{1f}\"\\\\é𝄞]{0,40}", most in 0..60_usize) {
        let cut = cut(&text, most);

        prop_assert!(text.starts_with(cut));
        prop_assert!(serde_json::to_string(cut).unwrap().len() - 2 <= most);
        if cut.len() < text.len() {
            let next: String = text.chars().take(cut.chars().count() + 1).collect();
            prop_assert!(serde_json::to_string(&next).unwrap().len() - 2 > most);
        }
    }

    #[test]
    fn no_payload_is_ever_too_long_and_every_answer_arrives(
        is_success in any::<bool>(),
        full_result in any::<bool>(),
        text in "[a\u{1}\"é]{0,1500}",
        error in proptest::option::of("[a\u{1}\"é]{0,1500}"),
        is_submitted in any::<bool>(),
    ) {
        let output = ExecutionOutput::Text(text.clone());
        let submitted = is_submitted.then(|| stored_output(&output));
        let pending = asked_for(full_result);
        let response = ExecutionResponse {
            success: is_success,
            output: (!is_submitted).then_some(output),
            error,
            ..Default::default()
        };

        let resumption = resume(&pending, response, submitted.as_deref(), &PLENTY);

        prop_assert!(resumption.payload.len() <= MAX_PAYLOAD_BYTES);
        let answer = called_back(&pending, &resumption, submitted.as_deref());
        let expected = match (is_success, full_result) {
            (true, false) => Some(&answer),
            (true, true) => Some(&answer["Success"]["return_value"]),
            (false, _) => None,
        };
        if let Some(value) = expected {
            prop_assert_eq!(value, &json!(text));
        }
    }
}
