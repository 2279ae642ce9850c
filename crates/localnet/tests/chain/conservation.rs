//! Whatever is handed in, the chain goes on, and not one yoctoNEAR appears or vanishes.

use crate::world::{
    ALICE, BOB, CONTRACT, World, add_key, call_with, code, create, deploy, id, transfer,
};
use localnet::signer;
use near_primitives::account::AccessKey;
use near_primitives::action::delegate::{DelegateAction, NonDelegateAction, SignedDelegateAction};
use near_primitives::action::{
    Action, DeleteAccountAction, DeleteKeyAction, DeployGlobalContractAction,
    GlobalContractDeployMode, GlobalContractIdentifier, StakeAction, UseGlobalContractAction,
};
use near_primitives::types::{Balance, Gas};
use proptest::prelude::*;

const PEOPLE: [&str; 5] = [ALICE, BOB, CONTRACT, "test", "registrar"];

const ANYONE: [&str; 9] = [
    ALICE,
    BOB,
    CONTRACT,
    "test",
    "new.alice.test",
    "nobody.near",
    "short",
    "abababababababababababababababababababababababababababababababab",
    "0xabababababababababababababababababababab",
];

const METHODS: [&str; 17] = [
    "noop",
    "echo",
    "shout",
    "fail",
    "spin",
    "trap",
    "bump",
    "fill",
    "clear",
    "pay",
    "crowd",
    "ask",
    "wait",
    "answer",
    "wait_and_answer_twice",
    "done",
    "",
];

#[derive(Clone, Debug)]
enum Step {
    Send(&'static str, &'static str, Vec<Action>),
    Blocks(u8),
    FastForward,
}

fn who() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PEOPLE.to_vec())
}

fn anyone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ANYONE.to_vec())
}

fn amount() -> impl Strategy<Value = Balance> {
    prop_oneof![
        3 => Just(Balance::ZERO),
        3 => (1_u128..1_000).prop_map(Balance::from_near),
        1 => Just(Balance::from_yoctonear(1)),
        1 => Just(Balance::from_yoctonear(u128::MAX)),
    ]
}

fn called() -> impl Strategy<Value = Action> {
    let gas = prop_oneof![
        4 => (1_u64..300).prop_map(Gas::from_teragas),
        1 => Just(Gas::from_gas(1)),
        1 => Just(Gas::from_gas(u64::MAX)),
    ];
    (
        prop::sample::select(METHODS.to_vec()),
        anyone(),
        gas,
        amount(),
    )
        .prop_map(|(method, argument, gas, deposit)| {
            call_with(method, argument.as_bytes(), gas, deposit)
        })
}

fn simple() -> impl Strategy<Value = Action> {
    let global = |mode| {
        Action::DeployGlobalContract(DeployGlobalContractAction {
            code: vec![1; 10].into(),
            deploy_mode: mode,
        })
    };
    let public_key = signer(&id(BOB)).public_key();
    let used = GlobalContractIdentifier::AccountId(id(CONTRACT));
    prop_oneof![
        4 => amount().prop_map(transfer),
        6 => called(),
        2 => Just(create()),
        1 => anyone().prop_map(|to| Action::DeleteAccount(DeleteAccountAction { beneficiary_id: id(to) })),
        2 => anyone().prop_map(|of| add_key(of, AccessKey::full_access())),
        1 => Just(add_key(ALICE, AccessKey::gas_key_full_access(2))),
        1 => Just(Action::DeleteKey(Box::new(DeleteKeyAction { public_key: public_key.clone() }))),
        1 => Just(deploy(&code())),
        1 => Just(deploy(b"bad wasm")),
        1 => Just(global(GlobalContractDeployMode::AccountId)),
        1 => Just(Action::UseGlobalContract(Box::new(UseGlobalContractAction { contract_identifier: used }))),
        1 => amount().prop_map(move |stake| {
            Action::Stake(Box::new(StakeAction { stake, public_key: public_key.clone() }))
        }),
    ]
}

fn delegated() -> impl Strategy<Value = Action> {
    let inner = prop::collection::vec(simple(), 0..3);
    (who(), who(), anyone(), inner, 0_u64..50_000_000).prop_map(
        |(sender, key, receiver, actions, nonce)| {
            let action = DelegateAction {
                sender_id: id(sender),
                receiver_id: id(receiver),
                actions: actions
                    .into_iter()
                    .map(|a| NonDelegateAction::try_from(a).unwrap())
                    .collect(),
                nonce,
                max_block_height: 60,
                public_key: signer(&id(key)).public_key(),
            };
            SignedDelegateAction::sign(&signer(&id(key)), action).into()
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop_oneof![5 => simple(), 1 => delegated()];
    prop_oneof![
        8 => (who(), anyone(), prop::collection::vec(action, 0..4)).prop_map(|(from, to, a)| Step::Send(from, to, a)),
        3 => (1_u8..4).prop_map(Step::Blocks),
        1 => Just(Step::FastForward),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_transaction_stops_the_chain_or_changes_the_sum_of_all_tokens(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        let genesis = world.chain.total_supply();
        let mut burnt = Balance::ZERO;

        for step in steps {
            let before = world.chain.height();
            match step {
                Step::Send(from, to, actions) => drop(world.submit(from, to, actions)),
                Step::Blocks(n) => (0..n).for_each(|_| world.chain.produce()),
                Step::FastForward => world.chain.fast_forward(201),
            }
            for height in before + 1..=world.chain.height() {
                let Some(block) = world.chain.block_at(height) else {
                    continue; // fast-forwarded over
                };
                burnt = burnt.saturating_add(block.burnt).saturating_sub(block.minted);
            }
            prop_assert_eq!(world.chain.audit(), world.chain.total_supply());
            prop_assert_eq!(world.chain.total_supply(), genesis.saturating_sub(burnt));
        }
        world.chain.settle();
        world.chain.fast_forward(202);
        world.chain.settle();

        prop_assert_eq!(world.chain.audit(), world.chain.total_supply());
        prop_assert!(!world.chain.busy());
    }
}
