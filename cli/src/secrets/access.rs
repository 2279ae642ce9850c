//! For whom: from flags, or from JSON, to the condition that is stored. All of it is checked before anything is sent.

use anyhow::{Context as _, Result, bail, ensure};
use protocol::NearToken;
use protocol::secrets::AccessCondition;
use protocol::secrets::condition::{Amount, Comparison, Connective};
use regex::bytes::RegexBuilder;

use crate::args::secrets::Access;

/// The most memory that a pattern may take, and how deep its groups may nest: the keystore's limits. A pattern that it cannot compile is
/// stored all the same, and opens for nobody.
const MAX_PATTERN_MEMORY: usize = 1 << 20;
const MAX_PATTERN_NESTING: u32 = 32;

/// What to say when nobody is named.
const NAME_SOMEBODY: &str = "say for whom the secrets are opened: --allow ACCOUNT, another condition (see --help), --access-json, or --allow-all for everyone";

/// The condition that the flags name; there is none that is meant when none is named.
pub(super) fn named(access: &Access) -> Result<AccessCondition> {
    condition(access)?.context(NAME_SOMEBODY)
}

/// The condition that the flags name, if they name one.
pub(super) fn condition(access: &Access) -> Result<Option<AccessCondition>> {
    let condition = match &access.access_json {
        Some(json) => Some(from_json(json)?),
        None => together(of_flags(access)?, access.any)?,
    };
    if let Some(condition) = &condition {
        condition.check()?;
        check_patterns(condition)?;
    }
    Ok(condition)
}

fn from_json(text: &str) -> Result<AccessCondition> {
    let read = match text.strip_prefix('@') {
        Some(file) => {
            let json = std::fs::read_to_string(file)
                .with_context(|| format!("read {file}, which --access-json names"))?;
            AccessCondition::read(&json)
        }
        None => AccessCondition::read(text),
    };
    read.context("--access-json is no condition")
}

fn together(mut conditions: Vec<AccessCondition>, any: bool) -> Result<Option<AccessCondition>> {
    match conditions.len() {
        0 => {
            ensure!(!any, NAME_SOMEBODY);
            Ok(None)
        }
        1 => Ok(conditions.pop()),
        _ => Ok(Some(AccessCondition::Logic {
            operator: if any { Connective::Or } else { Connective::And },
            conditions,
        })),
    }
}

/// The cheap ones first: what is decided by the name alone asks nothing of the chain.
fn of_flags(access: &Access) -> Result<Vec<AccessCondition>> {
    let mut conditions = Vec::new();
    if access.allow_all {
        conditions.push(AccessCondition::AllowAll);
    }
    if !access.allow.is_empty() {
        conditions.push(AccessCondition::Whitelist {
            accounts: access.allow.clone(),
        });
    }
    conditions.extend(
        access
            .allow_pattern
            .iter()
            .map(|pattern| AccessCondition::AccountPattern {
                pattern: pattern.clone(),
            }),
    );
    if let Some(text) = &access.min_near {
        conditions.push(min_near(text)?);
    }
    for text in &access.min_ft {
        conditions.push(min_ft(text)?);
    }
    for text in &access.owns_nft {
        conditions.push(owns_nft(text)?);
    }
    for text in &access.dao_member {
        conditions.push(dao_member(text)?);
    }
    Ok(conditions)
}

fn min_near(text: &str) -> Result<AccessCondition> {
    let amount: NearToken = format!("{text} NEAR")
        .parse()
        .map_err(|_| anyhow::anyhow!("--min-near is an amount of NEAR such as 1.5, not {text}"))?;
    Ok(AccessCondition::NearBalance {
        operator: Comparison::Gte,
        value: Amount(amount.as_yoctonear()),
    })
}

fn min_ft(text: &str) -> Result<AccessCondition> {
    let parts = text.split_once(':');
    let parts = parts.and_then(|(contract, amount)| {
        let whole = amount.bytes().all(|byte| byte.is_ascii_digit());
        Some((
            contract.parse().ok()?,
            amount.parse().ok().filter(|_| whole)?,
        ))
    });
    let Some((contract, value)) = parts else {
        bail!(
            "--min-ft is a token's contract and a whole number of its smallest unit, such as usdc.near:1000000, not {text}"
        );
    };
    Ok(AccessCondition::FtBalance {
        contract,
        operator: Comparison::Gte,
        value,
    })
}

fn owns_nft(text: &str) -> Result<AccessCondition> {
    let (contract, token) = match text.split_once(':') {
        Some((contract, token)) => (contract, Some(token.to_owned())),
        None => (text, None),
    };
    let contract = contract.parse().with_context(|| {
        format!("--owns-nft is a collection's contract, or contract:token, not {text}")
    })?;
    Ok(AccessCondition::NftOwned {
        contract,
        token_id: token,
    })
}

fn dao_member(text: &str) -> Result<AccessCondition> {
    let parts = text.split_once(':');
    let parts = parts.and_then(|(dao, role)| Some((dao.parse().ok()?, role.to_owned())));
    let Some((dao_contract, role)) = parts else {
        bail!("--dao-member is a DAO's contract and a role, such as dao.near:council, not {text}");
    };
    Ok(AccessCondition::DaoMember { dao_contract, role })
}

