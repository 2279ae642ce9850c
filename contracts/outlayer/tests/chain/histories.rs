//! Random histories on the real VM: after every step the balance is what is owed and the account's own, to the yocto.

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::town::{ALICE, BOB, CLIENT, DEPOSIT, OWNER, Town, WORKER, ask, call, success};

#[derive(Clone, Debug)]
enum Step {
    Ask {
        input: usize,
        deposit: u128,
        full_result: bool,
        payer: usize,
    },
    AskByContract,
    Resolve {
        which: usize,
        response: Response,
    },
    Submit {
        which: usize,
        length: usize,
    },
    Cancel {
        which: usize,
    },
    TimeOut,
    Claim {
        who: usize,
    },
    Withdraw {
        receiver: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum Response {
    Success { length: usize, time_ms: u64 },
    Guest,
    Ours,
    Kept,
}

/// Accounts that can be paid, and one that cannot.
const RECEIVERS: [&str; 4] = [ALICE, BOB, CLIENT, "nobody.test"];

fn response() -> impl Strategy<Value = Response> {
    prop_oneof![
        (0..6_000_usize, 0..2_000_000_u64)
            .prop_map(|(length, time_ms)| Response::Success { length, time_ms }),
        Just(Response::Guest),
        Just(Response::Ours),
        Just(Response::Kept),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8_000_usize, 0..3 * DEPOSIT, any::<bool>(), 0..4_usize).prop_map(
            |(input, deposit, full_result, payer)| Step::Ask { input, deposit, full_result, payer }
        ),
        1 => Just(Step::AskByContract),
        4 => (any::<usize>(), response()).prop_map(|(which, response)| Step::Resolve { which, response }),
        1 => (any::<usize>(), 0..6_000_usize).prop_map(|(which, length)| Step::Submit { which, length }),
        1 => any::<usize>().prop_map(|which| Step::Cancel { which }),
        1 => Just(Step::TimeOut),
        1 => (0..4_usize).prop_map(|who| Step::Claim { who }),
        1 => (0..4_usize).prop_map(|receiver| Step::Withdraw { receiver }),
    ]
}

fn take(town: &mut Town, step: &Step, asked: &mut u64) {
    let id = |which: usize, asked: u64| u64::try_from(which).unwrap() % asked.max(1) + 1;
    match *step {
        Step::Ask {
            input,
            deposit,
            full_result,
            payer,
        } => {
            let arguments = ask(json!({
                "input_data": "i".repeat(input),
                "payer_account_id": RECEIVERS[payer],
                "params": {"full_result": full_result},
            }));
            let sent = town.ask_raw(&serde_json::to_vec(&arguments).unwrap(), deposit);
            *asked += u64::from(sent.is_pending());
        }
        Step::AskByContract => {
            let sent = town.send(
                ALICE,
                CLIENT,
                vec![call("ask", &ask(json!({})), DEPOSIT, 250)],
            );
            *asked += u64::from(sent.is_pending());
        }
        Step::Resolve { which, response } => {
            let arguments = json!({"request_id": id(which, *asked), "response": response.json()});
            town.call(WORKER, "resolve_execution", arguments).value();
        }
        Step::Submit { which, length } => {
            let output = json!({"Text": "o".repeat(length)});
            let arguments = json!({"request_id": id(which, *asked), "output": output});
            town.call(WORKER, "submit_execution_output", arguments)
                .value();
        }
        Step::Cancel { which } => {
            let arguments = json!({"request_id": id(which, *asked)});
            town.call(OWNER, "emergency_cancel_execution", arguments);
        }
        Step::TimeOut => town.time_out(),
        Step::Claim { who } => {
            town.call(ALICE, "claim", json!({"account_id": RECEIVERS[who]}));
        }
        Step::Withdraw { receiver } => {
            town.call(
                OWNER,
                "withdraw_fees",
                json!({"receiver_id": RECEIVERS[receiver]}),
            );
        }
    }
}

impl Response {
    fn json(self) -> Value {
        let failure = |code| {
            json!({
                "success": false,
                "error": "e".repeat(2_000),
                "error_type": code,
                "resources_used": {"instructions": 5_000_000, "time_ms": 3},
            })
        };
        match self {
            Self::Success { length, time_ms } => {
                let mut response = success(json!({"Text": "o".repeat(length)}));
                response["resources_used"]["time_ms"] = time_ms.into();
                response
            }
            Self::Kept => success(Value::Null),
            Self::Guest => failure("trapped"),
            Self::Ours => failure("platform_failure"),
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 16, max_shrink_iters: 60, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_balance_is_what_is_owed_and_the_accounts_own_after_every_step(
        steps in proptest::collection::vec(step(), 5..40),
    ) {
        let mut town = Town::new();
        let mut asked = 0;

        for step in &steps {
            take(&mut town, step, &mut asked);
            town.check_money();
        }

        town.time_out();
        town.check_money();
        prop_assert_eq!(town.owed()[0], 0);
        prop_assert_eq!(town.view("get_pending_request_ids", json!({})), json!([]));
    }
}
