//! Access keys: added and deleted, each taking storage.

use super::{Acting, Done};
use crate::fees;
use crate::runtime::Runtime;
use crate::verifier::nonce_bound;
use near_crypto::PublicKey;
use near_primitives::account::AccessKey;
use near_primitives::errors::ActionErrorKind as E;
use near_primitives::trie_key::TrieKey;

impl Runtime {
    pub(super) fn add_key(
        &self,
        acting: &mut Acting<'_>,
        public_key: &PublicKey,
        key: &AccessKey,
    ) -> Done {
        let id = acting.id();
        acting.own()?;
        if acting.state.access_key(&id, public_key).is_some() {
            return Err(E::AddKeyAlreadyExists {
                account_id: id,
                public_key: Box::new(public_key.clone()),
            });
        }
        let nonce = nonce_bound(acting.scene.block.height.saturating_sub(1));
        let key = AccessKey {
            nonce,
            permission: key.permission.clone(),
        };
        acting.state.set_access_key(&id, public_key, &key);
        let bytes = fees::key_storage(&self.config, public_key, &key);
        let account = acting.own()?;
        account.set_storage_usage(account.storage_usage().saturating_add(bytes));
        Ok(())
    }

    pub(super) fn delete_key(&self, acting: &mut Acting<'_>, public_key: &PublicKey) -> Done {
        let id = acting.id();
        acting.own()?;
        let Some(key) = acting.state.access_key(&id, public_key) else {
            return Err(E::DeleteKeyDoesNotExist {
                account_id: id,
                public_key: Box::new(public_key.clone()),
            });
        };
        acting
            .state
            .remove(&TrieKey::access_key(id, public_key.clone()));
        let bytes = fees::key_storage(&self.config, public_key, &key);
        let account = acting.own()?;
        account.set_storage_usage(account.storage_usage().saturating_sub(bytes));
        Ok(())
    }
}