/// Refuses what the keystore could not compile.
fn check_patterns(condition: &AccessCondition) -> Result<()> {
    match condition {
        AccessCondition::AccountPattern { pattern } => check_pattern(pattern),
        AccessCondition::Logic { conditions, .. } => conditions.iter().try_for_each(check_patterns),
        AccessCondition::Not { condition } => check_patterns(condition),
        AccessCondition::AllowAll
        | AccessCondition::Whitelist { .. }
        | AccessCondition::NearBalance { .. }
        | AccessCondition::FtBalance { .. }
        | AccessCondition::NftOwned { .. }
        | AccessCondition::DaoMember { .. } => Ok(()),
    }
}

fn check_pattern(pattern: &str) -> Result<()> {
    let compiled = RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(MAX_PATTERN_MEMORY)
        .dfa_size_limit(MAX_PATTERN_MEMORY)
        .nest_limit(MAX_PATTERN_NESTING)
        .build();
    compiled
        .map(|_| ())
        .with_context(|| format!("the pattern {pattern} is none that the keystore can use"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(access: &Access) -> Result<Value> {
        Ok(serde_json::to_value(named(access)?)?)
    }

    fn with(change: impl FnOnce(&mut Access)) -> Access {
        let mut access = Access::default();
        change(&mut access);
        access
    }

    #[test]
    fn each_flag_is_a_condition_of_its_own() {
        let near = "1500000000000000000000000";
        for (access, expected) in [
            (with(|it| it.allow_all = true), json!("AllowAll")),
            (
                with(|it| it.allow = vec!["a.near".parse().unwrap(), "b.near".parse().unwrap()]),
                json!({"Whitelist": {"accounts": ["a.near", "b.near"]}}),
            ),
            (
                with(|it| it.allow_pattern = vec![r".*\.a\.near".into()]),
                json!({"AccountPattern": {"pattern": r".*\.a\.near"}}),
            ),
            (
                with(|it| it.min_near = Some("1.5".into())),
                json!({"NearBalance": {"operator": "Gte", "value": near}}),
            ),
            (
                with(|it| it.min_ft = vec!["usdc.near:1000000".into()]),
                json!({"FtBalance": {"contract": "usdc.near", "operator": "Gte", "value": "1000000"}}),
            ),
            (
                with(|it| it.owns_nft = vec!["nft.near".into()]),
                json!({"NftOwned": {"contract": "nft.near", "token_id": null}}),
            ),
            (
                with(|it| it.owns_nft = vec!["nft.near:a:7".into()]),
                json!({"NftOwned": {"contract": "nft.near", "token_id": "a:7"}}),
            ),
            (
                with(|it| it.dao_member = vec!["dao.near:council".into()]),
                json!({"DaoMember": {"dao_contract": "dao.near", "role": "council"}}),
            ),
        ] {
            assert_eq!(read(&access).unwrap(), expected);
        }
    }

    #[test]
    fn several_flags_must_all_hold_unless_any_is_enough() {
        let both = |any| {
            with(|it| {
                it.allow = vec!["a.near".parse().unwrap()];
                it.owns_nft = vec!["nft.near".into()];
                it.any = any;
            })
        };
        let conditions = json!([
            {"Whitelist": {"accounts": ["a.near"]}},
            {"NftOwned": {"contract": "nft.near", "token_id": null}},
        ]);

        assert_eq!(
            read(&both(false)).unwrap(),
            json!({"Logic": {"operator": "And", "conditions": conditions}})
        );
        assert_eq!(
            read(&both(true)).unwrap(),
            json!({"Logic": {"operator": "Or", "conditions": conditions}})
        );
    }

    #[test]
    fn nobody_is_meant_when_nobody_is_named() {
        let nothing = named(&Access::default()).unwrap_err();
        let any_of_nothing = named(&with(|it| it.any = true)).unwrap_err();

        assert!(nothing.to_string().contains("--allow-all"));
        assert!(any_of_nothing.to_string().contains("--allow-all"));
        assert!(condition(&Access::default()).unwrap().is_none());
    }

    #[test]
    fn json_is_read_from_the_argument_or_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let json = r#"{"Not":{"condition":{"Whitelist":{"accounts":["a.near"]}}}}"#;
        std::fs::write(file.path(), json).unwrap();

        let argument = named(&with(|it| it.access_json = Some(json.into()))).unwrap();
        let path = format!("@{}", file.path().display());
        let from_file = named(&with(|it| it.access_json = Some(path))).unwrap();

        assert_eq!(serde_json::to_string(&argument).unwrap(), json);
        assert_eq!(from_file, argument);
    }

    #[test]
    fn what_could_never_hold_is_refused_before_it_is_stored() {
        for access in [
            with(|it| it.allow_pattern = vec!["(".into()]),
            with(|it| it.allow_pattern = vec!["a)|(b".into()]),
            with(|it| it.allow_pattern = vec![String::new()]),
            with(|it| it.min_near = Some("much".into())),
            with(|it| it.min_ft = vec!["usdc.near".into()]),
            with(|it| it.min_ft = vec!["usdc.near:1.5".into()]),
            with(|it| it.min_ft = vec!["usdc.near:+1".into()]),
            with(|it| it.owns_nft = vec!["NFT".into()]),
            with(|it| it.owns_nft = vec!["nft.near:".into()]),
            with(|it| it.dao_member = vec!["dao.near".into()]),
            with(|it| it.dao_member = vec!["dao.near:".into()]),
            with(|it| it.access_json = Some("\"DenyAll\"".into())),
            with(|it| {
                it.access_json =
                    Some(r#"{"Not":{"condition":{"AccountPattern":{"pattern":"("}}}}"#.into());
            }),
        ] {
            assert!(named(&access).is_err(), "{access:?}");
        }
    }
}
