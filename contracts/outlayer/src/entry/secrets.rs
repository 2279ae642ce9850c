//! Owners store secrets; keystores and owners read them.

use near_sdk::{env, near};
use protocol::project::{ProjectId, ProjectRef};
use protocol::secrets::{Accessor, SecretProfileView, UserSecretInfo};
use protocol::{AccountId, NearToken};

use super::transfer::Purpose;
use super::{Outlayer, OutlayerExt, digest, roll};
use crate::announce::{Change, Profiled};
use crate::projects::no_project;
use crate::refusal::Refusal;
use crate::secrets::arguments::{Find, Named, Store, Update};
use crate::secrets::{Record, Secret, key_of, not_found};
use crate::storage::{Digest, Page};

#[near]
impl Outlayer {
    /// Stores or replaces a profile of the caller's. The arguments are `accessor`, or `repo` and `branch`; `profile`,
    /// `encrypted_secrets_base64` and `access`.
    ///
    /// The deposit must cover what the profile's bytes cost beyond what is held for them; the rest comes back.
    #[payable]
    #[handle_result]
    pub fn store_secrets(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let arguments = Store::read(&env::input().unwrap_or_default())?;
        let accessor = self.pin_existing(&arguments.named.accessor)?;
        let (mut secret, sealed) = Secret::new(arguments, accessor, env::block_timestamp());
        let key = digest(&key_of(&secret.accessor, &secret.profile, &owner));
        let before = self.secrets.get(&key).map(Record::get);
        let known = before.map(|it| (it.created_at, it.position, it.deposit));

        let held = known.map_or(NearToken::default(), |(_, _, deposit)| deposit);
        let back = self.restake(held, &mut secret)?;
        if let Some((created_at, position, _)) = known {
            (secret.created_at, secret.position) = (created_at, position);
        } else {
            let list = digest(owner.as_bytes());
            secret.position = roll::push(&mut self.secrets_of, list, key);
        }
        self.log_change(&Change::SecretsStored([profiled(&secret, &owner)]));
        self.sealed.set(key, Some(sealed));
        self.secrets.set(key, Some(Record::V1(secret)));
        Self::pay(&owner, back, Purpose::Refund);
        Ok(())
    }

    /// Changes for whom a profile of the caller's is opened. The arguments are those that name it, and `new_access`. A larger
    /// condition takes a deposit, a smaller one returns some.
    #[payable]
    #[handle_result]
    pub fn update_access(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let Update { named, access } = Update::read(&env::input().unwrap_or_default())?;
        let (key, secret) = self.profile(&named, &owner)?;
        let mut secret = Secret {
            access,
            updated_at: env::block_timestamp(),
            ..secret.clone()
        };
        let back = self.restake(secret.deposit, &mut secret)?;
        self.log_change(&Change::SecretsAccessUpdated([profiled(&secret, &owner)]));
        self.secrets.set(key, Some(Record::V1(secret)));
        Self::pay(&owner, back, Purpose::Refund);
        Ok(())
    }

    /// Deletes a profile of the caller's and returns all that was held for it. The arguments are those that name it.
    #[payable]
    #[handle_result]
    pub fn delete_secrets(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let named = Named::read(&env::input().unwrap_or_default())?;
        let (key, secret) = self.profile(&named, &owner)?;
        let secret = secret.clone();
        self.ledger.release(secret.deposit);
        self.log_change(&Change::SecretsDeleted([profiled(&secret, &owner)]));
        let list = digest(owner.as_bytes());
        if let Some(moved) = roll::remove(&mut self.secrets_of, list, secret.position) {
            self.move_profile(moved, secret.position);
        }
        self.sealed.set(key, None);
        self.secrets.set(key, None);
        let back = secret.deposit.saturating_add(env::attached_deposit());
        Self::pay(&owner, back, Purpose::Refund);
        Ok(())
    }

    /// A profile with its sealed secrets; the arguments are those that name it, and `owner`. A branch without one of its own has
    /// that of its repository.
    #[handle_result]
    pub fn get_secrets(&self) -> Result<Option<SecretProfileView>, Refusal> {
        let Find { named, owner } = Find::read(&env::input().unwrap_or_default())?;
        let own = self.profile(&named, &owner);
        let found = own.or_else(|refusal| {
            let accessor = named.accessor.fallback().ok_or(refusal)?;
            let profile = named.profile.clone();
            self.profile(&Named { accessor, profile }, &owner)
        });
        let Ok((key, secret)) = found else {
            return Ok(None);
        };
        let sealed = self.sealed.get(&key).map(Vec::as_slice);
        let project = self.project_of(&secret.accessor);
        Ok(Some(secret.view(sealed.unwrap_or_default(), project)))
    }

