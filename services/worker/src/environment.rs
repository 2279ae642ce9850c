//! What a guest sees as its environment.

use std::collections::BTreeMap;

use protocol::job::Origin;
use protocol::request::ExecutionRequest;
use protocol::source::ExecutionSource;

/// The variables of an execution that a contract asked for.
///
/// Names and meanings: interface page, section 4. What belongs to HTTPS calls and wallets is empty, and what belongs to projects if none
/// was asked for, so that a guest finds every reserved name whatever called it.
pub(crate) fn variables(
    request: &ExecutionRequest,
    origin: &Origin,
    contract_id: &str,
    network_id: &str,
) -> BTreeMap<String, String> {
    let limits = &request.resource_limits;
    let request_id = request.request_id.to_string();
    let usd = request.attached_usd.to_string();
    let project = Project::of(request);
    let pairs: [(&str, String); 27] = [
        ("NEAR_SENDER_ID", request.signer_id.to_string()),
        ("NEAR_USER_ACCOUNT_ID", request.signer_id.to_string()),
        ("NEAR_PREDECESSOR_ID", request.sender_id.to_string()),
        ("NEAR_CONTRACT_ID", contract_id.to_owned()),
        ("NEAR_BLOCK_HEIGHT", origin.block_height.to_string()),
        ("NEAR_BLOCK_TIMESTAMP", request.timestamp.to_string()),
        ("NEAR_RECEIPT_ID", origin.receipt_id.clone()),
        (
            "NEAR_SIGNER_PUBLIC_KEY",
            origin.signer_public_key.clone().unwrap_or_default(),
        ),
        ("NEAR_GAS_BURNT", origin.gas_burnt.to_string()),
        (
            "NEAR_TRANSACTION_HASH",
            origin.transaction_hash.clone().unwrap_or_default(),
        ),
        ("NEAR_REQUEST_ID", request_id.clone()),
        (
            "NEAR_PAYMENT_YOCTO",
            request.payment.as_yoctonear().to_string(),
        ),
        ("NEAR_NETWORK_ID", network_id.to_owned()),
        ("NEAR_MAX_INSTRUCTIONS", limits.max_instructions.to_string()),
        ("NEAR_MAX_MEMORY_MB", limits.max_memory_mb.to_string()),
        (
            "NEAR_MAX_EXECUTION_SECONDS",
            limits.max_execution_seconds.to_string(),
        ),
        ("ATTACHED_USD", usd),
        ("USD_PAYMENT", "0".into()),
        ("OUTLAYER_CALL_ID", String::new()),
        ("OUTLAYER_EXECUTION_TYPE", "NEAR".into()),
        ("OUTLAYER_PROJECT_ID", project.id.to_owned()),
        ("OUTLAYER_PROJECT_OWNER", project.owner.to_owned()),
        ("OUTLAYER_PROJECT_NAME", project.name.to_owned()),
        ("OUTLAYER_PROJECT_UUID", project.uuid.to_owned()),
        ("WALLET_ID", String::new()),
        ("NEAR_RPC_PROXY_AVAILABLE", "0".into()),
        // The published crate reads this name.
        ("OUTLAYER_REQUEST_ID", request_id),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The project that was asked for; nothing but empty names if none was.
#[derive(Default)]
struct Project<'a> {
    id: &'a str,
    owner: &'a str,
    name: &'a str,
    uuid: &'a str,
}

impl<'a> Project<'a> {
    fn of(request: &'a ExecutionRequest) -> Self {
        let ExecutionSource::Project { project_id, .. } = &request.execution_source else {
            return Self::default();
        };
        let (owner, name) = project_id.split_once('/').unwrap_or_default();
        Self {
            id: project_id,
            owner,
            name,
            uuid: request.params.project_uuid.as_deref().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::limits;
    use protocol::request::{RequestParams, ResponseFormat};
    use protocol::source::{BuildTarget, CodeSource, GitHub};
    use protocol::{NearToken, RequestId};

    fn request() -> ExecutionRequest {
        let code = CodeSource::GitHub(GitHub {
            repo: "https://github.com/a/b".into(),
            commit: "main".into(),
            build_target: BuildTarget::Wasip1,
        });
        ExecutionRequest {
            request_id: RequestId(7),
            data_id: [0; 32],
            sender_id: "client.near".parse().unwrap(),
            signer_id: "alice.near".parse().unwrap(),
            execution_source: ExecutionSource::from(code.clone()),
            resolved_source: code,
            resource_limits: limits::DEFAULT,
            payment: NearToken::from_yoctonear(5),
            timestamp: 9,
            secrets_ref: None,
            response_format: ResponseFormat::Text,
            input_data: None,
            payer_account_id: None,
            attached_usd: 0,
            params: RequestParams::default(),
            pending_output: None,
            output_submitted: false,
        }
    }

    fn origin() -> Origin {
        Origin {
            block_height: 3,
            block_timestamp: 9,
            receipt_id: "r".into(),
            transaction_hash: None,
            signer_public_key: None,
            gas_burnt: 1,
        }
    }

    #[test]
    fn a_guest_of_a_project_finds_its_names() {
        let mut asked = request();
        asked.execution_source = ExecutionSource::Project {
            project_id: "alice.near/app".into(),
            version_key: None,
        };
        asked.params.project_uuid = Some("p000000000000002a".into());

        let seen = variables(&asked, &origin(), "outlayer.near", "testnet");

        assert_eq!(seen["OUTLAYER_PROJECT_ID"], "alice.near/app");
        assert_eq!(seen["OUTLAYER_PROJECT_OWNER"], "alice.near");
        assert_eq!(seen["OUTLAYER_PROJECT_NAME"], "app");
        assert_eq!(seen["OUTLAYER_PROJECT_UUID"], "p000000000000002a");
    }

    #[test]
    fn a_guest_finds_every_reserved_name_and_the_one_that_the_published_crate_reads() {
        let seen = variables(&request(), &origin(), "outlayer.near", "testnet");

        assert_eq!(seen.len(), 27);
        assert_eq!(seen["NEAR_SENDER_ID"], "alice.near");
        assert_eq!(seen["NEAR_PREDECESSOR_ID"], "client.near");
        assert_eq!(seen["NEAR_PAYMENT_YOCTO"], "5");
        assert_eq!(seen["NEAR_TRANSACTION_HASH"], "");
        assert_eq!(seen["OUTLAYER_REQUEST_ID"], seen["NEAR_REQUEST_ID"]);
    }
}
