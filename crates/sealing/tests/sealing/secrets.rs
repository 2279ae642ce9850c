//! Names and values, as anybody may write them.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use sealing::{Error, Secrets, names};

proptest! {
    #[test]
    fn what_others_write_is_read_as_they_meant_it(
        object in prop::collection::btree_map("[A-Za-z_ é🔑\"\\\\]{1,20}", "[^\0]*", 0..8)
    ) {
        let json = serde_json::to_vec(&object).unwrap();

        let secrets = Secrets::from_keystore_json(&json).unwrap();

        let read: BTreeMap<_, _> = secrets.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        prop_assert_eq!(read, object);
    }

    #[test]
    fn what_is_written_is_read_by_others(
        object in prop::collection::btree_map("[A-Z]{1,8}", "[^\0]*", 0..8)
    ) {
        let secrets = Secrets::from_keystore_json(&serde_json::to_vec(&object).unwrap()).unwrap();

        let json = secrets.to_json();

        prop_assert_eq!(json.capacity(), json.len());
        let read: BTreeMap<String, String> = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(read, object);
    }

    #[test]
    fn no_text_is_read_that_others_refuse(text in r#"[{}":,\\u0-9aA \n]{0,40}"#) {
        let read = Secrets::from_keystore_json(text.as_bytes());

        let others: Result<BTreeMap<String, String>, _> = serde_json::from_str(&text);
        prop_assert!(read.is_err() || others.is_ok(), "{}", text);
        prop_assert!(!matches!(read, Err(Error::Malformed)) || others.is_err(), "{}", text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = Secrets::from_user_json(&bytes);
    }
}

#[test]
fn every_name_of_the_platform_is_reserved() {
    let distinct: HashSet<_> = names::RESERVED.iter().collect();

    assert_eq!(distinct.len(), 27);
    for name in names::RESERVED {
        let json = format!("{{\"{name}\":\"1\"}}");
        let refused = Secrets::from_user_json(json.as_bytes()).unwrap_err();
        assert_eq!(refused.code(), "reserved_name", "{name}");
    }
}

#[test]
fn a_long_name_is_refused_and_not_shown() {
    let name = "é".repeat(5_000);
    let json = format!("{{\"{name}\":1}}");
    let long = format!("{{\"{}\":\"1\"}}", "N".repeat(257));

    let refused = Secrets::from_user_json(json.as_bytes()).unwrap_err();
    let too_long = Secrets::from_user_json(long.as_bytes()).unwrap_err();

    assert!(refused.to_string().len() < 400);
    assert_eq!(too_long.code(), "name_too_long");
}

#[test]
fn new_values_replace_old_ones_of_their_names() {
    let mut secrets = Secrets::from_user_json(br#"{"A":"1","B":"2"}"#).unwrap();

    secrets.replace_with(Secrets::from_user_json(br#"{"B":"3","C":"4"}"#).unwrap());

    assert_eq!(*secrets.to_json(), *br#"{"A":"1","B":"3","C":"4"}"#);
}
