//! Why a request failed, as a stable code, and who must act.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Who must act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The author of the guest: its code does not build, traps or outgrows its limits. What was used is charged.
    Guest,
    /// Whoever sent the request: it names something that is not there or asks for what is not allowed. What was used is
    /// charged.
    Requester,
    /// We: nothing is charged.
    Platform,
}

/// Declares the codes once: their names, their texts and who must act.
macro_rules! failure_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal => $fault:ident,)*) => {
        /// Why a request failed. Clients match the code; the sentence beside it may change.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
        )]
        #[borsh(use_discriminant = false)]
        pub enum FailureCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
            /// A code that this build does not know; it counts as the guest's.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl FailureCode {
            /// Every code that we emit.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as clients see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown => "unknown",
                }
            }

            /// Who must act.
            pub const fn fault(self) -> Fault {
                match self {
                    $(Self::$name => Fault::$fault,)*
                    Self::Unknown => Fault::Guest,
                }
            }
        }
    };
}

failure_codes! {
    // The guest ran and did not return.
    /// The guest trapped.
    Trapped = "trapped" => Guest,
    /// The guest exited with a code other than 0.
    Exited = "exited" => Guest,
    /// The guest used up its instructions.
    OutOfInstructions = "out_of_instructions" => Guest,
    /// The guest, or its build, asked for more memory than its limit.
    OutOfMemory = "out_of_memory" => Guest,
    /// The guest nested its calls too deep.
    StackOverflow = "stack_overflow" => Guest,
    /// The guest ran longer than its limit.
    OutOfTime = "out_of_time" => Guest,
    /// The guest wrote more than an answer may hold.
    OutputTooLarge = "output_too_large" => Guest,
    /// The output is not what the response format promises: not UTF-8, or not JSON.
    BadOutput = "bad_output" => Guest,
    /// The artifact is not a WebAssembly module that can be run.
    BadModule = "bad_module" => Guest,
    /// The artifact uses a WebAssembly feature that is refused.
    RefusedFeature = "refused_feature" => Guest,

    // The source did not become an artifact.
    /// The code does not compile.
    RustCompilationError = "rust_compilation_error" => Guest,
    /// A dependency cannot be found.
    DependencyNotFound = "dependency_not_found" => Guest,
    /// A build script failed.
    BuildScriptError = "build_script_error" => Guest,
    /// The build failed for another reason.
    CompilationError = "compilation_error" => Guest,
    /// The build took longer than its limit.
    CompilationTimedOut = "compilation_timed_out" => Guest,
    /// The build made no module, or more than one.
    NoArtifact = "no_artifact" => Guest,
    /// The repository's address is not one that we build from.
    InvalidRepositoryUrl = "invalid_repository_url" => Requester,
    /// There is no such repository.
    RepositoryNotFound = "repository_not_found" => Requester,
    /// The repository is not public.
    RepositoryAccessDenied = "repository_access_denied" => Requester,
    /// The repository has no such commit, tag or branch.
    CommitNotFound = "commit_not_found" => Requester,
    /// Git failed.
    GitError = "git_error" => Requester,
    /// Git failed and gave up.
    GitFatalError = "git_fatal_error" => Requester,
    /// Git did not understand the address or a parameter.
    GitUsageError = "git_usage_error" => Requester,
    /// Nothing is at the module's URL.
    ModuleNotFound = "module_not_found" => Requester,
    /// The module is larger than we fetch.
    ModuleTooLarge = "module_too_large" => Requester,
    /// The module's bytes do not have the pinned hash.
    HashMismatch = "hash_mismatch" => Requester,
    /// The operator does not have this artifact run.
    ArtifactBanned = "artifact_banned" => Requester,
    /// The build goes on; ask again.
    CompilationInProgress = "compilation_in_progress" => Requester,

    // The contract refused the request.
    /// The arguments are not JSON of the documented shape.
    InvalidArguments = "invalid_arguments" => Requester,
    /// The source names no kind of source, or several, or a malformed one.
    InvalidSource = "invalid_source" => Requester,
    /// A limit is zero.
    InvalidLimits = "invalid_limits" => Requester,
    /// A limit is above its cap.
    LimitsAboveCap = "limits_above_cap" => Requester,
    /// The input is larger than a request may carry.
    InputTooLarge = "input_too_large" => Requester,
    /// The deposit does not cover the estimate.
    DepositTooSmall = "deposit_too_small" => Requester,
    /// There is no such project or version.
    ProjectNotFound = "project_not_found" => Requester,
    /// The stablecoin balance does not cover what is attached.
    InsufficientUsdBalance = "insufficient_usd_balance" => Requester,
    /// The contract accepts no requests at present.
    Paused = "paused" => Platform,
    /// There is no such pending request.
    NoSuchRequest = "no_such_request" => Requester,
    /// The caller may not do this.
    NotAllowed = "not_allowed" => Requester,
    /// The request is too young to be cancelled.
    TooEarly = "too_early" => Requester,
    /// The request was cancelled.
    Cancelled = "cancelled" => Platform,

    // We failed.
    /// No worker answered before the yield ran out.
    TimedOut = "timed_out" => Platform,
    /// A repository or a module could not be reached.
    NetworkError = "network_error" => Platform,
    /// The secrets that the request refers to cannot be had.
    SecretsUnavailable = "secrets_unavailable" => Platform,
    /// Something of ours broke.
    PlatformFailure = "platform_failure" => Platform,

    // The source did not become an artifact, continued: a code's place is its number on the wire, so new ones stand last.
    /// The build filled its disk space, or made more files than it may.
    OutOfDisk = "out_of_disk" => Guest,
    /// The repository has no lock file.
    LockfileMissing = "lockfile_missing" => Guest,
    /// The repository's files are larger or more than we build from.
    SourceTooLarge = "source_too_large" => Requester,
    /// The worker cannot seal a build off from itself.
    JailUnavailable = "jail_unavailable" => Platform,

    // Secrets and projects.
    /// The accessor names no kind of code, or several, or a malformed one.
    InvalidAccessor = "invalid_accessor" => Requester,
    /// The profile's name is empty, too long or holds what a name may not.
    InvalidProfile = "invalid_profile" => Requester,
    /// The sealed secrets are not base64, cut short, or of an unknown version.
    InvalidCiphertext = "invalid_ciphertext" => Requester,
    /// The sealed secrets are larger than one profile may be.
    SecretsTooLarge = "secrets_too_large" => Requester,
    /// The access condition is malformed.
    InvalidCondition = "invalid_condition" => Requester,
    /// The access condition nests too deep, consists of too many, or takes too many bytes.
    ConditionTooLarge = "condition_too_large" => Requester,
    /// The owner has no such profile.
    SecretsNotFound = "secrets_not_found" => Requester,
    /// The profile's access condition does not hold for the caller.
    SecretsDenied = "secrets_denied" => Requester,
    /// The project's name is empty, too long or holds what a name may not.
    InvalidProjectName = "invalid_project_name" => Requester,
    /// The owner has a project of that name.
    ProjectExists = "project_exists" => Requester,
    /// The project has that version.
    VersionExists = "version_exists" => Requester,
    /// The version is the active one; activate another first.
    VersionActive = "version_active" => Requester,
    /// The project has as many versions as it may.
    TooManyVersions = "too_many_versions" => Requester,
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_travels_as_its_text() {
        for code in FailureCode::ALL {
            let text = serde_json::to_string(code).unwrap();

            assert_eq!(text, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<FailureCode>(&text).unwrap(), *code);
        }
    }

    #[test]
    fn a_code_from_a_newer_build_is_unknown_and_not_an_error() {
        let code: FailureCode = serde_json::from_str("\"made_up\"").unwrap();

        assert_eq!(code, FailureCode::Unknown);
    }

    #[test]
    fn the_guide_to_errors_lists_every_code_with_who_must_act() {
        let guide = include_str!("../../../docs/errors.md");

        for code in FailureCode::ALL {
            let who = match code.fault() {
                Fault::Guest => "the guest's author",
                Fault::Requester => "the requester",
                Fault::Platform => "us",
            };
            assert!(guide.contains(&format!("| `{code}` | {who} |")), "{code}");
        }
    }
}
