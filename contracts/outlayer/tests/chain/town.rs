//! A chain with the contract on it, and people who use it.

use std::collections::BTreeMap;

use localnet::{Chain, Config, Genesis, signer};
use near_primitives::action::{
    Action, DeleteAccountAction, DeployContractAction, FunctionCallAction,
};
use near_primitives::hash::CryptoHash;
use near_primitives::state_record::StateRecord;
use near_primitives::transaction::SignedTransaction;
use near_primitives::types::{AccountId, Balance, Gas};
use near_primitives::views::{
    ActionView, FinalExecutionOutcomeWithReceiptView, FinalExecutionStatus, ReceiptEnumView,
};
use protocol::event::{Envelope, Event, ExecutionCompleted, RequestNotice};
use protocol::request::ExecutionRequest;
use serde_json::{Value, json};

use super::wasm;

pub(crate) const OUTLAYER: &str = "outlayer.test";
pub(crate) const OWNER: &str = "owner.test";
pub(crate) const WORKER: &str = "worker.test";
pub(crate) const ALICE: &str = "alice.test";
pub(crate) const BOB: &str = "bob.test";
pub(crate) const CLIENT: &str = "client.test";

/// What an ordinary request brings: 0.1 NEAR.
pub(crate) const DEPOSIT: u128 = 10u128.pow(23);

/// What a request costs before anything is used.
pub(crate) const BASE_FEE: u128 = 10u128.pow(21);

/// Blocks after which a yield times out, and a few more.
const TIMEOUT_BLOCKS: u64 = 210;

pub(crate) struct Town {
    pub(crate) chain: Chain,
    nonces: BTreeMap<AccountId, u64>,
    /// What the contract's account holds beyond what it owes.
    own: u128,
}

/// What became of a transaction.
pub(crate) struct Sent {
    pub(crate) hash: CryptoHash,
    outcome: FinalExecutionOutcomeWithReceiptView,
}

pub(crate) fn id(name: &str) -> AccountId {
    name.parse().unwrap()
}

/// The arguments of an ordinary request, with `more` fields.
pub(crate) fn ask(more: Value) -> Value {
    let mut arguments = json!({
        "source": {"GitHub": {"repo": "https://github.com/a/b", "commit": "main"}},
    });
    let fields = arguments.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    arguments
}

/// A response that reports 2 ms of work.
pub(crate) fn success(output: Value) -> Value {
    json!({
        "success": true,
        "output": output,
        "resources_used": {"instructions": 1_000_000, "time_ms": 2},
    })
}

/// What [`success`] costs: base, one million instructions, two milliseconds.
pub(crate) const SUCCESS_COST: u128 = BASE_FEE + 10u128.pow(14) + 2 * 10u128.pow(17);

impl Town {
    /// The contract deployed with 20 NEAR, owned by `owner.test`, answered for by `worker.test`.
    pub(crate) fn new() -> Self {
        Self::with_balance(Balance::from_near(20))
    }

    pub(crate) fn with_balance(balance: Balance) -> Self {
        let people = [OWNER, WORKER, ALICE, BOB, CLIENT];
        let genesis = people.iter().fold(Genesis::sandbox(0), |genesis, name| {
            genesis.with_account(&id(name), Balance::from_near(1_000))
        });
        let genesis = genesis.with_account(&id(OUTLAYER), balance);
        let mut town = Self {
            chain: Chain::new(Config::in_memory(genesis)).unwrap(),
            nonces: BTreeMap::new(),
            own: 0,
        };
        let code = wasm::outlayer().to_vec();
        town.send(OUTLAYER, OUTLAYER, vec![deploy(code)]).value();
        town.send(CLIENT, CLIENT, vec![deploy(wasm::client())])
            .value();
        // Called by another than the account itself, so that its own gas does not blur its balance.
        let names = json!({"owner_id": OWNER, "operator_id": WORKER});
        town.call(OWNER, "new", names).value();
        town.own = town.chain.balance(&id(OUTLAYER)).as_yoctonear();
        town
    }

    /// Sends actions and runs all that follows, but not what waits for a resume.
    pub(crate) fn send(&mut self, from: &str, to: &str, actions: Vec<Action>) -> Sent {
        let hash = self.post(from, to, actions);
        self.chain.settle();
        self.sent(hash)
    }

    /// Sends actions and leaves them to the next block.
    pub(crate) fn post(&mut self, from: &str, to: &str, actions: Vec<Action>) -> CryptoHash {
        let nonce = self.nonces.entry(id(from)).or_default();
        *nonce += 1;
        let block = self.chain.head().hash;
        let tx = SignedTransaction::from_actions(
            *nonce,
            id(from),
            id(to),
            &signer(&id(from)),
            actions,
            block,
        );
        self.chain.submit(tx).unwrap()
    }

