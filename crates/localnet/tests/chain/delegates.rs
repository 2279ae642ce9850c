//! Meta-transactions: Bob relays what Alice signed.

use crate::world::{ALICE, BOB, CONTRACT, World, call_with, failure, id, near, transfer, value};
use localnet::signer;
use near_primitives::action::Action;
use near_primitives::action::delegate::{DelegateAction, NonDelegateAction, SignedDelegateAction};
use near_primitives::errors::{ActionErrorKind, ActionsValidationError, InvalidAccessKeyError};
use near_primitives::types::{Balance, Gas};

fn delegate(world: &World, change: impl FnOnce(&mut DelegateAction)) -> Action {
    let key = signer(&id(ALICE)).public_key();
    let nonce = world
        .chain
        .state()
        .access_key(&id(ALICE), &key)
        .unwrap()
        .nonce
        + 1;
    let inner = call_with("echo", b"relayed", Gas::from_teragas(10), near(2));
    let mut action = DelegateAction {
        sender_id: id(ALICE),
        receiver_id: id(CONTRACT),
        actions: vec![NonDelegateAction::try_from(inner).unwrap()],
        nonce,
        max_block_height: 1000,
        public_key: key,
    };
    change(&mut action);
    SignedDelegateAction::sign(&signer(&id(ALICE)), action).into()
}

#[test]
fn the_relayer_pays_and_the_sender_acts() {
    let mut world = World::new();
    let (alice, contract) = (world.balance(ALICE), world.balance(CONTRACT));
    let action = delegate(&world, |_| {});

    let outcome = world.run(BOB, ALICE, vec![action]);

    let ran: Vec<_> = outcome
        .final_outcome
        .receipts_outcome
        .iter()
        .map(|r| r.outcome.executor_id.as_str())
        .collect();
    assert_eq!(ran[..2], [ALICE, CONTRACT]);
    assert_eq!(value(&outcome), b"");
    assert_eq!(world.balance(ALICE), alice);
    assert_eq!(world.balance(CONTRACT), contract.saturating_add(near(2)));
}

#[test]
fn the_deposit_of_a_relayed_call_that_fails_goes_to_the_sender() {
    let mut world = World::new();
    let alice = world.balance(ALICE);
    let failing = call_with("fail", b"", Gas::from_teragas(10), near(2));
    let action = delegate(&world, |d| {
        d.actions = vec![NonDelegateAction::try_from(failing).unwrap()];
    });

    world.run(BOB, ALICE, vec![action]);

    assert_eq!(world.balance(ALICE), alice.saturating_add(near(2)));
}

#[test]
fn bad_delegates_are_refused_in_a_nodes_words() {
    let mut world = World::new();
    let expired = delegate(&world, |d| d.max_block_height = 1);
    let others = delegate(&world, |d| d.sender_id = id(CONTRACT));
    let used = delegate(&world, |d| d.nonce = 0);
    let far = delegate(&world, |d| d.nonce = u64::MAX / 2);
    let unknown = delegate(&world, |d| d.public_key = signer(&id(BOB)).public_key());
    let mut error = |action| failure(&world.run(BOB, ALICE, vec![action]));

    assert_eq!(error(expired), ActionErrorKind::DelegateActionExpired);
    assert_eq!(
        error(others),
        ActionErrorKind::DelegateActionSenderDoesNotMatchTxReceiver {
            sender_id: id(CONTRACT),
            receiver_id: id(ALICE)
        }
    );
    assert!(matches!(
        error(used),
        ActionErrorKind::DelegateActionInvalidNonce { .. }
    ));
    assert!(matches!(
        error(far),
        ActionErrorKind::DelegateActionNonceTooLarge { .. }
    ));
    assert_eq!(
        error(unknown),
        ActionErrorKind::DelegateActionInvalidSignature
    );
}

#[test]
fn a_delegate_signed_by_a_strangers_key_finds_no_such_key() {
    let mut world = World::new();
    let Action::Delegate(signed) = delegate(&world, |_| {}) else {
        panic!("not a delegate")
    };
    let mut inner = signed.delegate_action;
    inner.public_key = signer(&id(BOB)).public_key();
    let action = SignedDelegateAction::sign(&signer(&id(BOB)), inner).into();

    let error = world.failure(BOB, ALICE, vec![action]);

    assert!(matches!(
        error,
        ActionErrorKind::DelegateActionAccessKeyError(
            InvalidAccessKeyError::AccessKeyNotFound { .. }
        )
    ));
}

#[test]
fn two_delegates_in_one_transaction_are_refused() {
    let mut world = World::new();
    let action = delegate(&world, |_| {});

    let rule = world.broken_rule(ALICE, vec![action.clone(), transfer(Balance::ZERO), action]);

    assert_eq!(rule, ActionsValidationError::DelegateActionMustBeOnlyOne);
}
