//! How many simple calls the chain runs in a second: signed, checked, turned into receipts, run by the VM, settled.
//!
//! `cargo run --release -p localnet --example calls [calls]` prints one line of JSON.

use localnet::{Chain, Config, Genesis, signer};
use near_crypto::Signer;
use near_primitives::action::{Action, DeployContractAction, FunctionCallAction};
use near_primitives::transaction::{SignedTransaction, Transaction, TransactionV0};
use near_primitives::types::{AccountId, Balance, Gas};
use std::error::Error;
use std::time::Instant;

/// Adds one to a byte that it keeps in storage.
const BUMP: &str = r#"(module
  (import "env" "storage_write" (func $write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $read (param i64 i64 i64) (result i64)))
  (import "env" "read_register" (func $register (param i64 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "count")
  (func (export "bump")
    (if (i64.ne (call $read (i64.const 5) (i64.const 0) (i64.const 0)) (i64.const 0))
      (then (call $register (i64.const 0) (i64.const 16))))
    (i32.store8 (i32.const 16) (i32.add (i32.load8_u (i32.const 16)) (i32.const 1)))
    (drop (call $write (i64.const 5) (i64.const 0) (i64.const 1) (i64.const 16) (i64.const 0)))))"#;

/// Transactions handed in before each block.
const CALLS_PER_BLOCK: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let calls = std::env::args()
        .nth(1)
        .map_or(Ok(20_000), |n| n.parse::<usize>())?;
    let mut bench = Bench::start()?;
    let started = now();
    let mut made = 0_usize;
    while made < calls {
        for _ in 0..CALLS_PER_BLOCK.min(calls.saturating_sub(made)) {
            bench.call()?;
            made = made.saturating_add(1);
        }
        bench.chain.produce();
    }
    bench.chain.settle();
    let seconds = started.elapsed().as_secs_f64();
    let per_second = f64::from(u32::try_from(made)?) / seconds;
    print(&format!(
        "{{\"calls\": {made}, \"seconds\": {seconds:.3}, \"calls_per_second\": {per_second:.0}}}"
    ));
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this measures the machine, not the chain's own time"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "the number is what this is for")]
fn print(line: &str) {
    println!("{line}");
}

struct Bench {
    chain: Chain,
    caller: Signer,
    contract: AccountId,
    nonce: u64,
}

impl Bench {
    fn start() -> Result<Self, Box<dyn Error>> {
        let (caller, contract): (AccountId, AccountId) =
            ("alice.test".parse()?, "bump.test".parse()?);
        let rich = Balance::from_near(100_000_000);
        let genesis = Genesis::sandbox(0)
            .with_account(&caller, rich)
            .with_account(&contract, rich);
        let chain = Chain::new(Config::in_memory(genesis))?;
        let mut bench = Self {
            chain,
            caller: signer(&caller),
            contract,
            nonce: 0,
        };
        let owner = signer(&bench.contract);
        let code = wat::parse_str(BUMP)?;
        bench.send(
            &owner,
            Action::DeployContract(DeployContractAction { code }),
        )?;
        bench.chain.settle();
        Ok(bench)
    }

    fn call(&mut self) -> Result<(), Box<dyn Error>> {
        let caller = self.caller.clone();
        let call = FunctionCallAction {
            method_name: "bump".to_owned(),
            args: Vec::new(),
            gas: Gas::from_teragas(10),
            deposit: Balance::ZERO,
        };
        self.send(&caller, Action::FunctionCall(Box::new(call)))
    }

    fn send(&mut self, from: &Signer, action: Action) -> Result<(), Box<dyn Error>> {
        self.nonce = self.nonce.saturating_add(1);
        let tx = Transaction::V0(TransactionV0 {
            signer_id: from.get_account_id(),
            public_key: from.public_key(),
            nonce: self.nonce,
            receiver_id: self.contract.clone(),
            block_hash: self.chain.head().hash,
            actions: vec![action],
        });
        let signature = from.sign(tx.get_hash_and_size().0.as_ref());
        self.chain.submit(SignedTransaction::new(signature, tx))?;
        Ok(())
    }
}
