//! What only the keystore makes.

use std::collections::HashSet;

use protocol::secrets::Accessor;
use sealing::{Error, Generation, MarkKey, MasterKey, Secrets, Seed};
use zeroize::Zeroizing;

use crate::chance::seeded;

fn mark_key(owner: &str) -> MarkKey {
    let owner = owner.parse().unwrap();
    let accessor = Accessor::repo("alice/app", None).unwrap();
    let seed = Seed::of(&accessor, &"default".parse().unwrap(), &owner).unwrap();
    MasterKey::random(&mut seeded(1)).mark_key(&seed)
}

fn generated() -> Secrets {
    let mut secrets = Secrets::from_user_json(br#"{"A":"1"}"#).unwrap();
    secrets
        .add_generated("PROTECTED_KEY", Zeroizing::new("k".to_owned()))
        .unwrap();
    secrets
}

#[test]
fn generated_secrets_come_back_with_their_mark_gone() {
    let secrets = generated();

    let sealed = secrets.to_sealed_json(&mark_key("alice.near"));
    let read = Secrets::from_sealed_json(&sealed, &mark_key("alice.near")).unwrap();

    assert_eq!(read, secrets);
    assert_eq!(read.names().collect::<Vec<_>>(), ["A", "PROTECTED_KEY"]);
    assert!(sealed.len() > secrets.to_json().len());
}

#[test]
fn a_generated_name_without_the_right_mark_is_refused() {
    let sealed = generated().to_sealed_json(&mark_key("alice.near"));
    let text = std::str::from_utf8(&sealed).unwrap();
    let forged = [
        br#"{"PROTECTED_KEY":"mine"}"#.to_vec(),
        br#"{"PROTECTED_KEY":"mine","generated=":"00"}"#.to_vec(),
        text.replace("\"k\"", "\"mine\"").into_bytes(),
        text.replace("PROTECTED_KEY", "PROTECTED_KEX").into_bytes(),
        text.replace("\"A\":\"1\",\"PROTECTED_KEY\":\"k\",", "")
            .into_bytes(),
    ];

    let others = Secrets::from_sealed_json(&sealed, &mark_key("bob.near"));

    assert_eq!(others, Err(Error::NotGenerated));
    for forged in forged {
        let read = Secrets::from_sealed_json(&forged, &mark_key("alice.near"));
        assert_eq!(read, Err(Error::NotGenerated));
    }
}

#[test]
fn a_users_own_secrets_change_beside_generated_ones() {
    let sealed = generated().to_sealed_json(&mark_key("alice.near"));
    let text = std::str::from_utf8(&sealed).unwrap();

    let read = Secrets::from_sealed_json(
        text.replace("\"A\":\"1\"", "\"A\":\"2\"").as_bytes(),
        &mark_key("alice.near"),
    );

    assert_eq!(read.unwrap().get("A"), Some("2"));
}

#[test]
fn a_reset_keeps_what_was_generated() {
    let mut secrets = generated();

    secrets.keep_generated();

    assert_eq!(secrets.names().collect::<Vec<_>>(), ["PROTECTED_KEY"]);
}

#[test]
fn only_protected_names_are_generated_and_only_once() {
    let mut secrets = generated();
    let value = || Zeroizing::new(String::new());

    let refused = [
        "PROTECTED_KEY",
        "KEY",
        "PROTECTED_",
        "PROTECTED_A=B",
        "WALLET_ID",
    ]
    .map(|name| secrets.add_generated(name, value()).unwrap_err().code());

    let told = [
        "name_taken",
        "not_protected_name",
        "not_protected_name",
        "bad_name",
        "reserved_name",
    ];
    assert_eq!(refused, told);
}

#[test]
fn each_kind_has_its_form() {
    let mut chance = seeded(2);
    let lengths = [
        ("hex16", 32),
        ("hex32", 64),
        ("hex64", 128),
        ("ed25519_seed", 64),
        ("password", 32),
        ("password:8", 8),
        ("password:128", 128),
    ];

    for (kind, length) in lengths {
        let kind: Generation = kind.parse().unwrap();
        let values: HashSet<_> = (0..20)
            .map(|_| kind.value(&mut chance).to_string())
            .collect();
        assert_eq!(values.len(), 20);
        assert!(values.iter().all(|value| value.len() == length), "{kind:?}");
    }
}

#[test]
fn a_generated_key_pair_is_one_that_near_reads() {
    let value = Generation::Ed25519.value(&mut seeded(3));

    let bytes = bs58::decode(value.strip_prefix("ed25519:").unwrap())
        .into_vec()
        .unwrap();

    let pair: [u8; 64] = bytes.try_into().unwrap();
    assert!(ed25519_dalek::SigningKey::from_keypair_bytes(&pair).is_ok());
}

#[test]
fn other_kinds_are_refused() {
    for kind in [
        "",
        "hex8",
        "Hex32",
        "password:",
        "password:7",
        "password:129",
        "password:+9",
        "rsa",
    ] {
        let read: Result<Generation, _> = kind.parse();

        assert_eq!(read, Err(Error::UnknownGeneration), "{kind}");
    }
}
