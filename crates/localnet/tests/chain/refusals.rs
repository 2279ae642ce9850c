//! What is refused when it is handed in, and in which words.

use crate::world::{
    ALICE, BOB, CONTRACT, World, add_key, call, call_with, create, deploy, id, near, transfer,
};
use localnet::signer;
use near_primitives::account::{AccessKey, AccessKeyPermission, FunctionCallPermission};
use near_primitives::action::{
    Action, DeleteAccountAction, DeterministicStateInitAction, GlobalContractIdentifier,
    StakeAction,
};
use near_primitives::deterministic_account_id::{
    DeterministicAccountStateInit, DeterministicAccountStateInitV1,
};
use near_primitives::errors::{
    ActionErrorKind, ActionsValidationError as Rule, InvalidAccessKeyError, InvalidTxError,
    ReceiptValidationError,
};
use near_primitives::hash::CryptoHash;
use near_primitives::types::{Balance, Gas};

fn key_for(receiver: &str, methods: &[&str], allowance: Option<Balance>) -> AccessKey {
    AccessKey {
        nonce: 0,
        permission: AccessKeyPermission::FunctionCall(FunctionCallPermission {
            allowance,
            receiver_id: receiver.to_owned(),
            method_names: methods.iter().map(|m| (*m).to_owned()).collect(),
        }),
    }
}

#[test]
fn more_than_100_actions_are_refused() {
    let rule = World::new().broken_rule(BOB, vec![transfer(Balance::ZERO); 101]);

    assert_eq!(
        rule,
        Rule::TotalNumberOfActionsExceeded {
            total_number_of_actions: 101,
            limit: 100
        }
    );
}

#[test]
fn more_gas_than_a_receipt_may_have_is_refused() {
    let half = call_with("noop", b"", Gas::from_teragas(600), Balance::ZERO);

    let rule = World::new().broken_rule(CONTRACT, vec![half.clone(), half]);

    let limit = Gas::from_teragas(1000);
    assert_eq!(
        rule,
        Rule::TotalPrepaidGasExceeded {
            total_prepaid_gas: Gas::from_teragas(1200),
            limit
        }
    );
}

#[test]
fn a_sum_of_gas_that_overflows_is_refused() {
    let most = call_with("noop", b"", Gas::from_gas(u64::MAX), Balance::ZERO);

    let rule = World::new().broken_rule(CONTRACT, vec![most.clone(), most]);

    assert_eq!(rule, Rule::IntegerOverflow);
}

#[test]
fn a_sum_of_deposits_that_overflows_is_refused() {
    let most = transfer(Balance::from_yoctonear(u128::MAX));

    let error = World::new().refusal(ALICE, BOB, vec![most.clone(), most]);

    assert_eq!(error, InvalidTxError::CostOverflow);
}

#[test]
fn calls_without_gas_or_with_bad_names_are_refused() {
    let mut world = World::new();

    let no_gas = world.broken_rule(
        CONTRACT,
        vec![call_with("noop", b"", Gas::ZERO, Balance::ZERO)],
    );
    let long = world.broken_rule(CONTRACT, vec![call(&"m".repeat(257), b"")]);
    let empty = world.broken_rule(CONTRACT, vec![call("", b"")]);

    assert_eq!(no_gas, Rule::FunctionCallZeroAttachedGas);
    assert_eq!(
        long,
        Rule::FunctionCallMethodNameLengthExceeded {
            length: 257,
            limit: 256
        }
    );
    assert_eq!(empty, Rule::FunctionCallEmptyMethodName);
}

#[test]
fn keys_with_too_long_names_or_a_bad_receiver_are_refused() {
    let mut world = World::new();
    let long = "m".repeat(257);
    let full = "m".repeat(250);

    let one = world.broken_rule(ALICE, vec![add_key(BOB, key_for(CONTRACT, &[&long], None))]);
    let all = world.broken_rule(
        ALICE,
        vec![add_key(BOB, key_for(CONTRACT, &[full.as_str(); 8], None))],
    );
    let bad = world.broken_rule(
        ALICE,
        vec![add_key(BOB, key_for("no such name!", &[], None))],
    );

    assert_eq!(
        one,
        Rule::AddKeyMethodNameLengthExceeded {
            length: 257,
            limit: 256
        }
    );
    assert_eq!(
        all,
        Rule::AddKeyMethodNamesNumberOfBytesExceeded {
            total_number_of_bytes: 2008,
            limit: 2000
        }
    );
    assert_eq!(
        bad,
        Rule::InvalidAccountId {
            account_id: "no such name!".to_owned()
        }
    );
}

#[test]
fn deleting_an_account_must_come_last() {
    let delete = Action::DeleteAccount(DeleteAccountAction {
        beneficiary_id: id(BOB),
    });

    let rule = World::new().broken_rule(ALICE, vec![delete, transfer(near(1))]);

    assert_eq!(rule, Rule::DeleteActionMustBeFinal);
}

