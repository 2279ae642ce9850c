//! Owners add, choose and remove versions of their projects.

use near_sdk::{env, near};
use protocol::project::{ProjectId, ProjectRef, ProjectUuid, VersionView};
use protocol::{FailureCode, NearToken};

use super::transfer::Purpose;
use super::{Outlayer, OutlayerExt, digest, roll};
use crate::announce::{Change, Projected};
use crate::projects::{
    Activation, Add, Choose, MAX_VERSIONS, Project, ProjectRecord, Version, VersionRecord,
    no_version,
};
use crate::refusal::Refusal;
use crate::storage::{Digest, Page};

#[near]
impl Outlayer {
    /// Adds a version to a project of the caller's. The arguments are `project_name`, `source` and `set_active`. The deposit must
    /// cover what its bytes cost; the rest comes back.
    #[payable]
    #[handle_result]
    pub fn add_version(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let json = env::input().unwrap_or_default();
        let (id, code, activation) = Add::read(&json, owner.clone())?;
        let (uuid, project) = self.named_project(&id)?;
        let mut project = project.clone();
        let mut version = Version::new(code, env::block_timestamp());
        let key_text = version.source.version_key();
        let key = digest(key_text.as_bytes());
        self.require_room(uuid, &id, key)?;

        let attached = env::attached_deposit();
        let bytes = version.stored_bytes();
        let holdings = Self::holdings(attached);
        let bill = self
            .ledger
            .restake(NearToken::default(), bytes, attached, &holdings)?;
        version.deposit = bill.held;
        project.versions_deposit = project.versions_deposit.saturating_add(bill.held);
        if activation == Activation::AtOnce {
            project.active = key;
        }
        self.log_change(&Change::VersionAdded([of(uuid, &id, &key_text)]));
        if activation == Activation::AtOnce {
            self.log_change(&Change::VersionActivated([of(uuid, &id, &key_text)]));
        }
        self.put_version(uuid, key, version);
        self.projects.set(uuid, Some(ProjectRecord::V1(project)));
        Self::pay(&owner, bill.back, Purpose::Refund);
        Ok(())
    }

    /// Makes a version of a project of the caller's the one that runs when none is named. The arguments are `project_name` and
    /// `version_key`.
    #[payable]
    #[handle_result]
    pub fn set_active_version(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let json = env::input().unwrap_or_default();
        let (id, key_text) = Choose::read(&json, owner.clone())?;
        let (uuid, project) = self.named_project(&id)?;
        let key = digest(key_text.as_bytes());
        if !self.versions.contains_key(&(uuid, key)) {
            return Err(no_version(&id, &key_text));
        }
        let project = Project {
            active: key,
            ..project.clone()
        };
        self.log_change(&Change::VersionActivated([of(uuid, &id, &key_text)]));
        self.projects.set(uuid, Some(ProjectRecord::V1(project)));
        Self::pay(&owner, env::attached_deposit(), Purpose::Refund);
        Ok(())
    }

    /// Removes a version other than the active one of a project of the caller's and returns what was held for it. The arguments
    /// are `project_name` and `version_key`.
    #[payable]
    #[handle_result]
    pub fn remove_version(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let json = env::input().unwrap_or_default();
        let (id, key_text) = Choose::read(&json, owner.clone())?;
        let (uuid, project) = self.named_project(&id)?;
        let mut project = project.clone();
        let key = digest(key_text.as_bytes());
        let version = self.versions.get(&(uuid, key)).map(VersionRecord::get);
        let (held, position) = version
            .map(|version| (version.deposit, version.position))
            .ok_or_else(|| no_version(&id, &key_text))?;
        if project.active == key {
            let sentence = "the version is the active one; activate another first";
            return Err(Refusal::new(FailureCode::VersionActive, sentence));
        }
        self.ledger.release(held);
        project.versions_deposit = project.versions_deposit.saturating_sub(held);
        self.log_change(&Change::VersionRemoved([of(uuid, &id, &key_text)]));
        if let Some(moved) = roll::remove(&mut self.versions_of, uuid, position)
            && let Some(VersionRecord::V1(moved)) = self.versions.get_mut(&(uuid, moved))
        {
            moved.position = position;
        }
        self.versions.set((uuid, key), None);
        self.projects.set(uuid, Some(ProjectRecord::V1(project)));
        let back = held.saturating_add(env::attached_deposit());
        Self::pay(&owner, back, Purpose::Refund);
        Ok(())
    }

    /// A version of a project.
    pub fn get_version(&self, project_id: &ProjectRef, version_key: String) -> Option<VersionView> {
        let (uuid, active) = self.known_project(project_id)?;
        let key = digest(&version_key.into_bytes());
        let version = self.versions.get(&(uuid, key))?.get();
        Some(version.view(active == key))
    }

    /// The versions of a project, at most a hundred, in no order.
    pub fn list_versions(
        &self,
        project_id: &ProjectRef,
        from_index: Option<u64>,
        limit: Option<u64>,
    ) -> Vec<VersionView> {
        let Some((uuid, active)) = self.known_project(project_id) else {
            return Vec::new();
        };
        let keys = roll::page(&self.versions_of, uuid, Page::new(from_index, limit));
        let views = keys.into_iter().filter_map(|key| {
            let version = self.versions.get(&(uuid, key))?.get();
            Some(version.view(active == key))
        });
        views.collect()
    }

    /// How many versions a project has.
    pub fn get_version_count(&self, project_id: &ProjectRef) -> u32 {
        self.known_project(project_id)
            .map_or(0, |(uuid, _)| roll::count(&self.versions_of, uuid))
    }
}

impl Outlayer {
    /// Stores a version and lists it.
    pub(super) fn put_version(&mut self, uuid: ProjectUuid, key: Digest, mut version: Version) {
        version.position = roll::push(&mut self.versions_of, uuid, key);
        self.versions
            .set((uuid, key), Some(VersionRecord::V1(version)));
    }

    /// A project by either of its names, and its active version.
    fn known_project(&self, project: &ProjectRef) -> Option<(ProjectUuid, Digest)> {
        let uuid = self.uuid_of(project)?;
        Some((uuid, self.projects.get(&uuid)?.get().active))
    }

    /// Refuses a version that the project has, or one more than it may have.
    fn require_room(&self, uuid: ProjectUuid, id: &ProjectId, key: Digest) -> Result<(), Refusal> {
        if self.versions.contains_key(&(uuid, key)) {
            let sentence = format!("the project {id} has that version already");
            return Err(Refusal::new(FailureCode::VersionExists, sentence));
        }
        if roll::count(&self.versions_of, uuid) < MAX_VERSIONS {
            return Ok(());
        }
        let sentence = format!("a project has at most {MAX_VERSIONS} versions; remove one first");
        Err(Refusal::new(FailureCode::TooManyVersions, sentence))
    }
}

fn of<'a>(project_uuid: ProjectUuid, project_id: &'a ProjectId, key: &'a str) -> Projected<'a> {
    Projected {
        project_uuid,
        project_id,
        version_key: Some(key),
        was: None,
    }
}
