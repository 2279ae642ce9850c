//! Requests for the tests of the modules that decide.

use protocol::ArtifactHash;
use protocol::limits;
use protocol::project::ProjectUuid;
use protocol::source::{BuildTarget, GitHub, WasmUrl};

use super::*;

/// An ordinary one: 0.1 NEAR, default limits and rates.
pub(crate) fn pending() -> Pending {
    Pending {
        request_id: RequestId(1),
        data_id: [7; 32],
        sender_id: "client.test".parse().unwrap(),
        signer_id: "alice.test".parse().unwrap(),
        code: CodeSource::GitHub(GitHub {
            repo: "https://github.com/a/b".into(),
            commit: "main".into(),
            build_target: BuildTarget::default(),
        }),
        project: None,
        limits: limits::DEFAULT,
        payment: NearToken::from_millinear(100),
        timestamp: 1,
        secrets_ref: None,
        response_format: ResponseFormat::Text,
        payer_account_id: None,
        params: RequestParams::default(),
        pricing: Pricing::DEFAULT,
        staked: NearToken::default(),
        has_input: false,
        answer_room: 0,
        answered: false,
    }
}

/// One whose every text is as long as it may be, and as hard to escape.
pub(crate) fn longest() -> Pending {
    let account: AccountId = "a".repeat(64).parse().unwrap();
    Pending {
        request_id: RequestId(u64::MAX),
        data_id: [255; 32],
        sender_id: account.clone(),
        signer_id: account.clone(),
        code: CodeSource::WasmUrl(WasmUrl {
            url: "u".repeat(512),
            hash: ArtifactHash([255; 32]),
            build_target: BuildTarget::default(),
        }),
        project: Some(NamedProject {
            project_id: ProjectId::new(account.clone(), &"a".repeat(64)).unwrap(),
            version_key: None,
        }),
        limits: limits::Limits {
            max_instructions: u64::MAX,
            max_memory_mb: u32::MAX,
            max_execution_seconds: u64::MAX,
        },
        payment: NearToken::from_yoctonear(u128::MAX),
        timestamp: u64::MAX,
        secrets_ref: Some(SecretsReference {
            profile: "\u{0}".repeat(128),
            account_id: account.clone(),
        }),
        payer_account_id: Some(account),
        params: RequestParams {
            project_uuid: Some(ProjectUuid(u64::MAX).to_string()),
            attached_usd: Some(u128::MAX),
            ..RequestParams::default()
        },
        ..pending()
    }
}

#[test]
fn whoever_pays_gets_the_rest() {
    let caller = pending();
    let payer = Pending {
        payer_account_id: Some("payer.test".parse().unwrap()),
        ..pending()
    };

    assert_eq!(caller.refund_to().as_str(), "client.test");
    assert_eq!(payer.refund_to().as_str(), "payer.test");
}
