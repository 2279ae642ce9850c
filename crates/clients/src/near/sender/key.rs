//! One access key: its nonces, and whose turn it is.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use near_crypto::{InMemorySigner, PublicKey, SecretKey, Signer};
use near_primitives::action::Action;
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::{SignedTransaction, Transaction, TransactionV0};
use protocol::AccountId;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use crate::near::error::Error;
use crate::near::node::At;
use crate::near::transport::Node;

/// One access key of the sender's account.
pub(super) struct Key {
    account: AccountId,
    signer: Signer,
    public: PublicKey,
    /// The last nonce that was handed out or seen; none before the chain was asked.
    nonce: Mutex<Option<u64>>,
    /// Lets transactions go to the node in the order of their nonces: the queue of a semaphore is fair.
    turnstile: Semaphore,
    in_flight: AtomicUsize,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.public)
    }
}

/// Counts a transaction of a key while it is under way.
#[derive(Debug)]
pub(super) struct Boarded<'a>(&'a Key);

impl Drop for Boarded<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Key {
    pub(super) fn new(account: &AccountId, secret: SecretKey, unacknowledged: usize) -> Self {
        let signer = InMemorySigner::from_secret_key(account.clone(), secret);
        Self {
            account: account.clone(),
            public: signer.public_key(),
            signer,
            nonce: Mutex::new(None),
            turnstile: Semaphore::new(unacknowledged.max(1)),
            in_flight: AtomicUsize::new(0),
        }
    }

    pub(super) fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Whether only one transaction of this key is under way.
    pub(super) fn is_alone(&self) -> bool {
        self.in_flight() <= 1
    }

    pub(super) fn board(&self) -> Boarded<'_> {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Boarded(self)
    }

    /// Waits until it is the caller's turn to sign and hand in. The semaphore is never closed, so there is always a turn.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turnstile.acquire().await.ok()
    }

    /// The next nonce; the first is learned from the chain.
    pub(super) async fn next_nonce(&self, node: &Node, account: &AccountId) -> Result<u64, Error> {
        let mut last = self.nonce.lock().await;
        let seen = if let Some(nonce) = *last {
            nonce
        } else {
            let key = node.view_access_key(At::Latest, account, &self.public);
            key.await?.value.nonce
        };
        let next = seen.saturating_add(1);
        *last = Some(next);
        drop(last);
        Ok(next)
    }

    /// Learns that the chain has seen `nonce`: what is handed out from here on is above it.
    pub(super) async fn catch_up(&self, nonce: u64) {
        let mut last = self.nonce.lock().await;
        *last = Some(last.map_or(nonce, |known| known.max(nonce)));
    }

    pub(super) fn sign(
        &self,
        nonce: u64,
        receiver: &AccountId,
        actions: &[Action],
        block_hash: CryptoHash,
    ) -> SignedTransaction {
        let transaction = Transaction::V0(TransactionV0 {
            signer_id: self.account.clone(),
            public_key: self.public_key(),
            nonce,
            receiver_id: receiver.clone(),
            block_hash,
            actions: actions.to_vec(),
        });
        let (hash, _) = transaction.get_hash_and_size();
        let signature = self.signer.sign(hash.as_ref());
        SignedTransaction::new(signature, transaction)
    }
}