    /// What became of a transaction by now.
    pub(crate) fn sent(&self, hash: CryptoHash) -> Sent {
        let outcome = self.chain.tx_status(&hash).unwrap().outcome.unwrap();
        Sent { hash, outcome }
    }

    /// Calls the contract.
    pub(crate) fn call(&mut self, from: &str, method: &str, arguments: Value) -> Sent {
        self.send(from, OUTLAYER, vec![call(method, &arguments, 0, 300)])
    }

    /// Calls the contract with a deposit.
    pub(crate) fn pay(&mut self, from: &str, method: &str, arguments: &Value, yocto: u128) -> Sent {
        self.send(from, OUTLAYER, vec![call(method, arguments, yocto, 300)])
    }

    /// What the account's bytes stake.
    pub(crate) fn stake(&self) -> u128 {
        yocto(&self.view("get_reserve", json!({}))["storage_stake"])
    }

    /// What is held for the bytes of secrets and projects.
    pub(crate) fn held(&self) -> u128 {
        yocto(&self.view("get_reserve", json!({}))["storage_deposits"])
    }

    /// Alice asks; the answer is still to come.
    pub(crate) fn ask(&mut self, more: Value) -> (u64, Sent) {
        self.ask_as(ALICE, more, DEPOSIT)
    }

    pub(crate) fn ask_as(&mut self, from: &str, more: Value, deposit: u128) -> (u64, Sent) {
        let action = call("request_execution", &ask(more), deposit, 100);
        let sent = self.send(from, OUTLAYER, vec![action]);
        let notice = sent.notice();
        (notice.request_id.0, sent)
    }

    /// Arguments as bytes, whatever they are.
    pub(crate) fn ask_raw(&mut self, arguments: &[u8], deposit: u128) -> Sent {
        let action = call_raw("request_execution", arguments.to_vec(), deposit, 100);
        self.send(ALICE, OUTLAYER, vec![action])
    }

    /// The worker answers; what came of that.
    pub(crate) fn resolve(&mut self, request_id: u64, response: Value) -> Value {
        let arguments = json!({"request_id": request_id, "response": response});
        self.call(WORKER, "resolve_execution", arguments).value()
    }

    /// Lets all pending yields time out.
    pub(crate) fn time_out(&mut self) {
        self.chain.fast_forward(TIMEOUT_BLOCKS);
        self.chain.settle();
    }

    pub(crate) fn view(&self, method: &str, arguments: Value) -> Value {
        let arguments = serde_json::to_vec(&arguments).unwrap();
        let outcome = self.chain.view(&id(OUTLAYER), method, &arguments).unwrap();
        assert!(outcome.aborted.is_none(), "{method}: {:?}", outcome.aborted);
        serde_json::from_slice(&outcome.return_data.as_value().unwrap()).unwrap()
    }

    pub(crate) fn request(&self, request_id: u64) -> Option<ExecutionRequest> {
        let view = self.view("get_request", json!({"request_id": request_id}));
        serde_json::from_value(view).unwrap()
    }

    pub(crate) fn balance(&self, name: &str) -> u128 {
        self.chain.balance(&id(name)).as_yoctonear()
    }

    /// Deletes an account; what it has goes to another.
    pub(crate) fn delete(&mut self, name: &str, beneficiary: &str) {
        let beneficiary_id = id(beneficiary);
        let action = Action::DeleteAccount(DeleteAccountAction { beneficiary_id });
        self.send(name, name, vec![action]).value();
    }

    /// Sends NEAR to an account.
    pub(crate) fn transfer(&mut self, from: &str, to: &str, yocto: u128) {
        let deposit = Balance::from_yoctonear(yocto);
        let action = Action::Transfer(near_primitives::action::TransferAction { deposit });
        self.send(from, to, vec![action]).value();
        if to == OUTLAYER {
            self.own += yocto;
        }
    }

    /// Gives an account another balance and says what it had.
    pub(crate) fn set_balance(&mut self, name: &str, yocto: u128) -> u128 {
        let account_id = id(name);
        let mut account = self.chain.account(&account_id).unwrap();
        let before = account.amount().as_yoctonear();
        account.set_amount(Balance::from_yoctonear(yocto));
        let record = StateRecord::Account {
            account_id,
            account,
        };
        self.chain.patch(vec![record]);
        before
    }

