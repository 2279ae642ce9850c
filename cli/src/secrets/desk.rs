//! One profile on the chain: what stands there, and what its owner changes.

use anyhow::{Context as _, Result, bail};
use clients::near::{KeyType, Node, Outcome, SecretKey, Sender, Settings, Until, sender};
use clients::outlayer::Contract;
use clients::outlayer::secrets::{Named, Store};
use clients::parts::Parts;
use protocol::keystore::Target;
use protocol::secrets::{AccessCondition, Accessor, Profile, SecretProfileView};
use protocol::{AccountId, NearToken};

use crate::args;
use crate::args::secrets::{Key, Place};

/// One profile on the chain, whether it is there or not.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) contract: Contract,
    pub(super) owner: AccountId,
    pub(super) accessor: Accessor,
    pub(super) profile: Profile,
}

/// The contract that is named.
pub(super) fn contract(chain: &args::Chain) -> Result<Contract> {
    let rpc = chain.rpc.parse().context("--rpc is an address")?;
    let node = Node::connect(&Settings::new(vec![rpc]))?;
    Ok(Contract::new(node, chain.contract.clone()))
}

impl Desk {
    /// The profile that is named.
    pub(super) fn of(place: &Place) -> Result<Self> {
        Ok(Self {
            contract: contract(&place.chain)?,
            owner: place.owner.account.clone(),
            accessor: place.named.accessor()?,
            profile: place.named.profile.clone(),
        })
    }

    /// Its name.
    pub(super) const fn named(&self) -> Named<'_> {
        Named {
            accessor: &self.accessor,
            profile: &self.profile,
        }
    }

    /// As the keystore signs about it.
    pub(super) const fn target(&self) -> Target<'_> {
        Target {
            contract_id: self.contract.contract_id(),
            accessor: &self.accessor,
            owner: &self.owner,
            profile: &self.profile,
        }
    }

    /// Its name in words.
    pub(super) fn title(&self) -> String {
        let Self {
            owner,
            accessor,
            profile,
            ..
        } = self;
        format!("{owner}'s profile {profile} for {accessor}")
    }

    /// What stands on the chain under just this name: not the repository's profile in the place of a branch's.
    pub(super) async fn find(&self) -> Result<Option<SecretProfileView>> {
        let found = self.contract.get_secrets(&self.owner, &self.named()).await;
        let found = found.with_context(|| {
            let contract = self.contract.contract_id();
            format!("ask {contract} for {}; is it deployed there?", self.title())
        })?;
        Ok(found.filter(|view| match view.accessor {
            Accessor::Repo { .. } => view.accessor == self.accessor,
            _ => true,
        }))
    }

    /// What stands on the chain, which must be there.
    pub(super) async fn stored(&self) -> Result<SecretProfileView> {
        let found = self.find().await?;
        found.with_context(|| {
            let Self {
                owner,
                accessor,
                profile,
                ..
            } = self;
            format!(
                "{owner} has no profile {profile} for {accessor}; `outlayer secrets list` shows those that are there, `outlayer secrets \
                 set` stores one"
            )
        })
    }

    /// What storing takes beyond what is held already.
    pub(super) async fn deposit(
        &self,
        sealed: &str,
        access: &AccessCondition,
    ) -> Result<NearToken> {
        let store = self.store(sealed, access);
        let estimated = self
            .contract
            .estimate_storage_cost(Some(&self.owner), &store);
        estimated.await.context("ask the contract what it takes")
    }

    /// Stores, and says which deposit it took.
    pub(super) async fn store_sealed(
        &self,
        sender: &Sender,
        sealed: &str,
        access: &AccessCondition,
    ) -> Result<(NearToken, Outcome)> {
        let deposit = self.deposit(sealed, access).await?;
        let store = self.store(sealed, access);
        let stored = self.contract.store_secrets(sender, &store, deposit).await;
        Ok((deposit, stored.context("store the secrets")?))
    }

    /// Who signs for the owner, and waits until everybody sees what was changed: the keystore reads final blocks.
    pub(super) fn sender(&self, key: &SecretKey) -> Result<Sender> {
        let settings = sender::Settings {
            until: Until::Final,
            ..sender::Settings::default()
        };
        let node = self.contract.node().clone();
        let keys = vec![key.clone()];
        let parts = Parts::of_the_machine();
        Ok(Sender::new(
            node,
            self.owner.clone(),
            keys,
            parts,
            settings,
        )?)
    }

    const fn store<'a>(&'a self, sealed: &'a str, access: &'a AccessCondition) -> Store<'a> {
        Store {
            named: self.named(),
            encrypted_secrets_base64: sealed,
            access,
        }
    }
}

/// The owner's key.
pub(super) fn secret_key(key: &Key) -> Result<SecretKey> {
    let read: Result<SecretKey, _> = key.secret_key.as_str().parse();
    // The reason would show what was given.
    match read {
        Ok(key) if matches!(key.key_type(), KeyType::ED25519) => Ok(key),
        _ => bail!("--secret-key is `ed25519:…`"),
    }
}