#[test]
fn a_state_init_goes_only_to_the_account_it_names() {
    let code = GlobalContractIdentifier::CodeHash(CryptoHash::default());
    let v1 = DeterministicAccountStateInitV1 {
        code,
        data: std::collections::BTreeMap::default(),
    };
    let state_init = DeterministicAccountStateInit::V1(v1);
    let init = DeterministicStateInitAction {
        state_init,
        deposit: Balance::ZERO,
    };

    let rule = World::new().broken_rule(BOB, vec![Action::DeterministicStateInit(Box::new(init))]);

    assert!(
        matches!(rule, Rule::InvalidDeterministicStateInitReceiver { receiver_id, .. } if receiver_id == id(BOB))
    );
}

#[test]
fn a_contract_that_sends_101_actions_fails() {
    let error = World::new().failure(ALICE, CONTRACT, vec![call("crowd", b"")]);

    let rule = Rule::TotalNumberOfActionsExceeded {
        total_number_of_actions: 101,
        limit: 100,
    };
    assert_eq!(
        error,
        ActionErrorKind::NewReceiptValidationError(ReceiptValidationError::ActionsValidation(rule))
    );
}

#[test]
fn a_transaction_naming_a_block_more_than_100_blocks_old_is_expired() {
    let mut world = World::new();
    let old = world.chain.head().hash;
    world.chain.fast_forward(100);
    let good = world.sign_with(ALICE, ALICE, BOB, vec![transfer(near(1))], old);
    world.chain.submit(good).unwrap();
    world.chain.settle();

    let late = world.sign_with(ALICE, ALICE, BOB, vec![transfer(near(1))], old);
    let unknown = world.sign_with(
        ALICE,
        ALICE,
        BOB,
        vec![transfer(near(1))],
        CryptoHash::default(),
    );

    assert_eq!(world.chain.submit(late), Err(InvalidTxError::Expired));
    assert_eq!(world.chain.submit(unknown), Err(InvalidTxError::Expired));
}

