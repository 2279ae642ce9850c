//! Calls: what they return, how they fail, and what they cost.

use crate::world::{
    ALICE, BOB, CONTRACT, World, call, code, deploy, failure, id, near, transfer, value,
};
use near_primitives::action::{
    Action, DeployGlobalContractAction, DeterministicStateInitAction, GlobalContractDeployMode,
    GlobalContractIdentifier, UseGlobalContractAction,
};
use near_primitives::deterministic_account_id::{
    DeterministicAccountStateInit, DeterministicAccountStateInitV1,
};
use near_primitives::errors::{
    ActionErrorKind, CompilationError, FunctionCallError, MethodResolveError, PrepareError,
};
use near_primitives::hash::hash;
use near_primitives::types::Balance;
use near_primitives::utils::derive_near_deterministic_account_id;
use near_vm_runner::logic::ReturnData;
use std::collections::BTreeMap;

fn text(error: &ActionErrorKind) -> &str {
    match error {
        ActionErrorKind::FunctionCallError(FunctionCallError::ExecutionError(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn global(mode: GlobalContractDeployMode) -> Action {
    Action::DeployGlobalContract(DeployGlobalContractAction {
        code: code().into(),
        deploy_mode: mode,
    })
}

fn use_global(identifier: GlobalContractIdentifier) -> Vec<Action> {
    vec![Action::UseGlobalContract(Box::new(
        UseGlobalContractAction {
            contract_identifier: identifier,
        },
    ))]
}

#[test]
fn a_call_returns_and_a_view_reads() {
    let mut world = World::new();

    let echoed = world.value(ALICE, CONTRACT, vec![call("echo", b"hello")]);
    let outcome = world.run(ALICE, CONTRACT, vec![call("shout", b"aloud")]);
    let viewed = world
        .chain
        .view(&id(CONTRACT), "echo", b"looked at")
        .unwrap();

    assert_eq!(echoed, b"hello");
    assert_eq!(
        outcome.final_outcome.receipts_outcome[0].outcome.logs,
        ["aloud"]
    );
    assert!(matches!(viewed.return_data, ReturnData::Value(value) if value == b"looked at"));
}

#[test]
fn a_callback_sees_the_result_of_another_contract() {
    let mut world = World::new();
    world.run(BOB, BOB, vec![deploy(&code())]);

    let answered = world.value(ALICE, CONTRACT, vec![call("ask", BOB.as_bytes())]);
    let unanswered = world.value(ALICE, CONTRACT, vec![call("ask", b"nobody.test")]);

    assert_eq!(answered, b"");
    assert_eq!(unanswered, b"nobody came");
}

#[test]
fn a_contract_pays() {
    let mut world = World::new();
    let before = world.balance(BOB);

    world.run(ALICE, CONTRACT, vec![call("pay", BOB.as_bytes())]);

    assert_eq!(world.balance(BOB), before.saturating_add(near(1)));
}

#[test]
fn failures_are_told_in_a_nodes_words() {
    let mut world = World::new();

    let panicked = world.failure(ALICE, CONTRACT, vec![call("fail", b"")]);
    let trapped = world.failure(ALICE, CONTRACT, vec![call("trap", b"")]);
    let endless = world.failure(ALICE, CONTRACT, vec![call("spin", b"")]);
    let missing = world.failure(ALICE, CONTRACT, vec![call("no_such_method", b"")]);
    let empty = world.failure(ALICE, BOB, vec![call("noop", b"")]);

    assert_eq!(text(&panicked), "Smart contract panicked: no");
    assert_eq!(
        text(&trapped),
        "WebAssembly trap: An `unreachable` opcode was executed."
    );
    assert_eq!(text(&endless), "Exceeded the prepaid gas.");
    let unresolved = FunctionCallError::MethodResolveError(MethodResolveError::MethodNotFound);
    assert_eq!(missing, ActionErrorKind::FunctionCallError(unresolved));
    let no_code = CompilationError::CodeDoesNotExist {
        account_id: id(BOB),
    };
    assert_eq!(
        empty,
        ActionErrorKind::FunctionCallError(FunctionCallError::CompilationError(no_code))
    );
}

#[test]
fn bad_wasm_fails_to_prepare() {
    let mut world = World::new();
    world.run(BOB, BOB, vec![deploy(b"no wasm at all")]);

    let error = world.failure(ALICE, BOB, vec![call("noop", b"")]);

    let broken = CompilationError::PrepareError(PrepareError::Deserialization);
    assert_eq!(
        error,
        ActionErrorKind::FunctionCallError(FunctionCallError::CompilationError(broken))
    );
}

#[test]
fn an_unknown_import_is_a_link_error() {
    let mut world = World::new();
    let code = wat::parse_str(r#"(module (import "env" "no_such" (func)) (func (export "noop")))"#)
        .unwrap();
    world.run(BOB, BOB, vec![deploy(&code)]);

    let error = world.failure(ALICE, BOB, vec![call("noop", b"")]);

    assert!(text(&error).starts_with("Link Error: "), "{error:?}");
}

#[test]
fn writing_pays_for_the_nodes_of_the_trie_it_touches() {
    let mut world = World::new();
    let mut gas = |method: &str| {
        let outcome = world
            .run(ALICE, CONTRACT, vec![call(method, b"k")])
            .final_outcome;
        outcome.receipts_outcome[0].outcome.clone()
    };
    gas("fill");

    let outcome = gas("fill");

    let profile = outcome.metadata.gas_profile.unwrap();
    let touched = profile
        .iter()
        .find(|cost| cost.cost == "TOUCHING_TRIE_NODE")
        .unwrap()
        .gas_used;
    let nodes = touched.as_gas() / 2_280_000_000;
    assert_eq!(touched.as_gas() % 2_280_000_000, 0);
    assert!((3..=20).contains(&nodes), "{nodes}");
}

#[test]
fn a_key_written_in_this_block_is_written_again_without_touching_the_trie() {
    let mut world = World::new();

    let outcome = world
        .run(ALICE, CONTRACT, vec![call("bump", b""), call("bump", b"")])
        .final_outcome;

    let profile = outcome.receipts_outcome[0]
        .outcome
        .metadata
        .gas_profile
        .clone()
        .unwrap();
    let touched = profile
        .iter()
        .find(|cost| cost.cost == "TOUCHING_TRIE_NODE")
        .unwrap()
        .gas_used;
    let once = world
        .run(ALICE, CONTRACT, vec![call("bump", b"")])
        .final_outcome;
    let profile = once.receipts_outcome[0]
        .outcome
        .metadata
        .gas_profile
        .clone()
        .unwrap();
    let again = profile
        .iter()
        .find(|cost| cost.cost == "TOUCHING_TRIE_NODE")
        .unwrap()
        .gas_used;
    assert!(touched <= again, "{touched} {again}");
}

#[test]
fn a_failed_call_gives_back_its_deposit_and_undoes_its_writes() {
    let mut world = World::new();
    let before = world.balance(CONTRACT);

    let outcome = world.run(
        ALICE,
        CONTRACT,
        vec![transfer(near(10)), call("bump", b""), call("fail", b"")],
    );

    failure(&outcome);
    assert_eq!(world.balance(CONTRACT), before);
    assert_eq!(
        world
            .chain
            .state()
            .contract_data(&id(CONTRACT), b"")
            .count(),
        0
    );
}

#[test]
fn a_global_contract_takes_only_the_storage_of_its_name() {
    let mut world = World::new();
    world.run(
        CONTRACT,
        CONTRACT,
        vec![
            global(GlobalContractDeployMode::CodeHash),
            global(GlobalContractDeployMode::AccountId),
        ],
    );
    let bytes = |world: &World| world.chain.account(&id(BOB)).unwrap().storage_usage();
    let empty = bytes(&world);

    world.run(
        BOB,
        BOB,
        use_global(GlobalContractIdentifier::CodeHash(hash(&code()))),
    );
    let by_hash = bytes(&world);
    world.run(
        BOB,
        BOB,
        use_global(GlobalContractIdentifier::AccountId(id(CONTRACT))),
    );
    let by_account = bytes(&world);
    let echoed = world.value(ALICE, BOB, vec![call("echo", b"global")]);
    world.run(BOB, BOB, vec![deploy(&[0; 85])]);

    assert_eq!(by_hash - empty, 32);
    assert_eq!(by_account - empty, u64::try_from(CONTRACT.len()).unwrap());
    assert_eq!(echoed, b"global");
    assert_eq!(bytes(&world) - empty, 85);
}

#[test]
fn a_global_contract_that_is_not_there_cannot_be_used() {
    let identifier = GlobalContractIdentifier::CodeHash(hash(b"nothing"));

    let error = World::new().failure(BOB, BOB, use_global(identifier.clone()));

    assert_eq!(
        error,
        ActionErrorKind::GlobalContractDoesNotExist { identifier }
    );
}

#[test]
fn a_deterministic_account_is_made_with_its_data_and_making_it_again_succeeds() {
    let mut world = World::new();
    world.run(
        CONTRACT,
        CONTRACT,
        vec![global(GlobalContractDeployMode::CodeHash)],
    );
    let v1 = DeterministicAccountStateInitV1 {
        code: GlobalContractIdentifier::CodeHash(hash(&code())),
        data: BTreeMap::from([(b"noop".to_vec(), vec![41])]),
    };
    let state_init = DeterministicAccountStateInit::V1(v1);
    let name = derive_near_deterministic_account_id(&state_init).to_string();
    let init = DeterministicStateInitAction {
        state_init,
        deposit: near(1),
    };
    let init = Action::DeterministicStateInit(Box::new(init));

    world.run(ALICE, &name, vec![init.clone(), call("bump", b"")]);
    let before = world.balance(ALICE);
    value(&world.run(ALICE, &name, vec![init]));

    let data: Vec<_> = world.chain.state().contract_data(&id(&name), b"").collect();
    assert_eq!(data[0].1.as_ref(), [42]);
    assert_eq!(world.balance(&name), Balance::ZERO);
    assert!(before.saturating_sub(world.balance(ALICE)) < near(1));
}
