//! Step 6: the secrets that the request names, from the keystore into the guest's environment.
//!
//! The chain's request says whose profile is meant, and the code that it runs says for which code the secrets must be. The keystore
//! decides; what it refuses is told to the requester, since a guest that counts on secrets must not run without.

use clients::coordinator::Error as CallError;
use compiler::ResolvedSource;
use protocol::FailureCode;
use protocol::request::{ExecutionRequest, SecretsReference};
use protocol::secrets::{Accessor, Repo};
use protocol::source::{CodeSource, ExecutionSource, GitHub};
use sealing::Secrets;

use super::compile::Compiled;
use crate::parts::Parts;
use crate::setback::Setback;
use crate::vault::{Asker, Refusal};

/// Opens the secrets that the request names; none if it names none.
pub(super) async fn unlock(
    parts: &Parts,
    request: &ExecutionRequest,
    source: &ResolvedSource,
    compiled: &Compiled,
) -> Result<Secrets, Setback> {
    let Some(secrets_ref) = &request.secrets_ref else {
        return Ok(Secrets::default());
    };
    if request.params.compile_only {
        return Ok(Secrets::default());
    }
    let vault = parts.vault.as_ref().ok_or_else(|| {
        let message = "this worker has no keystore and opens no secrets";
        Setback::of(FailureCode::SecretsUnavailable, message.into())
    })?;
    let accessors = accessors(parts, request, source, compiled).await?;
    let asker = Asker {
        contract_id: &parts.config.contract_id,
        notary: &parts.notary,
        request_id: request.request_id,
        artifact: compiled.hash,
    };
    for accessor in &accessors {
        match vault.unlock(&asker, secrets_ref, accessor).await {
            Err(Refusal::Call(CallError::Refused { code, .. })) if code == NOT_FOUND => {}
            Ok(secrets) => return Ok(secrets),
            Err(refusal) => return Err(blame(secrets_ref, accessor, refusal)),
        }
    }
    Err(nothing_for(secrets_ref, &accessors))
}

/// The keystore's code for a profile that is not there.
const NOT_FOUND: &str = "secrets_not_found";

/// The code that secrets may be for, when this request runs: its project, its repository, its module. The first for which the owner
/// has the profile decides.
async fn accessors(
    parts: &Parts,
    request: &ExecutionRequest,
    source: &ResolvedSource,
    compiled: &Compiled,
) -> Result<Vec<Accessor>, Setback> {
    let mut accessors = Vec::new();
    if let ExecutionSource::Project { project_id, .. } = &request.execution_source {
        let project_id = project_id.parse().map_err(Setback::ours)?;
        accessors.push(Accessor::Project { project_id });
    }
    if let CodeSource::GitHub(git_hub) = &request.resolved_source {
        // What is none is nobody's accessor either.
        if let Ok(repo) = git_hub.repo.parse::<Repo>() {
            let branch = branch(parts, git_hub, source).await?;
            let branch = branch.and_then(|branch| branch.parse().ok());
            accessors.push(Accessor::Repo { repo, branch });
        }
    }
    let hash = compiled.hash;
    accessors.push(Accessor::WasmHash { hash });
    Ok(accessors)
}

/// The branch that the commit is of: the one that the request names, or the one that the coordinator knows of. Whichever it is, the
/// repository must say so too.
async fn branch(
    parts: &Parts,
    git_hub: &GitHub,
    source: &ResolvedSource,
) -> Result<Option<String>, Setback> {
    let ResolvedSource::Commit { commit, .. } = source else {
        return Ok(None);
    };
    let is_hash = git_hub.commit.parse::<protocol::CommitHash>().is_ok();
    let branch = if is_hash {
        match parts.coordinator.branch(&git_hub.repo, commit).await {
            Ok(view) => view.branch,
            Err(err) if err.is_transient() => return Err(unavailable(err)),
            // It knows no such repository; its word is not needed.
            Err(_) => None,
        }
    } else {
        Some(git_hub.commit.clone())
    };
    let Some(branch) = branch else {
        return Ok(None);
    };
    let is_on_branch = parts.branches.has(&parts.compiler, source, &branch).await;
    Ok(is_on_branch
        .map_err(|err| unavailable(anyhow::anyhow!("the branch cannot be checked: {err}")))?
        .then_some(branch))
}

fn unavailable(cause: impl Into<anyhow::Error>) -> Setback {
    Setback::Ours {
        code: FailureCode::SecretsUnavailable,
        cause: cause.into(),
    }
}

fn nothing_for(secrets_ref: &SecretsReference, accessors: &[Accessor]) -> Setback {
    let SecretsReference {
        account_id,
        profile,
    } = secrets_ref;
    let codes: Vec<_> = accessors.iter().map(ToString::to_string).collect();
    let message = format!(
        "{account_id} has no secrets with profile {profile} for {}",
        codes.join(" or ")
    );
    Setback::of(FailureCode::SecretsNotFound, message)
}

/// Who must act on what the keystore refused.
fn blame(secrets_ref: &SecretsReference, accessor: &Accessor, refusal: Refusal) -> Setback {
    let owner = &secrets_ref.account_id;
    let (status, code, message) = match refusal {
        Refusal::Call(CallError::Refused {
            status,
            code,
            message,
        }) => (status, code, message),
        other => return unavailable(other),
    };
    match (status, code.as_str()) {
        (_, "secrets_denied") => {
            let message =
                format!("{owner}'s condition for the secrets does not hold for the caller");
            Setback::of(FailureCode::SecretsDenied, message)
        }
        (422, "invalid_condition") => {
            let message = format!("{owner}'s condition cannot be decided: {owner} must mend it");
            Setback::of(FailureCode::InvalidCondition, message)
        }
        (422, _) => {
            let message = format!(
                "{owner}'s secrets for {accessor} cannot be opened ({code}): {owner} must seal them again"
            );
            Setback::of(FailureCode::InvalidCiphertext, message)
        }
        _ => unavailable(anyhow::anyhow!(
            "the keystore refused with {status} {code}: {message}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> Option<FailureCode> {
        let secrets_ref = SecretsReference {
            profile: "default".into(),
            account_id: "alice.near".parse().unwrap(),
        };
        let accessor = Accessor::repo("alice/app", None).unwrap();
        let refusal = Refusal::Call(CallError::Refused {
            status,
            code: code.into(),
            message: String::new(),
        });
        match blame(&secrets_ref, &accessor, refusal) {
            Setback::Answer(response) => response.failure_code(),
            Setback::Ours { code, .. } => Some(code),
            Setback::Gone => None,
        }
    }

    #[test]
    fn each_refusal_of_the_keystore_says_who_must_act() {
        let cases = [
            (403, "secrets_denied", FailureCode::SecretsDenied),
            (422, "invalid_condition", FailureCode::InvalidCondition),
            (422, "does_not_open", FailureCode::InvalidCiphertext),
            (422, "reserved_name", FailureCode::InvalidCiphertext),
            (503, "condition_unanswered", FailureCode::SecretsUnavailable),
            (503, "keystore_unavailable", FailureCode::SecretsUnavailable),
            (401, "not_a_worker", FailureCode::SecretsUnavailable),
            (429, "rate_limited", FailureCode::SecretsUnavailable),
        ];

        for (status, code, seen) in cases {
            assert_eq!(refused(status, code), Some(seen), "{code}");
        }
    }
}
