//! Headers of blocks and chunks: nearcore's own, hashed and signed as nearcore does it.
//!
//! As on a node, a header vouches for what came before: it has the root of the state, of the outcomes and of the receipts that
//! the block before left behind. What a client can follow from there is true: outcomes, state, older blocks, approvals. What it
//! cannot are the parts that exist to distribute a chunk among validators (its encoded parts) and the randomness beacon.

use super::produce::Draft;
use super::{Block, Chain, MerkleTree};
use crate::genesis::{VALIDATOR_STAKE, signer};
use crate::runtime::BlockContext;
use near_primitives::bandwidth_scheduler::BandwidthRequests;
use near_primitives::block_header::{Approval, BlockHeader, compute_bp_hash_from_validator_stakes};
use near_primitives::congestion_info::CongestionInfo;
use near_primitives::hash::CryptoHash;
use near_primitives::merkle::PartialMerkleTree;
use near_primitives::sharding::{ChunkHashHeight, ShardChunkHeader, ShardChunkHeaderV3};
use near_primitives::stateless_validation::chunk_endorsements_bitmap::ChunkEndorsementsBitmap;
use near_primitives::types::validator_stake::ValidatorStake;
use near_primitives::types::{Balance, EpochId, Gas, ShardId};
use near_primitives::validator_signer::{InMemoryValidatorSigner, ValidatorSigner};
use near_primitives::version::PROTOCOL_VERSION;
use std::sync::Arc;

/// What a block may burn. Unit: gas. Source: mainnet's genesis; nothing here holds a block to it.
const GAS_LIMIT: Gas = Gas::from_teragas(1000);

/// The localnet has one shard.
pub(crate) const SHARD: ShardId = ShardId::new(0);

/// The one validator, who makes and signs everything.
#[derive(Debug)]
pub(super) struct Validator {
    signer: ValidatorSigner,
    /// The hash of the set of validators, which is the same in every epoch.
    set_hash: CryptoHash,
}

impl Validator {
    pub(super) fn new() -> Self {
        Self {
            signer: InMemoryValidatorSigner::from_signer(signer(&Chain::author())),
            set_hash: compute_bp_hash_from_validator_stakes(&vec![stake()], true),
        }
    }
}

/// What the validator has at stake, and the key it signs with.
pub(crate) fn stake() -> ValidatorStake {
    let id = Chain::author();
    let public_key = signer(&id).public_key();
    ValidatorStake::new(id, public_key, VALIDATOR_STAKE)
}

/// The hashes of all blocks that ever were, kept or not.
#[derive(Debug, Default)]
pub(super) struct Ancestors {
    hashes: Vec<CryptoHash>,
    tree: PartialMerkleTree,
}

impl Ancestors {
    pub(super) fn add(&mut self, hash: CryptoHash) {
        self.hashes.push(hash);
        self.tree.insert(hash);
    }
}

impl Chain {
    /// The headers of a block whose transactions are known.
    pub(super) fn seal(&self, draft: &Draft) -> (ShardChunkHeader, BlockHeader) {
        let prev = self.blocks.back();
        let chunk = self.chunk_header(draft, prev.map(Arc::as_ref));
        let header = self.block_header(&draft.ctx, &chunk, prev.map(Arc::as_ref));
        (chunk, header)
    }

    fn chunk_header(&self, draft: &Draft, prev: Option<&Block>) -> ShardChunkHeader {
        let sent = CryptoHash::hash_borsh((SHARD, &draft.incoming));
        let mut chunk = ShardChunkHeaderV3::new(
            prev.map_or(CryptoHash::default(), |prev| prev.hash),
            prev.map_or_else(|| self.state.root(), |prev| prev.state.root()),
            prev.map_or(CryptoHash::default(), |prev| prev.outcome_tree.root()),
            CryptoHash::default(),
            0,
            draft.ctx.height,
            SHARD,
            prev.map_or(Gas::ZERO, |prev| prev.gas_used),
            GAS_LIMIT,
            prev.map_or(Balance::ZERO, |prev| prev.burnt),
            MerkleTree::of([sent]).root(),
            MerkleTree::of(draft.txs.iter().map(|(tx, _)| tx)).root(),
            Vec::new(),
            CongestionInfo::default(),
            BandwidthRequests::empty(),
            None,
            &self.validator.signer,
            PROTOCOL_VERSION,
        );
        chunk.height_included = draft.ctx.height;
        ShardChunkHeader::V3(chunk)
    }

    fn block_header(
        &self,
        ctx: &BlockContext,
        chunk: &ShardChunkHeader,
        prev: Option<&Block>,
    ) -> BlockHeader {
        let signer = &self.validator.signer;
        let approval = prev.map(|prev| {
            let approval = Approval::new(prev.hash, prev.height(), ctx.height, signer);
            Box::new(approval.signature)
        });
        let (last_ds_final, last_final) = finality(ctx, prev);
        let in_place = ChunkHashHeight(chunk.chunk_hash().clone(), ctx.height);
        BlockHeader::new(
            PROTOCOL_VERSION,
            PROTOCOL_VERSION,
            ctx.height,
            prev.map_or(CryptoHash::default(), |prev| prev.hash),
            CryptoHash::hash_borsh(chunk),
            MerkleTree::of([chunk.prev_state_root()]).root(),
            MerkleTree::of([chunk.prev_outgoing_receipts_root()]).root(),
            MerkleTree::of([in_place]).root(),
            MerkleTree::of([chunk.tx_root()]).root(),
            MerkleTree::of([chunk.prev_outcome_root()]).root(),
            ctx.timestamp,
            ctx.random_seed,
            Vec::new(),
            vec![true],
            self.ancestors.tree.size().saturating_add(1),
            EpochId::default(),
            EpochId::default(),
            ctx.gas_price,
            self.total_supply,
            signer,
            last_final,
            last_ds_final,
            None,
            approval.map(Some).into_iter().collect(),
            self.validator.set_hash,
            self.ancestors.tree.root(),
            prev.map_or(0, Block::height),
            Some(ChunkEndorsementsBitmap::from_endorsements(vec![vec![true]])),
            None,
            None,
            None,
            None,
        )
    }

    /// The blocks of the chain up to one, that one not included, as its header's `block_merkle_root` covers them.
    pub(crate) fn ancestors_of(&self, block: &Block) -> MerkleTree {
        let before = usize::try_from(block.header.block_ordinal().saturating_sub(1));
        let before = before
            .ok()
            .and_then(|count| self.ancestors.hashes.get(..count));
        MerkleTree::new(before.unwrap_or_default().to_vec())
    }
}

/// The blocks that a new block makes final, by the rules of nearcore's Doomslug: one that the next height follows is nearly
/// final, and final is the first of three in a row.
fn finality(ctx: &BlockContext, prev: Option<&Block>) -> (CryptoHash, CryptoHash) {
    let Some(prev) = prev else {
        return Default::default();
    };
    let header = &prev.header;
    if prev.height().checked_add(1) != Some(ctx.height) {
        return (*header.last_ds_final_block(), *header.last_final_block());
    }
    let last_final = if *header.last_ds_final_block() == prev.prev_hash {
        prev.prev_hash
    } else {
        *header.last_final_block()
    };
    (prev.hash, last_final)
}
