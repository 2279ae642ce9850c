//! Every kind is read and written in one spelling, and nothing that is too large passes.

use proptest::prelude::*;

use super::*;

const EVERY_KIND: &str = r#"{"Logic":{"operator":"And","conditions":["AllowAll",{"Whitelist":{"accounts":["alice.near","bob.near"]}},{"AccountPattern":{"pattern":".*\\.near"}},{"NearBalance":{"operator":"Gte","value":"1000000000000000000000000"}},{"FtBalance":{"contract":"usdc.near","operator":"Lt","value":"340282366920938463463374607431768211455"}},{"NftOwned":{"contract":"nft.near","token_id":null}},{"NftOwned":{"contract":"nft.near","token_id":"7"}},{"DaoMember":{"dao_contract":"dao.near","role":"council"}},{"Logic":{"operator":"Or","conditions":["AllowAll"]}},{"Not":{"condition":"AllowAll"}}]}}"#;

/// `levels` conditions around one.
fn nested(levels: usize) -> String {
    format!(
        "{}\"AllowAll\"{}",
        r#"{"Logic":{"operator":"And","conditions":["#.repeat(levels),
        "]}}".repeat(levels)
    )
}

fn wide(conditions: usize) -> String {
    let inner = vec!["\"AllowAll\""; conditions].join(",");
    format!(r#"{{"Logic":{{"operator":"Or","conditions":[{inner}]}}}}"#)
}

#[test]
fn every_kind_is_written_as_it_is_read() {
    let condition = AccessCondition::read(EVERY_KIND).unwrap();

    assert_eq!(serde_json::to_string(&condition).unwrap(), EVERY_KIND);
    let stored = borsh::to_vec(&condition).unwrap();
    assert_eq!(
        borsh::from_slice::<AccessCondition>(&stored).unwrap(),
        condition
    );
}

#[test]
fn a_token_that_is_not_named_is_any() {
    let condition = AccessCondition::read(r#"{"NftOwned":{"contract":"nft.near"}}"#);

    assert!(matches!(
        condition,
        Ok(AccessCondition::NftOwned { token_id: None, .. })
    ));
}

#[test]
fn conditions_nest_to_a_limit_and_no_further() {
    assert!(AccessCondition::read(&nested(7)).is_ok());
    assert_eq!(AccessCondition::read(&nested(8)), Err(Error::TooDeep));
    assert_eq!(AccessCondition::read(&nested(100)), Err(Error::TooDeep));
    assert_eq!(AccessCondition::read(&nested(100_000)), Err(Error::TooDeep));
    assert_eq!(
        AccessCondition::read(&"[".repeat(100_000)),
        Err(Error::TooDeep)
    );
    let negations = r#"{"Not":{"condition":"#;
    let nine = format!("{}\"AllowAll\"{}", negations.repeat(8), "}}".repeat(8));
    assert_eq!(AccessCondition::read(&nine), Err(Error::TooDeep));
}

#[test]
fn a_condition_consists_of_few_and_takes_little() {
    let names = vec![format!("\"{}\"", "a".repeat(64)); 300].join(",");
    let whitelist = format!(r#"{{"Whitelist":{{"accounts":[{names}]}}}}"#);

    assert!(AccessCondition::read(&wide(31)).is_ok());
    assert_eq!(
        AccessCondition::read(&wide(MAX_CONDITIONS)),
        Err(Error::TooMany)
    );
    assert!(matches!(
        AccessCondition::read(&whitelist),
        Err(Error::TooLarge(_))
    ));
}

#[test]
fn a_long_or_empty_or_unprintable_text_is_refused() {
    for pattern in ["", "a\\u0000", &"a".repeat(257), &"(a+)+".repeat(2_048)] {
        let json = format!(r#"{{"AccountPattern":{{"pattern":"{pattern}"}}}}"#);

        let refused = AccessCondition::read(&json);

        assert!(
            matches!(
                refused,
                Err(Error::Text {
                    field: "pattern",
                    ..
                })
            ),
            "{refused:?}"
        );
    }
}

#[test]
fn what_is_no_condition_is_malformed() {
    for bad in [
        "",
        "7",
        "null",
        "\"DenyAll\"",
        r#"{"AllowAll":{}}"#,
        r#"{"Whitelist":{"accounts":["NO"]}}"#,
        r#"{"NearBalance":{"operator":"Gte","value":1}}"#,
        r#"{"NearBalance":{"operator":"Gte","value":"-1"}}"#,
        r#"{"NearBalance":{"operator":"Near","value":"1"}}"#,
        r#"{"NearBalance":{"operator":"Gte","value":"340282366920938463463374607431768211456"}}"#,
        r#"{"Logic":{"operator":"Xor","conditions":["AllowAll"]}}"#,
        r#"{"Not":{}}"#,
        r#"{"Not":{"condition":"AllowAll"},"AllowAll":{}}"#,
    ] {
        assert!(
            matches!(AccessCondition::read(bad), Err(Error::Malformed(_))),
            "{bad}"
        );
    }
    let nothing = r#"{"Logic":{"operator":"And","conditions":[]}}"#;
    assert_eq!(AccessCondition::read(nothing), Err(Error::NoConditions));
}

#[test]
fn a_balance_compares_in_six_ways() {
    let holding = |balance| {
        [
            Comparison::Gte,
            Comparison::Lte,
            Comparison::Gt,
            Comparison::Lt,
            Comparison::Eq,
            Comparison::Ne,
        ]
        .map(|comparison| comparison.holds(balance, 5))
    };

    assert_eq!(holding(4), [false, true, false, true, false, true]);
    assert_eq!(holding(5), [true, true, false, false, true, false]);
    assert_eq!(holding(6), [true, false, true, false, false, true]);
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(json in r#"[\[\]{}"\\,:a-zA-Z0-9]{0,200}"#) {
        let _ = AccessCondition::read(&json);
    }
}
