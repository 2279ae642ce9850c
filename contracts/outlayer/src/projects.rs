//! Projects and their versions as the contract keeps them.
//!
//! A project is kept by its uuid, which never changes; its name, `owner/name`, leads to that. So a project that changes hands
//! takes along its versions and all that others keep by its uuid.

use borsh::{BorshDeserialize, BorshSerialize};
use protocol::project::{ProjectId, ProjectUuid, ProjectView, VersionView};
use protocol::source::{CodeSource, ExecutionSource};
use protocol::{AccountId, FailureCode, NearToken};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ask::{bad_source, check_source};
use crate::refusal::Refusal;
use crate::resolution;
use crate::storage::{Digest, entry_bytes, record_bytes};

/// The most versions of a project, so that deleting it, which returns what all took, is one call.
pub(crate) const MAX_VERSIONS: u32 = 100;

/// Every form in which a project was ever stored; append only.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum ProjectRecord {
    /// The first.
    V1(Project),
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Project {
    pub(crate) id: ProjectId,
    /// The digest of the key of the version that runs when none is named.
    pub(crate) active: Digest,
    /// Nanoseconds since the Unix epoch.
    pub(crate) created_at: u64,
    /// What is held for its own bytes.
    pub(crate) deposit: NearToken,
    /// What is held for its versions' bytes.
    pub(crate) versions_deposit: NearToken,
    /// Where it stands in its owner's list.
    pub(crate) position: u32,
}

/// Every form in which a version was ever stored; append only.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum VersionRecord {
    /// The first.
    V1(Version),
}

/// A version of a project.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Version {
    pub(crate) source: CodeSource,
    /// Nanoseconds since the Unix epoch.
    pub(crate) added_at: u64,
    /// What is held for its bytes.
    pub(crate) deposit: NearToken,
    /// Where it stands in its project's list.
    pub(crate) position: u32,
}

impl ProjectRecord {
    /// The record in the present form.
    pub(crate) const fn get(&self) -> &Project {
        match self {
            Self::V1(project) => project,
        }
    }
}

impl VersionRecord {
    /// The record in the present form.
    pub(crate) const fn get(&self) -> &Version {
        match self {
            Self::V1(version) => version,
        }
    }
}

/// What the records add: which form they are.
const FORM_BYTES: u64 = 1;

impl Project {
    /// A project that is still to be stored.
    pub(crate) fn new(id: ProjectId, active: Digest, now: u64) -> Self {
        Self {
            id,
            active,
            created_at: now,
            deposit: NearToken::default(),
            versions_deposit: NearToken::default(),
            position: 0,
        }
    }

    /// What it takes of the account's storage: its name, itself, its place in its owner's list; not its versions.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let key: Digest = [0; 32];
        let uuid = ProjectUuid(0);
        record_bytes(&key, &uuid)
            .saturating_add(record_bytes(&uuid, self))
            .saturating_add(FORM_BYTES)
            .saturating_add(entry_bytes(&key, &uuid))
    }

    /// What is held for all its bytes.
    pub(crate) const fn all_deposits(&self) -> NearToken {
        self.deposit.saturating_add(self.versions_deposit)
    }

    /// As `get_project` shows it.
    pub(crate) fn view(&self, uuid: ProjectUuid, active_version: String) -> ProjectView {
        ProjectView {
            uuid,
            owner: self.id.owner().clone(),
            name: self.id.name().to_owned(),
            project_id: self.id.clone(),
            active_version,
            created_at: self.created_at,
            storage_deposit: self.all_deposits(),
        }
    }
}

impl Version {
    /// A version that is still to be stored.
    pub(crate) fn new(source: CodeSource, now: u64) -> Self {
        Self {
            source,
            added_at: now,
            deposit: NearToken::default(),
            position: 0,
        }
    }

    /// What it takes of the account's storage, its place in its project's list included.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let uuid = ProjectUuid(0);
        let key: Digest = [0; 32];
        record_bytes(&(uuid, key), self)
            .saturating_add(FORM_BYTES)
            .saturating_add(entry_bytes(&uuid, &key))
    }

    /// As `get_version` shows it.
    pub(crate) fn view(&self, is_active: bool) -> VersionView {
        VersionView {
            wasm_hash: self.source.version_key(),
            source: self.source.clone(),
            added_at: self.added_at,
            is_active,
        }
    }
}

/// Arguments of `create_project`.
#[derive(Debug, Deserialize)]
pub(crate) struct Create {
    name: String,
    source: Box<RawValue>,
}

/// Arguments of `add_version`.
#[derive(Debug, Deserialize)]
pub(crate) struct Add {
    project_name: String,
    source: Box<RawValue>,
    #[serde(default)]
    set_active: bool,
}

/// Arguments of `set_active_version` and `remove_version`.
#[derive(Debug, Deserialize)]
pub(crate) struct Choose {
    project_name: String,
    version_key: String,
}

/// Arguments of `delete_project` and `transfer_project`.
#[derive(Debug, Deserialize)]
pub(crate) struct Whole {
    project_name: String,
    new_owner: Option<AccountId>,
}

