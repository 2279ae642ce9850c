//! Where the code of a request comes from.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize};

use crate::id::ArtifactHash;

/// What a request may name: code, or a project that stands for code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub enum ExecutionSource {
    /// A commit, tag or branch of a public repository.
    GitHub(GitHub),
    /// A module behind a URL, pinned by its hash.
    WasmUrl(WasmUrl),
    /// A version of a project.
    Project {
        /// `owner/name`.
        project_id: String,
        /// The version, or the active one.
        #[serde(skip_serializing_if = "Option::is_none")]
        version_key: Option<String>,
    },
}

/// What a worker can turn into an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub enum CodeSource {
    /// A commit, tag or branch of a public repository.
    GitHub(GitHub),
    /// A module behind a URL, pinned by its hash.
    WasmUrl(WasmUrl),
}

/// A commit, tag or branch of a public repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct GitHub {
    /// `https://github.com/owner/repo`; the compiler checks it.
    pub repo: String,
    /// A commit of 40 hexadecimal digits, a tag or a branch.
    pub commit: String,
    /// What to build for.
    #[serde(default)]
    pub build_target: BuildTarget,
}

/// A module behind a URL, pinned by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct WasmUrl {
    /// Where the module is.
    pub url: String,
    /// The sha256 of its bytes.
    pub hash: ArtifactHash,
    /// What it was built for.
    #[serde(default)]
    pub build_target: BuildTarget,
}

/// What a guest is built for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
pub enum BuildTarget {
    /// A module with `_start`.
    #[default]
    #[serde(rename = "wasm32-wasip1", alias = "wasm32-wasi")]
    Wasip1,
    /// A component with `wasi:cli/run`.
    #[serde(rename = "wasm32-wasip2")]
    Wasip2,
}

impl BuildTarget {
    /// The name that `cargo build --target` takes.
    pub const fn triple(self) -> &'static str {
        match self {
            Self::Wasip1 => "wasm32-wasip1",
            Self::Wasip2 => "wasm32-wasip2",
        }
    }
}

impl fmt::Display for BuildTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.triple())
    }
}

/// Every spelling of a source that is accepted, before it is known to name exactly one kind.
#[derive(Deserialize)]
struct Spelling {
    #[serde(rename = "GitHub")]
    git_hub: Option<GitHub>,
    #[serde(rename = "WasmUrl")]
    wasm_url: Option<WasmUrl>,
    #[serde(rename = "Project")]
    project: Option<Project>,
    #[serde(rename = "type")]
    kind: Option<String>,
    repo: Option<String>,
    commit: Option<String>,
    url: Option<String>,
    hash: Option<ArtifactHash>,
    build_target: Option<BuildTarget>,
    project_id: Option<String>,
    version_key: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    project_id: String,
    version_key: Option<String>,
}

impl From<Project> for ExecutionSource {
    fn from(project: Project) -> Self {
        Self::Project {
            project_id: project.project_id,
            version_key: project.version_key,
        }
    }
}

impl Spelling {
    /// Every source that is named, in either spelling.
    fn named(self) -> Vec<ExecutionSource> {
        let build_target = self.build_target.unwrap_or_default();
        let bare_git = self.repo.zip(self.commit).map(|(repo, commit)| GitHub {
            repo,
            commit,
            build_target,
        });
        let bare_url = self.url.zip(self.hash).map(|(url, hash)| WasmUrl {
            url,
            hash,
            build_target,
        });
        let version_key = self.version_key;
        let bare_project = self.project_id.map(|project_id| Project {
            project_id,
            version_key,
        });
        let git = [self.git_hub, bare_git].into_iter().flatten();
        let url = [self.wasm_url, bare_url].into_iter().flatten();
        let project = [self.project, bare_project].into_iter().flatten();
        git.map(ExecutionSource::GitHub)
            .chain(url.map(ExecutionSource::WasmUrl))
            .chain(project.map(ExecutionSource::from))
            .collect()
    }
}

