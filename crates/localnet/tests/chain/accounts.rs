//! Accounts: made, paid, emptied, deleted.

use crate::world::{ALICE, BOB, CONTRACT, World, add_key, call, create, id, near, transfer};
use near_primitives::account::AccessKey;
use near_primitives::action::{Action, DeleteAccountAction, DeleteKeyAction};
use near_primitives::errors::ActionErrorKind;
use near_primitives::types::Balance;

fn delete_to(beneficiary: &str) -> Vec<Action> {
    vec![Action::DeleteAccount(DeleteAccountAction {
        beneficiary_id: id(beneficiary),
    })]
}

#[test]
fn alice_makes_an_account_below_her_own() {
    let mut world = World::new();

    world.run(
        ALICE,
        "child.alice.test",
        vec![
            create(),
            transfer(near(5)),
            add_key(ALICE, AccessKey::full_access()),
        ],
    );

    assert_eq!(world.balance("child.alice.test"), near(5));
}

#[test]
fn making_an_account_burns_seven_thousandths_of_a_near() {
    let mut world = World::new();

    let outcome = world
        .run(ALICE, "child.alice.test", vec![create()])
        .final_outcome;

    let burnt = outcome
        .receipts_outcome
        .first()
        .unwrap()
        .outcome
        .tokens_burnt;
    assert!(burnt >= Balance::from_millinear(7), "{burnt}");
    assert!(burnt < Balance::from_millinear(8), "{burnt}");
}

#[test]
fn a_transfer_makes_implicit_accounts_of_both_kinds() {
    let mut world = World::new();
    let (near_name, eth_name) = ("ab".repeat(32), format!("0x{}", "ab".repeat(20)));

    world.run(ALICE, &near_name, vec![transfer(near(1))]);
    world.run(ALICE, &eth_name, vec![transfer(near(1))]);
    let explicit = world.failure(ALICE, &format!("0x{}", "cd".repeat(20)), vec![create()]);

    assert_eq!(world.balance(&near_name), near(1));
    assert_eq!(world.chain.state().access_keys(&id(&near_name)).len(), 1);
    assert_eq!(world.balance(&eth_name), near(1));
    assert!(matches!(
        explicit,
        ActionErrorKind::OnlyImplicitAccountCreationAllowed { .. }
    ));
}

#[test]
fn a_transfer_to_nobody_comes_back() {
    let mut world = World::new();
    let before = world.balance(ALICE);

    let error = world.failure(ALICE, "nobody.test", vec![transfer(near(100))]);

    assert_eq!(
        error,
        ActionErrorKind::AccountDoesNotExist {
            account_id: id("nobody.test")
        }
    );
    assert!(before.saturating_sub(world.balance(ALICE)) < near(1));
}

#[test]
fn a_deleted_account_leaves_its_balance_to_its_beneficiary() {
    let mut world = World::new();
    let before = world.balance(BOB);

    world.run(ALICE, ALICE, delete_to(BOB));

    assert!(world.chain.account(&id(ALICE)).is_none());
    assert!(world.chain.state().access_keys(&id(ALICE)).is_empty());
    assert!(world.balance(BOB).saturating_sub(before) > near(999));
}

#[test]
fn what_is_left_to_a_missing_implicit_account_is_burnt() {
    let mut world = World::new();
    let (missing, before) = ("cd".repeat(32), world.chain.total_supply());

    let outcome = world.run(ALICE, ALICE, delete_to(&missing));

    let last = outcome
        .final_outcome
        .receipts_outcome
        .iter()
        .map(|r| format!("{:?}", r.outcome.status));
    assert!(
        last.into_iter()
            .any(|status| status.contains("AccountDoesNotExist"))
    );
    assert!(world.chain.account(&id(&missing)).is_none());
    assert!(before.saturating_sub(world.chain.total_supply()) > near(999));
}

#[test]
fn an_account_with_much_state_cannot_be_deleted() {
    let mut world = World::new();
    world.run(ALICE, CONTRACT, vec![call("fill", b"key")]);

    let error = world.failure(CONTRACT, CONTRACT, delete_to(BOB));
    world.run(ALICE, CONTRACT, vec![call("clear", b"key")]);
    world.run(CONTRACT, CONTRACT, delete_to(BOB));

    assert_eq!(
        error,
        ActionErrorKind::DeleteAccountWithLargeState {
            account_id: id(CONTRACT)
        }
    );
    assert!(world.chain.account(&id(CONTRACT)).is_none());
}

#[test]
fn an_account_whose_storage_is_not_backed_cannot_spend() {
    let mut world = World::new();
    world.run(CONTRACT, CONTRACT, delete_to(BOB));
    world.run(
        "test",
        CONTRACT,
        vec![
            create(),
            add_key(CONTRACT, AccessKey::full_access()),
            transfer(Balance::from_millinear(200)),
        ],
    );

    let error = world.failure(
        "test",
        "poor.test",
        vec![create(), crate::world::deploy(&vec![0; 10_000])],
    );

    assert!(
        matches!(error, ActionErrorKind::LackBalanceForState { .. }),
        "{error:?}"
    );
}

#[test]
fn a_deleted_key_signs_no_more() {
    let mut world = World::new();
    let public_key = localnet::signer(&id(ALICE)).public_key();
    let delete = Action::DeleteKey(Box::new(DeleteKeyAction { public_key }));

    world.run(ALICE, ALICE, vec![delete.clone()]);
    let again = world.submit(ALICE, ALICE, vec![delete]);

    assert!(again.is_err());
}

#[test]
fn keys_start_with_the_nonce_of_their_block() {
    let mut world = World::new();
    world.run(ALICE, ALICE, vec![add_key(BOB, AccessKey::full_access())]);

    let key = world
        .chain
        .state()
        .access_key(&id(ALICE), &localnet::signer(&id(BOB)).public_key());

    let nonce = key.unwrap().nonce;
    let made_at = world.chain.height() - 1;
    assert_eq!(nonce % 1_000_000, 0);
    assert!(nonce > 0 && nonce <= made_at * 1_000_000);
}
