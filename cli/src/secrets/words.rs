//! Conditions in words.

use protocol::NearToken;
use protocol::secrets::AccessCondition;
use protocol::secrets::condition::{Comparison, Connective};

/// For whom, so that `opened for …` is a sentence.
pub(super) fn whom(condition: &AccessCondition) -> String {
    match condition {
        AccessCondition::AllowAll => "everyone".to_owned(),
        AccessCondition::Whitelist { accounts } if accounts.is_empty() => "nobody".to_owned(),
        AccessCondition::Whitelist { accounts } => {
            let names: Vec<_> = accounts.iter().map(ToString::to_string).collect();
            names.join(" or ")
        }
        AccessCondition::AccountPattern { pattern } => {
            format!("accounts whose whole name matches {pattern}")
        }
        AccessCondition::NearBalance { operator, value } => {
            let near = NearToken::from_yoctonear(value.0).exact_amount_display();
            format!("accounts with {} {near}", compared(*operator))
        }
        AccessCondition::FtBalance {
            contract,
            operator,
            value,
        } => format!(
            "accounts with {} {value} of {contract}'s smallest unit",
            compared(*operator)
        ),
        AccessCondition::NftOwned {
            contract,
            token_id: None,
        } => format!("owners of a token of {contract}"),
        AccessCondition::NftOwned {
            contract,
            token_id: Some(token),
        } => format!("the owner of the token {token} of {contract}"),
        AccessCondition::DaoMember { dao_contract, role } => {
            format!("members of {dao_contract} with the role {role}")
        }
        AccessCondition::Logic {
            operator,
            conditions,
        } => {
            let word = match operator {
                Connective::And => " and also ",
                Connective::Or => " or else ",
            };
            let parts: Vec<_> = conditions.iter().map(grouped).collect();
            parts.join(word)
        }
        AccessCondition::Not { condition } => format!("everyone but {}", grouped(condition)),
    }
}

/// In brackets what would be read otherwise beside another condition.
fn grouped(condition: &AccessCondition) -> String {
    match condition {
        AccessCondition::Logic { conditions, .. } if conditions.len() > 1 => {
            format!("({})", whom(condition))
        }
        AccessCondition::Whitelist { accounts } if accounts.len() > 1 => {
            format!("({})", whom(condition))
        }
        AccessCondition::Not { .. } => format!("({})", whom(condition)),
        _ => whom(condition),
    }
}

const fn compared(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Gte => "at least",
        Comparison::Lte => "at most",
        Comparison::Gt => "more than",
        Comparison::Lt => "less than",
        Comparison::Eq => "just",
        Comparison::Ne => "other than",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_as_it_decides() {
        for (json, words) in [
            (r#""AllowAll""#, "everyone"),
            (r#"{"Whitelist":{"accounts":[]}}"#, "nobody"),
            (
                r#"{"NearBalance":{"operator":"Gte","value":"1500000000000000000000000"}}"#,
                "accounts with at least 1.5 NEAR",
            ),
            (
                r#"{"Logic":{"operator":"And","conditions":[{"Whitelist":{"accounts":["a.near","b.near"]}},
                {"Logic":{"operator":"Or","conditions":[{"NftOwned":{"contract":"nft.near"}},
                {"DaoMember":{"dao_contract":"dao.near","role":"council"}}]}}]}}"#,
                "(a.near or b.near) and also (owners of a token of nft.near or else members of dao.near with the role council)",
            ),
            (
                r#"{"Not":{"condition":{"AccountPattern":{"pattern":".*\\.near"}}}}"#,
                r"everyone but accounts whose whole name matches .*\.near",
            ),
            (
                r#"{"Logic":{"operator":"And","conditions":[{"Not":{"condition":{"Whitelist":{"accounts":["a.near"]}}}},
                {"Not":{"condition":{"Whitelist":{"accounts":["b.near","c.near"]}}}}]}}"#,
                "(everyone but a.near) and also (everyone but (b.near or c.near))",
            ),
            (
                r#"{"FtBalance":{"contract":"usdc.near","operator":"Lt","value":"7"}}"#,
                "accounts with less than 7 of usdc.near's smallest unit",
            ),
        ] {
            let condition = AccessCondition::read(json).unwrap();

            assert_eq!(whom(&condition), words);
        }
    }
}
