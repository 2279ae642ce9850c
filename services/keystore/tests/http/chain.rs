//! A chain that the test writes, and which can be told not to answer.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use clients::near::{CryptoHash, PublicKey};
use keystore::parts::{KnowWorkers, ReadChain, Sight, SourceError};
use protocol::request::ExecutionRequest;
use protocol::secrets::{AccessCondition, Accessor, Profile, SecretProfileView};
use protocol::{AccountId, NearToken, RequestId};
use serde_json::{Value, json};

/// The height at which everything is seen.
pub(crate) const HEIGHT: u64 = 42;

#[derive(Debug, Default)]
pub(crate) struct Chain(Mutex<Facts>);

/// What is on the chain.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) requests: HashMap<u64, ExecutionRequest>,
    profiles: HashMap<String, SecretProfileView>,
    pub(crate) workers: HashSet<PublicKey>,
    pub(crate) owners: HashSet<(AccountId, PublicKey)>,
    /// What views answer, by contract and method.
    pub(crate) views: HashMap<String, Value>,
    /// Nothing is answered any more.
    pub(crate) down: bool,
    /// How often anything was asked.
    pub(crate) asked: usize,
}

impl Chain {
    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap()
    }

    fn ask<T>(&self, answer: impl FnOnce(&Facts) -> T) -> Result<T, SourceError> {
        let mut facts = self.facts();
        facts.asked += 1;
        if facts.down {
            return Err("the node is down".into());
        }
        Ok(answer(&facts))
    }
}

impl Facts {
    /// Stores a profile of alice's.
    pub(crate) fn store(&mut self, accessor: &Accessor, sealed: &str, access: Value) {
        self.store_sealed_for(accessor, accessor, sealed, access);
    }

    pub(crate) fn store_sealed_for(
        &mut self,
        accessor: &Accessor,
        sealed_for: &Accessor,
        sealed: &str,
        access: Value,
    ) {
        let access: AccessCondition = serde_json::from_value(access).unwrap();
        let view = SecretProfileView {
            encrypted_secrets: sealed.to_owned(),
            access,
            created_at: 0,
            updated_at: 0,
            storage_deposit: NearToken::from_yoctonear(0),
            accessor: accessor.clone(),
            sealed_for: sealed_for.clone(),
        };
        self.profiles.insert(accessor.to_string(), view);
    }

    /// A pending request of caller.near's for alice's default profile.
    pub(crate) fn request(&mut self, id: u64, source: &Value) {
        let resolved = match source.get("Project") {
            Some(_) => crate::town::github(),
            None => source.clone(),
        };
        let request = json!({
            "request_id": id,
            "data_id": vec![0; 32],
            "sender_id": "caller.near",
            "signer_id": "bob.near",
            "execution_source": source,
            "resolved_source": resolved,
            "resource_limits": {"max_instructions": 1, "max_memory_mb": 1, "max_execution_seconds": 1},
            "payment": "0",
            "timestamp": 0,
            "secrets_ref": {"profile": "default", "account_id": "alice.near"},
            "response_format": "Text",
            "attached_usd": "0",
        });
        let request = serde_json::from_value(request).unwrap();
        self.requests.insert(id, request);
    }
}

#[async_trait]
impl ReadChain for Chain {
    async fn request(&self, id: RequestId) -> Result<Option<ExecutionRequest>, SourceError> {
        self.ask(|facts| facts.requests.get(&id.0).cloned())
    }

    async fn profile(
        &self,
        accessor: &Accessor,
        profile: &Profile,
        owner: &AccountId,
    ) -> Result<Sight<Option<SecretProfileView>>, SourceError> {
        let stored = profile.as_str() == "default" && owner == "alice.near";
        let value = self.ask(|facts| {
            let find = |accessor: &Accessor| facts.profiles.get(&accessor.to_string());
            let fallback = || accessor.fallback().as_ref().and_then(find);
            find(accessor).or_else(fallback).filter(|_| stored).cloned()
        })?;
        Ok(Sight {
            value,
            block_height: HEIGHT,
            block_hash: CryptoHash::default(),
        })
    }

    async fn has_full_key(
        &self,
        account: &AccountId,
        key: &PublicKey,
    ) -> Result<bool, SourceError> {
        self.ask(|facts| facts.owners.contains(&(account.clone(), key.clone())))
    }

    async fn view(
        &self,
        _: CryptoHash,
        contract: &AccountId,
        method: &str,
        _: Value,
    ) -> Result<Value, SourceError> {
        let view = format!("{contract} {method}");
        self.ask(|facts| facts.views.get(&view).cloned())?
            .ok_or_else(|| "the view failed".into())
    }

    async fn balance(&self, _: CryptoHash, _: &AccountId) -> Result<NearToken, SourceError> {
        self.ask(|_| NearToken::from_near(1))
    }
}

#[async_trait]
impl KnowWorkers for Chain {
    async fn knows(&self, key: &PublicKey) -> Result<bool, SourceError> {
        self.ask(|facts| facts.workers.contains(key))
    }
}