impl<'de> Deserialize<'de> for ExecutionSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let spelling = Spelling::deserialize(deserializer)?;
        let kind = spelling.kind.clone();
        let mut named = spelling.named();
        let source = match (named.pop(), named.is_empty()) {
            (Some(source), true) => source,
            (None, _) => {
                return Err(D::Error::custom(
                    "a source names one of GitHub, WasmUrl and Project; this one names none",
                ));
            }
            (Some(_), false) => {
                return Err(D::Error::custom(
                    "a source names one of GitHub, WasmUrl and Project; this one names several",
                ));
            }
        };
        match kind {
            Some(kind) if kind != source.kind() => Err(D::Error::custom(format_args!(
                "the source's type is {kind}, but its fields are those of {}",
                source.kind()
            ))),
            _ => Ok(source),
        }
    }
}

impl<'de> Deserialize<'de> for CodeSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <ExecutionSource as Deserialize>::deserialize(deserializer)? {
            ExecutionSource::GitHub(git_hub) => Ok(Self::GitHub(git_hub)),
            ExecutionSource::WasmUrl(wasm_url) => Ok(Self::WasmUrl(wasm_url)),
            ExecutionSource::Project { .. } => Err(serde::de::Error::custom(
                "a project is not code; name its GitHub or WasmUrl source",
            )),
        }
    }
}

impl ExecutionSource {
    /// The kind's name, as it stands in JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::GitHub(_) => "GitHub",
            Self::WasmUrl(_) => "WasmUrl",
            Self::Project { .. } => "Project",
        }
    }
}

impl From<CodeSource> for ExecutionSource {
    fn from(code: CodeSource) -> Self {
        match code {
            CodeSource::GitHub(git_hub) => Self::GitHub(git_hub),
            CodeSource::WasmUrl(wasm_url) => Self::WasmUrl(wasm_url),
        }
    }
}

impl CodeSource {
    /// What the artifact is built for.
    pub const fn build_target(&self) -> BuildTarget {
        match self {
            Self::GitHub(git_hub) => git_hub.build_target,
            Self::WasmUrl(wasm_url) => wasm_url.build_target,
        }
    }

    /// What names it among a project's versions: the hash of a pinned module, `repo@commit` of a repository.
    pub fn version_key(&self) -> String {
        match self {
            Self::GitHub(_) => self.label(),
            Self::WasmUrl(wasm_url) => wasm_url.hash.to_string(),
        }
    }

    /// A short name for people: `repo@commit`, or the URL.
    pub fn label(&self) -> String {
        match self {
            Self::GitHub(git_hub) => format!("{}@{}", git_hub.repo, git_hub.commit),
            Self::WasmUrl(wasm_url) => wasm_url.url.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<ExecutionSource, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn the_tagged_the_bare_and_the_typed_spelling_say_the_same() {
        let tagged = parse(r#"{"GitHub":{"repo":"r","commit":"c","build_target":"wasm32-wasi"}}"#);
        let bare = parse(r#"{"repo":"r","commit":"c","build_target":"wasm32-wasip1"}"#);
        let typed = parse(r#"{"type":"GitHub","repo":"r","commit":"c"}"#);

        let expected = ExecutionSource::GitHub(GitHub {
            repo: "r".into(),
            commit: "c".into(),
            build_target: BuildTarget::Wasip1,
        });
        assert_eq!(tagged.unwrap(), expected);
        assert_eq!(bare.unwrap(), expected);
        assert_eq!(typed.unwrap(), expected);
    }

    #[test]
    fn a_source_of_no_kind_or_of_two_kinds_is_refused() {
        let none = parse("{}").unwrap_err().to_string();
        let two = parse(r#"{"GitHub":{"repo":"r","commit":"c"},"Project":{"project_id":"a/b"}}"#);
        let crossed = parse(r#"{"type":"WasmUrl","repo":"r","commit":"c"}"#);

        assert!(none.contains("names none"), "{none}");
        assert!(two.unwrap_err().to_string().contains("names several"));
        assert!(crossed.unwrap_err().to_string().contains("type is WasmUrl"));
    }

    #[test]
    fn a_source_is_written_in_the_tagged_spelling() {
        let source = parse(r#"{"repo":"r","commit":"c"}"#).unwrap();

        assert_eq!(
            serde_json::to_string(&source).unwrap(),
            r#"{"GitHub":{"repo":"r","commit":"c","build_target":"wasm32-wasip1"}}"#
        );
    }
}