/// Whether a new version runs at once when none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// It does.
    AtOnce,
    /// It does not.
    Later,
}

impl Create {
    /// Reads the arguments: what the project of `owner` is to be called, and its first version's code.
    pub(crate) fn read(json: &[u8], owner: AccountId) -> Result<(ProjectId, CodeSource), Refusal> {
        let arguments: Self = resolution::read(json)?;
        Ok((id(owner, &arguments.name)?, code(&arguments.source)?))
    }
}

impl Add {
    /// Reads the arguments: which project of `owner`, and the version's code.
    pub(crate) fn read(
        json: &[u8],
        owner: AccountId,
    ) -> Result<(ProjectId, CodeSource, Activation), Refusal> {
        let arguments: Self = resolution::read(json)?;
        let activation = if arguments.set_active {
            Activation::AtOnce
        } else {
            Activation::Later
        };
        let id = id(owner, &arguments.project_name)?;
        Ok((id, code(&arguments.source)?, activation))
    }
}

impl Choose {
    /// Reads the arguments: which project of `owner`, and the version's key.
    pub(crate) fn read(json: &[u8], owner: AccountId) -> Result<(ProjectId, String), Refusal> {
        let arguments: Self = resolution::read(json)?;
        Ok((id(owner, &arguments.project_name)?, arguments.version_key))
    }
}

impl Whole {
    /// Reads the arguments of `delete_project`: which project of `owner`.
    pub(crate) fn read(json: &[u8], owner: AccountId) -> Result<ProjectId, Refusal> {
        let arguments: Self = resolution::read(json)?;
        id(owner, &arguments.project_name)
    }

    /// Reads the arguments of `transfer_project`: which project of `owner`, and what it is to be called.
    pub(crate) fn transfer(
        json: &[u8],
        owner: AccountId,
    ) -> Result<(ProjectId, ProjectId), Refusal> {
        let arguments: Self = resolution::read(json)?;
        let new_owner = arguments.new_owner.ok_or_else(|| {
            Refusal::new(
                FailureCode::InvalidArguments,
                "the arguments hold no new_owner",
            )
        })?;
        let was = id(owner, &arguments.project_name)?;
        Ok((was, id(new_owner, &arguments.project_name)?))
    }
}

fn id(owner: AccountId, name: &str) -> Result<ProjectId, Refusal> {
    ProjectId::new(owner, name)
        .map_err(|err| Refusal::new(FailureCode::InvalidProjectName, err.to_string()))
}

fn code(source: &RawValue) -> Result<CodeSource, Refusal> {
    let source: ExecutionSource = serde_json::from_slice(source.get().as_bytes())
        .map_err(|err| bad_source(err.to_string()))?;
    check_source(&source)?;
    match source {
        ExecutionSource::GitHub(git_hub) => Ok(CodeSource::GitHub(git_hub)),
        ExecutionSource::WasmUrl(wasm_url) => Ok(CodeSource::WasmUrl(wasm_url)),
        ExecutionSource::Project { .. } => {
            Err(bad_source("a version of a project is code, not a project"))
        }
    }
}

/// There is no such project.
pub(crate) fn no_project(name: &impl std::fmt::Display) -> Refusal {
    let sentence = format!("there is no project {name}");
    Refusal::new(FailureCode::ProjectNotFound, sentence)
}

/// The project has no such version.
pub(crate) fn no_version(project: &ProjectId, key: &str) -> Refusal {
    let key: String = key.chars().take(100).collect();
    let sentence = format!("the project {project} has no version {key}");
    Refusal::new(FailureCode::ProjectNotFound, sentence)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn create(name: &str, source: &Value) -> Result<(ProjectId, CodeSource), Refusal> {
        let json = serde_json::to_vec(&json!({"name": name, "source": source})).unwrap();
        Create::read(&json, "alice.test".parse().unwrap())
    }

    #[test]
    fn a_version_is_code_in_any_spelling_and_has_its_key() {
        let git = json!({"repo": "https://github.com/a/b", "commit": "main"});
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let url = json!({"WasmUrl": {"url": "https://a.test/x.wasm", "hash": hash}});

        let (id, by_git) = create("app", &git).unwrap();
        let (_, by_url) = create("app", &url).unwrap();

        assert_eq!(id.to_string(), "alice.test/app");
        assert_eq!(by_git.version_key(), "https://github.com/a/b@main");
        assert_eq!(by_url.version_key(), hash);
    }

    #[test]
    fn bad_names_and_sources_each_have_a_code() {
        let git = json!({"repo": "https://github.com/a/b", "commit": "main"});
        let code = |name: &str, source: &Value| create(name, source).unwrap_err().code;

        for name in ["", "a/b", "a\u{0}", "..", "ä", &"a".repeat(65)] {
            assert_eq!(
                code(name, &git),
                FailureCode::InvalidProjectName,
                "{name:?}"
            );
        }
        for source in [
            json!(7),
            json!({}),
            json!({"repo": "a", "commit": ""}),
            json!({"Project": {"project_id": "alice.test/app"}}),
        ] {
            assert_eq!(code("app", &source), FailureCode::InvalidSource, "{source}");
        }
    }
}
