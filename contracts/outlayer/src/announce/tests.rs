//! Every line is an event that others can read, and short enough.

use proptest::prelude::*;

use super::*;
use crate::answer;
use crate::ledger::Split;
use crate::pending::samples;
use crate::settlement;
use protocol::FailureCode;
use protocol::response::ExecutionResponse;

fn settings() -> Settings {
    Settings::new("owner.test".parse().unwrap(), None, None, None).unwrap()
}

fn notice_of(line: &str) -> RequestNotice {
    match Envelope::from_log(line).unwrap().event {
        Event::ExecutionRequested([event]) => event.notice().unwrap(),
        Event::ExecutionCompleted(_) => panic!("{line}"),
    }
}

proptest! {
    #[test]
    fn a_request_is_announced_with_its_input_or_without_but_never_too_long(
        input in "[a\u{0}\"\\\\é]{0,9000}",
    ) {
        let line = requested(&settings(), &samples::longest(), &input);

        let notice = notice_of(&line);
        prop_assert!(line.len() <= MAX_LINE_BYTES);
        prop_assert_eq!(notice.input_data_in_state, notice.input_data != input);
        prop_assert!(notice.input_data == input || notice.input_data.is_empty());
    }
}

#[test]
fn input_stays_in_state_only_when_it_does_not_fit() {
    let announced = |length| {
        let line = requested(&settings(), &samples::pending(), &"a".repeat(length));
        notice_of(&line).input_data.len()
    };

    assert_eq!(announced(0), 0);
    assert_eq!(announced(14_000), 14_000);
    assert_eq!(announced(15_360), 0);
}

#[test]
fn ten_cancelled_requests_fit_one_receipt_and_so_does_the_longest_failure() {
    let cancelled = answer::cancelled();
    let longest = ExecutionResponse {
        compilation_note: Some("\u{1}".repeat(9_999)),
        ..ExecutionResponse::failure(FailureCode::BadOutput, "\u{1}".repeat(9_999))
    };
    let split = Split {
        charged: NearToken::from_yoctonear(u128::MAX),
        refunded: NearToken::from_yoctonear(u128::MAX),
    };

    let line = |response| {
        let event = settlement::completed(&samples::longest(), response, split, u64::MAX);
        completed(&settings(), event)
    };

    assert!(line(&cancelled).len() * 10 <= MAX_LINE_BYTES);
    assert!(line(&longest).len() <= MAX_LINE_BYTES);
    assert!(Envelope::from_log(&line(&longest)).is_some());
}

#[test]
fn a_change_is_framed_as_nep_297_asks() {
    let account_id: AccountId = "alice.test".parse().unwrap();
    let paid = Paid {
        account_id: &account_id,
        amount: NearToken::from_yoctonear(5),
    };

    let line = changed(&settings(), &Change::RefundUnclaimed([paid]));

    assert_eq!(
        line,
        r#"EVENT_JSON:{"standard":"near-outlayer","version":"1.0.0","event":"refund_unclaimed","data":[{"account_id":"alice.test","amount":"5"}]}"#
    );
}
