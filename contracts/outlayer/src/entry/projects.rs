//! Owners make, delete and hand over projects.

use near_sdk::{env, near};
use protocol::project::{ProjectId, ProjectRef, ProjectUuid, ProjectView};
use protocol::source::{CodeSource, ExecutionSource};
use protocol::{AccountId, FailureCode, NearToken};

use super::transfer::Purpose;
use super::{Outlayer, OutlayerExt, digest, roll};
use crate::announce::{Change, Projected, SystemEvent};
use crate::pending::NamedProject;
use crate::projects::{Create, Project, ProjectRecord, Version, Whole, no_project, no_version};
use crate::refusal::Refusal;
use crate::storage::Page;

#[near]
impl Outlayer {
    /// Makes a project of the caller's, with its first version, and says its uuid. The arguments are `name` and `source`. The
    /// deposit must cover what its bytes cost; the rest comes back.
    #[payable]
    #[handle_result]
    pub fn create_project(&mut self) -> Result<ProjectUuid, Refusal> {
        let owner = env::predecessor_account_id();
        let json = env::input().unwrap_or_default();
        let (id, code) = Create::read(&json, owner.clone())?;
        self.require_free(&id)?;
        let now = env::block_timestamp();
        let mut version = Version::new(code, now);
        let key = version.source.version_key();
        let mut project = Project::new(id, digest(key.as_bytes()), now);

        let attached = env::attached_deposit();
        let holdings = Self::holdings(attached);
        let own = project.stored_bytes();
        let all = own.saturating_add(version.stored_bytes());
        let bill = self
            .ledger
            .restake(NearToken::default(), all, attached, &holdings)?;
        project.deposit = holdings.price(own);
        version.deposit = bill.held.saturating_sub(project.deposit);
        project.versions_deposit = version.deposit;

        let uuid = self.tally.open_project();
        self.log_change(&Change::ProjectCreated([Projected {
            project_uuid: uuid,
            project_id: &project.id,
            version_key: Some(&key),
            was: None,
        }]));
        self.put_version(uuid, project.active, version);
        self.enlist(uuid, project);
        Self::pay(&owner, bill.back, Purpose::Refund);
        Ok(uuid)
    }

    /// Deletes a project of the caller's with all versions and returns all that was held for them. The argument is
    /// `project_name`. Profiles of secrets stay their owners', named by the project's uuid.
    #[payable]
    #[handle_result]
    pub fn delete_project(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let id = Whole::read(&env::input().unwrap_or_default(), owner.clone())?;
        let (uuid, project) = self.named_project(&id)?;
        let project = project.clone();
        let held = project.all_deposits();
        self.ledger.release(held);
        self.log_change(&Change::SystemEvent([SystemEvent::ProjectStorageCleanup {
            project_id: &id,
            project_uuid: uuid,
            timestamp: env::block_timestamp(),
        }]));
        for version in roll::clear(&mut self.versions_of, uuid) {
            self.versions.set((uuid, version), None);
        }
        self.delist(&project);
        self.projects.set(uuid, None);
        let back = held.saturating_add(env::attached_deposit());
        Self::pay(&owner, back, Purpose::Refund);
        Ok(())
    }

    /// Hands a project of the caller's over, with its versions, its uuid and all that is kept by it. The arguments are
    /// `project_name` and `new_owner`, who gets what is held for it if it is deleted. A longer owner's name takes a deposit, a
    /// shorter one returns some.
    #[payable]
    #[handle_result]
    pub fn transfer_project(&mut self) -> Result<(), Refusal> {
        let owner = env::predecessor_account_id();
        let json = env::input().unwrap_or_default();
        let (was, id) = Whole::transfer(&json, owner.clone())?;
        let (uuid, before) = self.named_project(&was)?;
        let before = before.clone();
        self.require_free(&id)?;
        let mut project = Project {
            id,
            ..before.clone()
        };
        let attached = env::attached_deposit();
        let bill = self.ledger.restake(
            before.deposit,
            project.stored_bytes(),
            attached,
            &Self::holdings(attached),
        )?;
        project.deposit = bill.held;
        self.log_change(&Change::ProjectTransferred([Projected {
            project_uuid: uuid,
            project_id: &project.id,
            version_key: None,
            was: Some(&was),
        }]));
        self.delist(&before);
        self.enlist(uuid, project);
        Self::pay(&owner, bill.back, Purpose::Refund);
        Ok(())
    }

