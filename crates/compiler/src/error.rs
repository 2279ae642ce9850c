//! Why a source did not become an artifact: a stable code, a safe sentence, and hidden logs beside them.

use std::fmt;
use std::sync::Arc;

use protocol::{FailureCode, Fault};

/// A failure to compile.
///
/// `Display` and `Debug` show only what is safe for anyone to read. What git, cargo or the guest's build script printed
/// may hold anything that they could read, so it is given out by [`Error::hidden_logs`] alone.
#[derive(Clone)]
pub struct Error {
    code: FailureCode,
    message: Arc<str>,
    hidden: Arc<str>,
}

impl Error {
    /// A failure whose sentence is the usual one of its code.
    pub(crate) fn new(code: FailureCode) -> Self {
        Self::saying(code, usual_sentence(code))
    }

    /// A failure with a sentence of its own, which must not hold text that a tool printed.
    pub(crate) fn saying(code: FailureCode, message: impl Into<Arc<str>>) -> Self {
        Self {
            code,
            message: message.into(),
            hidden: Arc::from(""),
        }
    }

    /// Something of ours broke; `hidden` says what, for administrators.
    pub(crate) fn ours(hidden: impl Into<Arc<str>>) -> Self {
        Self::new(FailureCode::PlatformFailure).hiding(hidden)
    }

    /// The same failure with `logs` for administrators.
    #[must_use]
    pub(crate) fn hiding(mut self, logs: impl Into<Arc<str>>) -> Self {
        self.hidden = logs.into();
        self
    }

    /// The stable code; clients match it, never the sentence.
    pub fn code(&self) -> FailureCode {
        self.code
    }

    /// Who must act. A [`Fault::Platform`] failure may go away by itself and is worth another try.
    pub fn fault(&self) -> Fault {
        self.code.fault()
    }

    /// What the tools printed. For administrators: it may hold anything that the build could read.
    pub fn hidden_logs(&self) -> &str {
        &self.hidden
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code.as_str())
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}

/// The sentence that goes with a code when there is nothing particular to say.
fn usual_sentence(code: FailureCode) -> &'static str {
    match code {
        FailureCode::RepositoryNotFound => {
            "repository not found: check that its address is correct and that it is public"
        }
        FailureCode::RepositoryAccessDenied => {
            "cannot access the repository: it may be private or not exist"
        }
        FailureCode::InvalidRepositoryUrl => {
            "invalid repository address: it should look like https://github.com/owner/repo, without spaces"
        }
        FailureCode::CommitNotFound => "the repository has no such commit, tag or branch",
        FailureCode::GitError => {
            "a git operation failed: check the repository's address and the commit"
        }
        FailureCode::GitFatalError => {
            "git gave up with a fatal error: check the repository's address and the commit"
        }
        FailureCode::GitUsageError => {
            "git refused the repository's address or a parameter as invalid"
        }
        FailureCode::NetworkError => {
            "network connection error: the server may be unreachable for a while"
        }
        FailureCode::RustCompilationError => {
            "rust compilation failed: the code does not compile for the build target"
        }
        FailureCode::DependencyNotFound => {
            "dependency resolution failed: a dependency could not be found or fetched"
        }
        FailureCode::BuildScriptError => "a build script failed",
        FailureCode::CompilationTimedOut => "the build took longer than its limit",
        FailureCode::OutOfMemory => "the build needed more memory than its limit",
        FailureCode::OutOfDisk => "the build filled its disk space or made too many files",
        FailureCode::LockfileMissing => {
            "the repository has no Cargo.lock beside its Cargo.toml: commit it"
        }
        FailureCode::SourceTooLarge => "the repository's files are larger or more than the limit",
        FailureCode::JailUnavailable => {
            "the worker cannot seal a build off; the request is not at fault"
        }
        FailureCode::NoArtifact => "the build made no module: the package needs one binary",
        FailureCode::ModuleNotFound => "nothing was found at the module's address",
        FailureCode::ModuleTooLarge => "the module is larger than the limit",
        FailureCode::HashMismatch => "the module's bytes do not have the pinned sha256",
        FailureCode::BadModule => "the bytes are not a WebAssembly module",
        FailureCode::PlatformFailure => {
            "the compiler could not do its work; the request is not at fault"
        }
        _ => "compilation failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_code_and_its_sentence_but_not_its_hidden_logs() {
        let error = Error::new(FailureCode::BuildScriptError).hiding("root:x:0:0");

        let shown = format!("{error} {error:?} {error:#?}");

        assert!(shown.contains("build_script_error"), "{shown}");
        assert!(!shown.contains("root:x"), "{shown}");
        assert_eq!(error.hidden_logs(), "root:x:0:0");
    }

    #[test]
    fn a_network_error_is_ours_and_code_that_does_not_compile_is_the_guests() {
        let network = Error::new(FailureCode::NetworkError);
        let code = Error::new(FailureCode::RustCompilationError);

        assert_eq!(network.fault(), Fault::Platform);
        assert_eq!(code.fault(), Fault::Guest);
    }
}
