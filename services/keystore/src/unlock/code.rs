//! Whether secrets are for the code that a request runs.

use protocol::keystore::Unlock;
use protocol::project::ProjectRef;
use protocol::request::ExecutionRequest;
use protocol::secrets::{Accessor, Repo};
use protocol::source::{CodeSource, ExecutionSource};

use crate::error::Error;

/// Refuses what the request does not name, and what is for other code than its own.
pub(super) fn check(asked: &Unlock, request: &ExecutionRequest) -> Result<(), Error> {
    if request.request_id != asked.request_id {
        return Err(Error::NoSuchRequest(asked.request_id));
    }
    if request.secrets_ref.as_ref() != Some(&asked.secrets_ref) {
        return Err(Error::OtherSecrets(asked.request_id));
    }
    if let CodeSource::WasmUrl(module) = &request.resolved_source
        && module.hash != asked.artifact
    {
        return Err(Error::OtherArtifact);
    }
    let fits = match &asked.accessor {
        Accessor::WasmHash { hash } if *hash != asked.artifact => return Err(Error::OtherArtifact),
        Accessor::WasmHash { .. } => true,
        Accessor::Repo { repo, .. } => is_of_repo(&request.resolved_source, repo),
        Accessor::Project { project_id } => is_of_project(request, project_id),
        Accessor::System(_) => return Err(Error::NotForGuests),
    };
    fits.then_some(()).ok_or(Error::OtherCode(asked.request_id))
}

fn is_of_repo(source: &CodeSource, repo: &Repo) -> bool {
    match source {
        CodeSource::GitHub(source) => source.repo.parse().is_ok_and(|of: Repo| of == *repo),
        CodeSource::WasmUrl(_) => false,
    }
}

fn is_of_project(request: &ExecutionRequest, project: &ProjectRef) -> bool {
    let ExecutionSource::Project { project_id, .. } = &request.execution_source else {
        return false;
    };
    // Only the contract sets the uuid, and only of a project that it has resolved.
    let name = match project {
        ProjectRef::Id(_) => Some(project_id),
        ProjectRef::Uuid(_) => request.params.project_uuid.as_ref(),
    };
    name.is_some_and(|name| *name == project.to_string())
}

#[cfg(test)]
mod tests {
    use protocol::ArtifactHash;
    use serde_json::{Value, json};

    use super::*;

    const COMMIT: &str = "abcdef0123456789abcdef0123456789abcdef01";

    fn github() -> Value {
        json!({"GitHub": {"repo": "https://github.com/alice/app.git", "commit": COMMIT}})
    }

    fn module() -> Value {
        let hash = ArtifactHash::of(b"wasm");
        json!({"WasmUrl": {"url": "https://a.example/a.wasm", "hash": hash}})
    }

    fn request(source: &Value, resolved: &Value) -> ExecutionRequest {
        serde_json::from_value(json!({
            "request_id": 7,
            "data_id": vec![0; 32],
            "sender_id": "caller.near",
            "signer_id": "bob.near",
            "execution_source": source,
            "resolved_source": resolved,
            "resource_limits": {"max_instructions": 1, "max_memory_mb": 1, "max_execution_seconds": 1},
            "payment": "0",
            "timestamp": 0,
            "secrets_ref": {"profile": "default", "account_id": "alice.near"},
            "response_format": "Text",
            "attached_usd": "0",
            "params": {"project_uuid": "p000000000000002a"},
        }))
        .unwrap()
    }

    /// What becomes of a question for secrets of this accessor.
    fn asked(
        accessor: &Value,
        request: &ExecutionRequest,
        wasm: &[u8],
    ) -> Result<(), &'static str> {
        let asked = Unlock {
            request_id: request.request_id,
            secrets_ref: request.secrets_ref.clone().unwrap(),
            accessor: serde_json::from_value(accessor.clone()).unwrap(),
            artifact: ArtifactHash::of(wasm),
            session_key: String::new(),
            issued_ms: 0,
        };
        check(&asked, request).map_err(|error| error.wire().1)
    }

    #[test]
    fn secrets_of_a_repository_are_for_code_of_it() {
        let of = |repo: &str| json!({"Repo": {"repo": repo, "branch": "main"}});
        let direct = request(&github(), &github());
        let by_project = request(
            &json!({"Project": {"project_id": "alice.near/app"}}),
            &github(),
        );
        let by_url = request(&module(), &module());

        assert_eq!(asked(&of("alice/app"), &direct, b"wasm"), Ok(()));
        assert_eq!(asked(&of("alice/app"), &by_project, b"wasm"), Ok(()));
        assert_eq!(
            asked(&of("alice/other"), &direct, b"wasm"),
            Err("other_code")
        );
        assert_eq!(asked(&of("alice/app"), &by_url, b"wasm"), Err("other_code"));
    }

    #[test]
    fn secrets_of_a_module_are_for_that_module() {
        let bound = json!({"WasmHash": {"hash": ArtifactHash::of(b"wasm")}});
        let built = request(&github(), &github());
        let by_url = request(&module(), &module());

        assert_eq!(asked(&bound, &built, b"wasm"), Ok(()));
        assert_eq!(asked(&bound, &by_url, b"wasm"), Ok(()));
        assert_eq!(asked(&bound, &built, b"other"), Err("other_artifact"));
        assert_eq!(asked(&bound, &by_url, b"other"), Err("other_artifact"));
    }

    #[test]
    fn secrets_of_a_project_are_for_what_the_contract_says_is_its() {
        let of = |id: &str| json!({"Project": {"project_id": id}});
        let project = request(
            &json!({"Project": {"project_id": "alice.near/app"}}),
            &github(),
        );
        let direct = request(&github(), &github());

        assert_eq!(asked(&of("alice.near/app"), &project, b"wasm"), Ok(()));
        assert_eq!(asked(&of("p000000000000002a"), &project, b"wasm"), Ok(()));
        assert_eq!(
            asked(&of("alice.near/other"), &project, b"wasm"),
            Err("other_code")
        );
        assert_eq!(
            asked(&of("p000000000000002b"), &project, b"wasm"),
            Err("other_code")
        );
        assert_eq!(
            asked(&of("p000000000000002a"), &direct, b"wasm"),
            Err("other_code")
        );
    }

    #[test]
    fn a_payment_key_is_for_no_guest() {
        let key = json!({"System": "PaymentKey"});

        assert_eq!(
            asked(&key, &request(&github(), &github()), b"wasm"),
            Err("not_for_guests")
        );
    }

    #[test]
    fn another_profile_than_the_requests_is_refused() {
        let accessor = json!({"Repo": {"repo": "alice/app"}});
        let named = request(&github(), &github());
        let asked_for = |secrets_ref: Value| {
            let mut changed = named.clone();
            changed.secrets_ref = serde_json::from_value(secrets_ref).unwrap();
            let asked = Unlock {
                request_id: named.request_id,
                secrets_ref: named.secrets_ref.clone().unwrap(),
                accessor: serde_json::from_value(accessor.clone()).unwrap(),
                artifact: ArtifactHash::of(b"wasm"),
                session_key: String::new(),
                issued_ms: 0,
            };
            check(&asked, &changed).map_err(|error| error.wire().1)
        };

        let others = json!({"profile": "default", "account_id": "carol.near"});
        let another = json!({"profile": "prod", "account_id": "alice.near"});
        for secrets_ref in [others, another, Value::Null] {
            assert_eq!(asked_for(secrets_ref), Err("other_secrets"));
        }
    }
}