#[test]
fn a_transaction_over_the_size_limit_is_refused() {
    let error = World::new().refusal(ALICE, ALICE, vec![deploy(&vec![0; 1_572_864])]);

    assert!(
        matches!(
            error,
            InvalidTxError::TransactionSizeExceeded {
                limit: 1_572_864,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_bad_signature_nonce_signer_or_key_is_refused() {
    let mut world = World::new();
    let head = world.chain.head().hash;
    let mut forged = world.sign(ALICE, BOB, vec![transfer(near(1))]);
    forged.signature = signer(&id(BOB)).sign(b"something else");
    let used = world.sign(ALICE, BOB, vec![transfer(near(1))]);
    let later = world.sign(ALICE, BOB, vec![transfer(near(1))]);
    world.chain.submit(later).unwrap();
    world.chain.settle();

    let stranger = world.sign_with("nobody.test", ALICE, BOB, vec![transfer(near(1))], head);
    let other_key = world.sign_with(ALICE, BOB, BOB, vec![transfer(near(1))], head);

    assert_eq!(
        world.chain.submit(forged),
        Err(InvalidTxError::InvalidSignature)
    );
    assert!(matches!(
        world.chain.submit(used),
        Err(InvalidTxError::InvalidNonce { .. })
    ));
    assert_eq!(
        world.chain.submit(stranger),
        Err(InvalidTxError::SignerDoesNotExist {
            signer_id: id("nobody.test")
        })
    );
    assert!(matches!(
        world.chain.submit(other_key),
        Err(InvalidTxError::InvalidAccessKeyError(
            InvalidAccessKeyError::AccessKeyNotFound { .. }
        ))
    ));
}

#[test]
fn a_function_call_key_signs_only_what_it_is_for() {
    let mut world = World::new();
    world.run(
        ALICE,
        ALICE,
        vec![add_key(BOB, key_for(CONTRACT, &["noop"], Some(near(1))))],
    );
    let head = world.chain.head().hash;
    let mut refused = |to: &str, actions: Vec<Action>| {
        let tx = world.sign_with(ALICE, BOB, to, actions, head);
        match world.chain.submit(tx) {
            Err(InvalidTxError::InvalidAccessKeyError(error)) => error,
            other => panic!("{other:?}"),
        }
    };

    let gas = Gas::from_teragas(30);
    assert_eq!(
        refused(CONTRACT, vec![transfer(near(1))]),
        InvalidAccessKeyError::RequiresFullAccess
    );
    assert_eq!(
        refused(
            CONTRACT,
            vec![call_with("noop", b"", gas, Balance::from_yoctonear(1))]
        ),
        InvalidAccessKeyError::DepositWithFunctionCall
    );
    assert!(matches!(
        refused(BOB, vec![call("noop", b"")]),
        InvalidAccessKeyError::ReceiverMismatch { .. }
    ));
    assert!(matches!(
        refused(CONTRACT, vec![call("bump", b"")]),
        InvalidAccessKeyError::MethodNameMismatch { .. }
    ));
    assert!(matches!(
        refused(
            CONTRACT,
            vec![call_with(
                "noop",
                b"",
                Gas::from_teragas(1000),
                Balance::ZERO
            )]
        ),
        InvalidAccessKeyError::NotEnoughAllowance { .. }
    ));
}

#[test]
fn an_allowance_pays_only_for_the_gas_that_is_burnt() {
    let mut world = World::new();
    world.run(
        ALICE,
        ALICE,
        vec![add_key(BOB, key_for(CONTRACT, &[], Some(near(1))))],
    );
    let head = world.chain.head().hash;
    let tx = world.sign_with(ALICE, BOB, CONTRACT, vec![call("noop", b"")], head);
    let hash = world.chain.submit(tx).unwrap();
    world.chain.settle();

    let outcome = world.outcome(&hash).final_outcome;
    let burnt = outcome
        .receipts_outcome
        .iter()
        .map(|r| r.outcome.tokens_burnt);
    let burnt = burnt.fold(
        outcome.transaction_outcome.outcome.tokens_burnt,
        Balance::saturating_add,
    );
    let key = world
        .chain
        .state()
        .access_key(&id(ALICE), &signer(&id(BOB)).public_key())
        .unwrap();

    let left = key
        .permission
        .function_call_permission()
        .unwrap()
        .allowance
        .unwrap();
    assert_eq!(near(1).saturating_sub(left), burnt);
}

#[test]
fn staking_is_refused_as_a_node_refuses_it() {
    let mut world = World::new();
    let public_key = signer(&id(ALICE)).public_key();
    let stake = |amount| {
        let public_key = public_key.clone();
        vec![Action::Stake(Box::new(StakeAction {
            stake: amount,
            public_key,
        }))]
    };

    let nothing = world.failure(ALICE, ALICE, stake(Balance::ZERO));
    let little = world.failure(ALICE, ALICE, stake(near(1)));
    let much = world.failure(ALICE, ALICE, stake(near(1_000_000)));
    let others = world.failure(ALICE, BOB, stake(near(1)));

    assert_eq!(
        nothing,
        ActionErrorKind::TriesToUnstake {
            account_id: id(ALICE)
        }
    );
    assert!(matches!(little, ActionErrorKind::InsufficientStake { .. }));
    assert!(matches!(much, ActionErrorKind::TriesToStake { .. }));
    assert_eq!(
        others,
        ActionErrorKind::ActorNoPermission {
            account_id: id(BOB),
            actor_id: id(ALICE)
        }
    );
}

#[test]
fn only_the_registrar_makes_short_top_level_accounts() {
    let mut world = World::new();

    let error = world.failure(ALICE, "short", vec![create()]);
    let others = world.failure(ALICE, "sub.bob.test", vec![create()]);
    world.run("registrar", "short", vec![create(), transfer(near(1))]);

    assert_eq!(
        error,
        ActionErrorKind::CreateAccountOnlyByRegistrar {
            account_id: id("short"),
            registrar_account_id: id("registrar"),
            predecessor_id: id(ALICE),
        }
    );
    assert!(matches!(
        others,
        ActionErrorKind::CreateAccountNotAllowed { .. }
    ));
    assert_eq!(world.balance("short"), near(1));
}

#[test]
fn transactions_of_one_key_run_in_the_order_of_their_nonces() {
    let mut world = World::new();
    let before = world.balance(BOB);
    let mut signed: Vec<_> = (0..5)
        .map(|_| world.sign(ALICE, BOB, vec![transfer(near(1))]))
        .collect();

    signed.reverse();
    for tx in signed {
        world.chain.submit(tx).unwrap();
    }
    world.chain.settle();

    assert_eq!(world.balance(BOB).saturating_sub(before), near(5));
}

#[test]
fn a_nonce_far_ahead_of_the_chain_is_refused() {
    let mut world = World::new();
    let (head, key) = (world.chain.head().hash, signer(&id(ALICE)));
    let tx = near_primitives::transaction::Transaction::V0(
        near_primitives::transaction::TransactionV0 {
            signer_id: id(ALICE),
            public_key: key.public_key(),
            nonce: 1 << 63,
            receiver_id: id(BOB),
            block_hash: head,
            actions: vec![transfer(near(1))],
        },
    );
    let signature = key.sign(tx.get_hash_and_size().0.as_ref());

    let refused = world
        .chain
        .submit(near_primitives::transaction::SignedTransaction::new(
            signature, tx,
        ));

    let upper_bound = (world.chain.height() + 1) * 1_000_000;
    assert_eq!(
        refused,
        Err(InvalidTxError::NonceTooLarge {
            tx_nonce: 1 << 63,
            upper_bound
        })
    );
}
