//! Each condition for a caller who meets it and one who does not, and what becomes of one that cannot be decided.

use std::collections::BTreeMap;

use async_trait::async_trait;
use clients::near::PublicKey;
use protocol::request::ExecutionRequest;
use protocol::secrets::{Accessor, Profile, SecretProfileView};
use protocol::{NearToken, RequestId};

use super::*;
use crate::parts::{Sight, SourceError};

/// A chain on which contracts answer what they are told to. What is not told does not answer.
#[derive(Debug, Default)]
struct Fake {
    views: BTreeMap<String, Value>,
    balances: BTreeMap<AccountId, u128>,
}

#[async_trait]
impl ReadChain for Fake {
    async fn request(&self, _: RequestId) -> Result<Option<ExecutionRequest>, SourceError> {
        Err("not asked".into())
    }

    async fn profile(
        &self,
        _: &Accessor,
        _: &Profile,
        _: &AccountId,
    ) -> Result<Sight<Option<SecretProfileView>>, SourceError> {
        Err("not asked".into())
    }

    async fn has_full_key(&self, _: &AccountId, _: &PublicKey) -> Result<bool, SourceError> {
        Err("not asked".into())
    }

    async fn view(
        &self,
        _: CryptoHash,
        contract: &AccountId,
        method: &str,
        args: Value,
    ) -> Result<Value, SourceError> {
        let view = format!("{contract} {method} {args}");
        self.views.get(&view).cloned().ok_or_else(|| view.into())
    }

    async fn balance(&self, _: CryptoHash, account: &AccountId) -> Result<NearToken, SourceError> {
        let balance = self.balances.get(account).copied();
        balance
            .map(NearToken::from_yoctonear)
            .ok_or_else(|| "no such account".into())
    }
}