    /// A project, by `owner/name` or by its uuid.
    pub fn get_project(&self, project_id: &ProjectRef) -> Option<ProjectView> {
        self.project_view(self.uuid_of(project_id)?)
    }

    /// The projects of an account, at most a hundred, in no order.
    pub fn list_user_projects(
        &self,
        account_id: &AccountId,
        from_index: Option<u64>,
        limit: Option<u64>,
    ) -> Vec<ProjectView> {
        let list = digest(account_id.as_bytes());
        let page = roll::page(&self.projects_of, list, Page::new(from_index, limit));
        let views = page.into_iter().map(|uuid| self.project_view(uuid));
        views.flatten().collect()
    }
}

impl Outlayer {
    /// The uuid of a project. One that is named by its uuid need not be there any more.
    pub(super) fn uuid_of(&self, project: &ProjectRef) -> Option<ProjectUuid> {
        match project {
            ProjectRef::Uuid(uuid) => Some(*uuid),
            ProjectRef::Id(id) => {
                let name = digest(id.to_string().as_bytes());
                self.project_names.get(&name).copied()
            }
        }
    }

    /// The project of this name.
    pub(super) fn named_project(&self, id: &ProjectId) -> Result<(ProjectUuid, &Project), Refusal> {
        let name = digest(id.to_string().as_bytes());
        let uuid = self.project_names.get(&name);
        let found = uuid.and_then(|uuid| Some((*uuid, self.projects.get(uuid)?.get())));
        found.ok_or_else(|| no_project(id))
    }

    /// The code that a request's source stands for, and the project that it names.
    pub(super) fn code_of(
        &self,
        source: &ExecutionSource,
    ) -> Result<(CodeSource, Option<NamedProject>, Option<ProjectUuid>), Refusal> {
        let (project_id, version_key) = match source {
            ExecutionSource::GitHub(it) => return Ok((CodeSource::GitHub(it.clone()), None, None)),
            ExecutionSource::WasmUrl(it) => {
                return Ok((CodeSource::WasmUrl(it.clone()), None, None));
            }
            ExecutionSource::Project {
                project_id,
                version_key,
            } => (project_id, version_key),
        };
        let named: ProjectRef = project_id.parse().map_err(|_| no_project(project_id))?;
        let found = self
            .uuid_of(&named)
            .and_then(|uuid| Some((uuid, self.projects.get(&uuid)?.get())));
        let (uuid, project) = found.ok_or_else(|| no_project(&named))?;
        let key = match version_key {
            Some(key) => digest(key.as_bytes()),
            None => project.active,
        };
        let version = self
            .versions
            .get(&(uuid, key))
            .ok_or_else(|| no_version(&project.id, version_key.as_deref().unwrap_or_default()))?;
        let named = NamedProject {
            project_id: project.id.clone(),
            version_key: version_key.clone(),
        };
        Ok((version.get().source.clone(), Some(named), Some(uuid)))
    }

    fn project_view(&self, uuid: ProjectUuid) -> Option<ProjectView> {
        let project = self.projects.get(&uuid)?.get();
        let active = self.versions.get(&(uuid, project.active));
        let active = active.map(|version| version.get().source.version_key());
        Some(project.view(uuid, active.unwrap_or_default()))
    }

    fn require_free(&self, id: &ProjectId) -> Result<(), Refusal> {
        let name = digest(id.to_string().as_bytes());
        if !self.project_names.contains_key(&name) {
            return Ok(());
        }
        let sentence = format!("there is a project {id} already");
        Err(Refusal::new(FailureCode::ProjectExists, sentence))
    }

    /// Stores a project under its name and in its owner's list.
    fn enlist(&mut self, uuid: ProjectUuid, mut project: Project) {
        let list = digest(project.id.owner().as_bytes());
        project.position = roll::push(&mut self.projects_of, list, uuid);
        let name = digest(project.id.to_string().as_bytes());
        self.project_names.set(name, Some(uuid));
        self.projects.set(uuid, Some(ProjectRecord::V1(project)));
    }

    /// Takes a project's name away and takes it out of its owner's list.
    fn delist(&mut self, project: &Project) {
        let list = digest(project.id.owner().as_bytes());
        if let Some(moved) = roll::remove(&mut self.projects_of, list, project.position)
            && let Some(ProjectRecord::V1(moved)) = self.projects.get_mut(&moved)
        {
            moved.position = project.position;
        }
        let name = digest(project.id.to_string().as_bytes());
        self.project_names.set(name, None);
    }
}