    /// What the contract says that it owes: escrow, fees, unclaimed.
    pub(crate) fn owed(&self) -> [u128; 3] {
        let reserve = self.view("get_reserve", json!({}));
        ["escrow", "fees", "unclaimed"].map(|field| yocto(&reserve[field]))
    }

    /// The balance is what is owed and the account's own, to the yocto, and stakes every byte.
    pub(crate) fn check_money(&self) {
        let reserve = self.view("get_reserve", json!({}));
        let balance = self.balance(OUTLAYER);
        let owed: u128 = self.owed().iter().sum::<u128>() + yocto(&reserve["storage_deposits"]);
        assert_eq!(yocto(&reserve["balance"]), balance);
        assert_eq!(balance, owed + self.own, "{reserve}");
        assert!(balance >= yocto(&reserve["storage_stake"]), "{reserve}");
        assert!(!reserve["reserve"].is_null(), "{reserve}");
    }
}

pub(crate) fn yocto(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

fn deploy(code: Vec<u8>) -> Action {
    Action::DeployContract(DeployContractAction { code })
}

pub(crate) fn call(method: &str, arguments: &Value, deposit: u128, tgas: u64) -> Action {
    call_raw(
        method,
        serde_json::to_vec(arguments).unwrap(),
        deposit,
        tgas,
    )
}

pub(crate) fn call_raw(method: &str, args: Vec<u8>, deposit: u128, tgas: u64) -> Action {
    Action::FunctionCall(Box::new(FunctionCallAction {
        method_name: method.to_owned(),
        args,
        gas: Gas::from_teragas(tgas),
        deposit: Balance::from_yoctonear(deposit),
    }))
}

impl Sent {
    /// What the transaction returned, as JSON; null for nothing.
    pub(crate) fn value(&self) -> Value {
        match &self.outcome.final_outcome.status {
            FinalExecutionStatus::SuccessValue(bytes) if bytes.is_empty() => Value::Null,
            FinalExecutionStatus::SuccessValue(bytes) => serde_json::from_slice(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Why the transaction failed.
    pub(crate) fn failure(&self) -> String {
        match &self.outcome.final_outcome.status {
            FinalExecutionStatus::Failure(error) => format!("{error:?}"),
            other => panic!("{other:?}"),
        }
    }

    /// Whether the transaction failed.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(
            self.outcome.final_outcome.status,
            FinalExecutionStatus::Failure(_)
        )
    }

    /// Whether the answer is still to come.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(
            self.outcome.final_outcome.status,
            FinalExecutionStatus::Started
        )
    }

    pub(crate) fn logs(&self) -> Vec<&str> {
        let receipts = &self.outcome.final_outcome.receipts_outcome;
        receipts
            .iter()
            .flat_map(|receipt| receipt.outcome.logs.iter().map(String::as_str))
            .collect()
    }

    fn events(&self) -> impl Iterator<Item = Event> {
        let envelopes = self.logs().into_iter().filter_map(Envelope::from_log);
        envelopes
            .map(|envelope| envelope.event)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The request that the transaction announced.
    pub(crate) fn notice(&self) -> RequestNotice {
        let requested = self.events().find_map(|event| match event {
            Event::ExecutionRequested([event]) => Some(event.notice().unwrap()),
            Event::ExecutionCompleted(_) => None,
        });
        requested.unwrap_or_else(|| panic!("{:?}", self.outcome.final_outcome))
    }

    /// How the request of the transaction ended.
    pub(crate) fn completed(&self) -> ExecutionCompleted {
        let completed = self.events().find_map(|event| match event {
            Event::ExecutionCompleted([event]) => Some(event),
            Event::ExecutionRequested(_) => None,
        });
        completed.unwrap_or_else(|| panic!("{:?}", self.outcome.final_outcome))
    }

    /// What each method of the contract burnt, in gas.
    pub(crate) fn burnt(&self) -> BTreeMap<String, u64> {
        let outcomes = &self.outcome.final_outcome.receipts_outcome;
        let burnt = |id| {
            outcomes
                .iter()
                .find(|o| o.id == id)
                .map(|o| o.outcome.gas_burnt)
        };
        let mut methods = BTreeMap::new();
        for receipt in &self.outcome.receipts {
            let ReceiptEnumView::Action { actions, .. } = &receipt.receipt else {
                continue;
            };
            for action in actions {
                if let ActionView::FunctionCall { method_name, .. } = action {
                    let gas = burnt(receipt.receipt_id).unwrap().as_gas();
                    methods.insert(method_name.clone(), gas);
                }
            }
        }
        methods
    }
}