    /// Whether there is such a profile, of just this branch if one is named; the arguments are those of `get_secrets`.
    #[handle_result]
    pub fn secrets_exist(&self) -> Result<bool, Refusal> {
        let Find { named, owner } = Find::read(&env::input().unwrap_or_default())?;
        Ok(self.profile(&named, &owner).is_ok())
    }

    /// The profiles of an account, at most a hundred, in no order.
    pub fn list_user_secrets(
        &self,
        account_id: &AccountId,
        from_index: Option<u64>,
        limit: Option<u64>,
    ) -> Vec<UserSecretInfo> {
        let list = digest(account_id.as_bytes());
        let keys = roll::page(&self.secrets_of, list, Page::new(from_index, limit));
        let secrets = keys.iter().filter_map(|key| self.secrets.get(key));
        secrets
            .map(Record::get)
            .map(|secret| secret.listed(self.project_of(&secret.accessor)))
            .collect()
    }

    /// What `store_secrets` takes for the same arguments: of a new profile, or, if `owner` is named, of that owner, who may have
    /// the profile already and then pays for what is added to it.
    #[handle_result]
    pub fn estimate_storage_cost(&self) -> Result<NearToken, Refusal> {
        let arguments = Store::read(&env::input().unwrap_or_default())?;
        let accessor = self.pin_existing(&arguments.named.accessor)?;
        let owner = arguments.owner.clone();
        let (secret, _) = Secret::new(arguments, accessor, 0);
        let held = owner.and_then(|owner| {
            let key = digest(&key_of(&secret.accessor, &secret.profile, &owner));
            self.secrets.get(&key).map(|record| record.get().deposit)
        });
        let price = Self::holdings(NearToken::default()).price(secret.stored_bytes());
        Ok(price.saturating_sub(held.unwrap_or_default()))
    }
}

impl Outlayer {
    /// The profile that `owner` has by this name, and its key.
    fn profile(&self, named: &Named, owner: &AccountId) -> Result<(Digest, &Secret), Refusal> {
        let accessor = self.pin(&named.accessor)?;
        let key = digest(&key_of(&accessor, &named.profile, owner));
        let record = self.secrets.get(&key);
        let record = record.ok_or_else(|| not_found(named, owner))?;
        Ok((key, record.get()))
    }

    /// Takes what `secret` costs of what was `held` for it and of the attached deposit, and says what goes back.
    fn restake(&mut self, held: NearToken, secret: &mut Secret) -> Result<NearToken, Refusal> {
        let attached = env::attached_deposit();
        let holdings = Self::holdings(attached);
        let bytes = secret.stored_bytes();
        let bill = self.ledger.restake(held, bytes, attached, &holdings)?;
        secret.deposit = bill.held;
        Ok(bill.back)
    }

    /// A profile has another place in its owner's list.
    fn move_profile(&mut self, key: Digest, position: u32) {
        if let Some(Record::V1(secret)) = self.secrets.get_mut(&key) {
            secret.position = position;
        }
    }

    /// An accessor as profiles keep it: a project by its uuid.
    fn pin(&self, accessor: &Accessor) -> Result<Accessor, Refusal> {
        let Accessor::Project { project_id } = accessor else {
            return Ok(accessor.clone());
        };
        let uuid = self.uuid_of(project_id);
        let uuid = uuid.ok_or_else(|| no_project(project_id))?;
        Ok(Accessor::Project {
            project_id: ProjectRef::Uuid(uuid),
        })
    }

    /// As [`Outlayer::pin`], but refuses a project that is deleted.
    fn pin_existing(&self, accessor: &Accessor) -> Result<Accessor, Refusal> {
        let pinned = self.pin(accessor)?;
        match &pinned {
            Accessor::Project { project_id } if self.project_of(&pinned).is_none() => {
                Err(no_project(project_id))
            }
            _ => Ok(pinned),
        }
    }

    /// What the project of an accessor is called now, if it is one's and there.
    fn project_of(&self, accessor: &Accessor) -> Option<ProjectId> {
        match accessor {
            Accessor::Project {
                project_id: ProjectRef::Uuid(uuid),
            } => Some(self.projects.get(uuid)?.get().id.clone()),
            _ => None,
        }
    }
}

fn profiled<'a>(secret: &'a Secret, owner: &'a AccountId) -> Profiled<'a> {
    Profiled {
        owner,
        accessor: &secret.accessor,
        profile: &secret.profile,
        storage_deposit: secret.deposit,
    }
}