fn chain() -> Fake {
    let council = json!({"roles": [
        {"name": "odd", "kind": {"Newer": 1}},
        {"name": "council", "kind": {"Group": ["alice.near"]}, "permissions": []},
        {"name": "all", "kind": "Everyone"},
        {"name": "voters", "kind": {"Member": "10"}},
    ]});
    let token = json!({"token_id": "7", "owner_id": "alice.near"});
    let views = [
        (
            r#"ft.near ft_balance_of {"account_id":"alice.near"}"#,
            json!("100"),
        ),
        (
            r#"ft.near ft_balance_of {"account_id":"bob.near"}"#,
            json!("0"),
        ),
        (r#"nft.near nft_token {"token_id":"7"}"#, token.clone()),
        (r#"nft.near nft_token {"token_id":"8"}"#, Value::Null),
        (
            r#"nft.near nft_tokens_for_owner {"account_id":"alice.near","from_index":"0","limit":1}"#,
            json!([token]),
        ),
        (
            r#"nft.near nft_tokens_for_owner {"account_id":"bob.near","from_index":"0","limit":1}"#,
            json!([]),
        ),
        ("dao.near get_policy {}", council),
        (
            r#"dao.near delegation_balance_of {"account_id":"alice.near"}"#,
            json!("10"),
        ),
        (
            r#"dao.near delegation_balance_of {"account_id":"bob.near"}"#,
            json!("9"),
        ),
        (
            r#"odd.near ft_balance_of {"account_id":"alice.near"}"#,
            json!({"balance": 1}),
        ),
    ];
    Fake {
        views: views.map(|(view, answer)| (view.to_owned(), answer)).into(),
        balances: [("alice.near", 5), ("bob.near", 4)]
            .map(|(account, balance)| (account.parse().unwrap(), balance))
            .into(),
    }
}

/// What becomes of a condition for a caller: whether it holds, or the code of the error.
async fn decide(condition: &Value, caller: &str) -> Result<bool, &'static str> {
    let condition: AccessCondition = serde_json::from_value(condition.clone()).unwrap();
    let policy = Policy {
        chain: &chain(),
        block: CryptoHash::default(),
        caller: &caller.parse().unwrap(),
    };
    policy
        .grants(&condition)
        .await
        .map_err(|error| error.wire().1)
}

#[tokio::test]
async fn each_condition_holds_for_alice_and_not_for_bob() {
    let conditions = [
        json!({"Whitelist": {"accounts": ["alice.near", "carol.near"]}}),
        json!({"AccountPattern": {"pattern": "a.*\\.near"}}),
        json!({"NearBalance": {"operator": "Gte", "value": "5"}}),
        json!({"FtBalance": {"contract": "ft.near", "operator": "Gt", "value": "99"}}),
        json!({"NftOwned": {"contract": "nft.near", "token_id": "7"}}),
        json!({"NftOwned": {"contract": "nft.near", "token_id": null}}),
        json!({"DaoMember": {"dao_contract": "dao.near", "role": "council"}}),
        json!({"DaoMember": {"dao_contract": "dao.near", "role": "voters"}}),
    ];

    for condition in conditions {
        assert_eq!(
            decide(&condition, "alice.near").await,
            Ok(true),
            "{condition}"
        );
        assert_eq!(
            decide(&condition, "bob.near").await,
            Ok(false),
            "{condition}"
        );
        let not = json!({"Not": {"condition": condition}});
        assert_eq!(decide(&not, "alice.near").await, Ok(false), "{not}");
        assert_eq!(decide(&not, "bob.near").await, Ok(true), "{not}");
    }
}

#[tokio::test]
async fn what_is_for_everyone_is_for_everyone_and_a_role_that_is_not_there_nobody_has() {
    let everyone = json!({"DaoMember": {"dao_contract": "dao.near", "role": "all"}});
    let nobody = json!({"DaoMember": {"dao_contract": "dao.near", "role": "chair"}});
    let burnt = json!({"NftOwned": {"contract": "nft.near", "token_id": "8"}});

    assert_eq!(decide(&json!("AllowAll"), "bob.near").await, Ok(true));
    assert_eq!(decide(&everyone, "bob.near").await, Ok(true));
    assert_eq!(decide(&nobody, "alice.near").await, Ok(false));
    assert_eq!(decide(&burnt, "alice.near").await, Ok(false));
}

#[tokio::test]
async fn conditions_combine() {
    let logic =
        |operator, conditions| json!({"Logic": {"operator": operator, "conditions": conditions}});
    let alice = json!({"Whitelist": {"accounts": ["alice.near"]}});
    let rich = json!({"NearBalance": {"operator": "Gt", "value": "4"}});
    let bob = json!({"Whitelist": {"accounts": ["bob.near"]}});

    let both = logic("And", json!([alice, rich]));
    let either = logic("Or", json!([alice, bob]));
    let neither = logic(
        "And",
        json!([{"Not": {"condition": alice}}, {"Not": {"condition": bob}}]),
    );

    assert_eq!(decide(&both, "alice.near").await, Ok(true));
    assert_eq!(decide(&both, "bob.near").await, Ok(false));
    assert_eq!(decide(&either, "bob.near").await, Ok(true));
    assert_eq!(decide(&neither, "bob.near").await, Ok(false));
    assert_eq!(decide(&neither, "carol.near").await, Ok(true));
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_not_grants_nothing() {
    let unread = [
        json!({"FtBalance": {"contract": "gone.near", "operator": "Gt", "value": "0"}}),
        json!({"FtBalance": {"contract": "odd.near", "operator": "Gt", "value": "0"}}),
        json!({"NftOwned": {"contract": "gone.near", "token_id": "7"}}),
        json!({"NftOwned": {"contract": "gone.near", "token_id": null}}),
        json!({"DaoMember": {"dao_contract": "gone.near", "role": "council"}}),
        json!({"DaoMember": {"dao_contract": "dao.near", "role": "odd"}}),
    ];
    let no_account = json!({"NearBalance": {"operator": "Gte", "value": "1"}});

    for condition in unread {
        let not = json!({"Not": {"condition": condition}});
        let any = json!({"Logic": {"operator": "Or", "conditions": [condition, "AllowAll"]}});
        for condition in [condition, not, any] {
            let decided = decide(&condition, "alice.near").await;
            assert_eq!(decided, Err("condition_unanswered"), "{condition}");
        }
    }
    let not = json!({"Not": {"condition": no_account}});
    assert_eq!(decide(&not, "dave.near").await, Err("condition_unanswered"));
}

#[tokio::test]
async fn a_pattern_is_of_the_whole_account() {
    let cases = [
        ("alice", false),
        ("alice.near", true),
        ("alice|alice.near", true),
        ("lice.near", false),
        ("^alice\\.near$", true),
        ("(?i)ALICE.near", true),
        ("x|", false),
        ("(?m)^alice", false),
        ("(a|a)*b", false),
    ];

    for (pattern, matches) in cases {
        let condition = json!({"AccountPattern": {"pattern": pattern}});
        assert_eq!(
            decide(&condition, "alice.near").await,
            Ok(matches),
            "{pattern}"
        );
    }
}

#[tokio::test]
async fn what_is_no_pattern_or_too_much_of_one_is_refused() {
    let nested = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    let long = "a".repeat(10_000);
    let patterns = [
        "(",
        "a)|(b",
        "[",
        "a{1000}{1000}",
        "(?P<n>",
        "\\p{Greek}",
        "(?x)a #",
        "\\1",
        &nested,
        &long,
    ];

    for pattern in patterns {
        let condition = json!({"AccountPattern": {"pattern": pattern}});
        let not = json!({"Not": {"condition": condition}});
        assert_eq!(
            decide(&not, "alice.near").await,
            Err("invalid_condition"),
            "{pattern}"
        );
    }
}

#[tokio::test]
async fn a_condition_that_the_contract_would_not_take_is_refused() {
    let deep = (0..100).fold(
        json!("AllowAll"),
        |inner, _| json!({"Not": {"condition": inner}}),
    );
    let none = json!({"Logic": {"operator": "And", "conditions": []}});

    assert_eq!(decide(&deep, "alice.near").await, Err("invalid_condition"));
    assert_eq!(decide(&none, "alice.near").await, Err("invalid_condition"));
}
