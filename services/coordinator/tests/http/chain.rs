//! A chain that a test writes by hand.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use clients::events::{self, Block, ReadBlocks, Receipt};
use clients::near::CryptoHash;
use protocol::event::{
    self, Envelope, Event, ExecutionCompleted, ExecutionRequested, RequestNotice,
};
use protocol::limits;
use protocol::request::ResponseFormat;
use protocol::response::ResourceMetrics;
use protocol::source::{BuildTarget, CodeSource, GitHub};
use protocol::{AccountId, FailureCode, NearToken, RequestId};

/// The height of the block before the first.
pub(crate) const BEFORE: u64 = 100;

pub(crate) fn contract() -> AccountId {
    "outlayer.test".parse().unwrap()
}

/// The blocks so far, the first at [`BEFORE`] + 1.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    blocks: Mutex<Vec<Block>>,
    /// How many reads fail from now on.
    failures: Mutex<u32>,
}

impl Chain {
    /// Adds a block in which `contract` logged `lines`; its height.
    pub(crate) fn block(&self, lines: Vec<String>) -> u64 {
        self.block_of(&contract(), lines)
    }

    /// Adds a block in which `executor_id` logged `lines`; its height.
    pub(crate) fn block_of(&self, executor_id: &AccountId, lines: Vec<String>) -> u64 {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let height = BEFORE + 1 + u64::try_from(blocks.len()).unwrap();
        let receipt = Receipt {
            receipt_id: CryptoHash::hash_bytes(format!("receipt {height}").as_bytes()),
            transaction_hash: Some(CryptoHash::hash_bytes(b"transaction")),
            executor_id: executor_id.clone(),
            predecessor_id: "game.test".parse().unwrap(),
            signer_id: "alice.test".parse().unwrap(),
            signer_public_key: "ed25519:6E8sCci9badyRkXb3JoRpBj5p8C6Tw41ELDZoiihKEtp".into(),
            gas_burnt: 5,
            logs: lines,
        };
        blocks.push(Block {
            height,
            hash: hash_at(height),
            prev_hash: hash_at(height - 1),
            prev_height: Some(height - 1),
            timestamp_ns: height * 600_000_000,
            receipts: vec![receipt],
        });
        height
    }

    /// Adds a block that does not name the last one as the block before it.
    pub(crate) fn stray_block(&self) {
        self.block(Vec::new());
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.last_mut().unwrap().prev_hash = CryptoHash::hash_bytes(b"elsewhere");
    }

    /// Makes the last block follow the one before it.
    pub(crate) fn mend(&self) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let last = blocks.last_mut().unwrap();
        last.prev_hash = hash_at(last.height - 1);
    }

    /// Lets the next `count` reads fail.
    pub(crate) fn fail(&self, count: u32) {
        *self.failures.lock().unwrap_or_else(PoisonError::into_inner) = count;
    }
}

fn hash_at(height: u64) -> CryptoHash {
    CryptoHash::hash_bytes(&height.to_le_bytes())
}

#[async_trait]
impl ReadBlocks for Chain {
    async fn final_height(&self) -> Result<u64, events::Error> {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(BEFORE + u64::try_from(blocks.len()).unwrap())
    }

    async fn next_after(&self, height: u64) -> Result<Option<Block>, events::Error> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fewer) = failures.checked_sub(1) {
            *failures = fewer;
            return Err(events::Error::Unavailable {
                address: "a test".into(),
                reason: "it was told to fail".into(),
            });
        }
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(height.saturating_sub(BEFORE)).unwrap();
        Ok(blocks.get(index).cloned())
    }
}

/// What the contract logs when a request comes in.
pub(crate) fn requested(id: u64, payment_yocto: u128) -> String {
    requested_with(&notice(id, payment_yocto))
}

pub(crate) fn requested_with(notice: &RequestNotice) -> String {
    line(Event::ExecutionRequested([ExecutionRequested {
        request_data: serde_json::to_string(notice).unwrap(),
        data_id: [u8::try_from(notice.request_id.0 % 256).unwrap(); 32],
        timestamp: 1,
    }]))
}

pub(crate) fn notice(id: u64, payment_yocto: u128) -> RequestNotice {
    RequestNotice {
        request_id: RequestId(id),
        sender_id: "alice.test".parse().unwrap(),
        predecessor_id: "game.test".parse().unwrap(),
        code_source: source(),
        resource_limits: limits::DEFAULT,
        input_data: "{}".into(),
        input_data_in_state: false,
        secrets_ref: None,
        response_format: ResponseFormat::Text,
        payment: NearToken::from_yoctonear(payment_yocto),
        attached_usd: "0".into(),
        timestamp: 1,
        compile_only: false,
        force_rebuild: false,
        store_on_fastfs: false,
        use_bound_identity: false,
        project_uuid: None,
        project_id: None,
    }
}

/// What the contract logs when a request ends; `error_type` says why it failed, if it did.
pub(crate) fn completed(id: u64, error_type: Option<FailureCode>) -> String {
    line(Event::ExecutionCompleted([ExecutionCompleted {
        request_id: Some(RequestId(id)),
        sender_id: "game.test".parse().unwrap(),
        code_source: source(),
        resources_used: ResourceMetrics {
            instructions: 1_000,
            time_ms: 3,
            compile_time_ms: None,
        },
        success: error_type.is_none(),
        error_message: None,
        error_type,
        payment_charged: NearToken::from_yoctonear(7),
        payment_refunded: NearToken::from_yoctonear(3),
        compilation_note: None,
        timestamp: 2,
    }]))
}

fn source() -> CodeSource {
    CodeSource::GitHub(GitHub {
        repo: "https://github.com/alice/random-ark".into(),
        commit: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".into(),
        build_target: BuildTarget::Wasip1,
    })
}

fn line(event: Event) -> String {
    let envelope = Envelope {
        standard: event::STANDARD.into(),
        version: event::VERSION.into(),
        event,
    };
    envelope.to_log().unwrap()
}
