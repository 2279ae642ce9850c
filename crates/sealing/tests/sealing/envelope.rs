//! What any plaintext and any altering come to.

use proptest::prelude::*;
use sealing::envelope::{MAX_SEALED_BYTES, MAX_SEALED_TEXT, OVERHEAD_BYTES};
use sealing::{MasterKey, PublicKey, Sealed, SecretKey, seal};

use crate::chance::seeded;

proptest! {
    #[test]
    fn what_was_sealed_opens_to_the_same(plaintext: Vec<u8>, chance: u64) {
        let mut chance = seeded(chance);
        let key = SecretKey::random(&mut chance);

        let sealed = seal(&key.public_key(), &plaintext, &mut chance).unwrap();
        let travelled = Sealed::from_base64(&sealed.to_base64()).unwrap();

        prop_assert_eq!(&*key.open(&travelled).unwrap(), &plaintext);
        prop_assert_eq!(sealed.as_bytes().len(), plaintext.len() + OVERHEAD_BYTES);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text: String) {
        let key = SecretKey::from_bytes([7; 32]);

        let opened = Sealed::from_bytes(bytes).and_then(|sealed| key.open(&sealed));
        let _ = Sealed::from_base64(&text);

        prop_assert!(opened.is_err());
    }
}

#[test]
fn a_change_of_any_single_byte_is_refused() {
    let mut chance = seeded(1);
    let key = SecretKey::random(&mut chance);
    let sealed = seal(&key.public_key(), br#"{"A":"1"}"#, &mut chance).unwrap();

    for at in 0..sealed.as_bytes().len() {
        for mask in 1..=255 {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= mask;
            let opened = Sealed::from_bytes(bytes).and_then(|sealed| key.open(&sealed));
            assert!(opened.is_err(), "byte {at} by {mask:#x}");
        }
    }
}

#[test]
fn a_change_of_any_single_letter_is_refused() {
    let mut chance = seeded(2);
    let key = SecretKey::random(&mut chance);
    let sealed = seal(&key.public_key(), br#"{"A":"12"}"#, &mut chance).unwrap();
    let text = sealed.to_base64();

    for at in 0..text.len() {
        for letter in (b' '..=b'~').filter(|letter| *letter != text.as_bytes()[at]) {
            let mut letters = text.clone().into_bytes();
            letters[at] = letter;
            let text = String::from_utf8(letters).unwrap();
            let opened = Sealed::from_base64(&text).and_then(|sealed| key.open(&sealed));
            assert!(opened.is_err(), "{text}");
        }
    }
}

#[test]
fn ten_megabytes_are_sealed_and_one_byte_more_is_not() {
    let mut chance = seeded(3);
    let key = SecretKey::random(&mut chance);
    let most = vec![b' '; MAX_SEALED_BYTES - OVERHEAD_BYTES];

    let sealed = seal(&key.public_key(), &most, &mut chance).unwrap();
    let text = sealed.to_base64();
    let above = seal(&key.public_key(), &[most, vec![0]].concat(), &mut chance);
    let bytes_above = Sealed::from_bytes(vec![1; MAX_SEALED_BYTES + 1]);
    let text_above = Sealed::from_base64(&"A".repeat(MAX_SEALED_TEXT + 4));

    assert!(Sealed::from_base64(&text).is_ok());
    for refused in [above, bytes_above, text_above] {
        assert_eq!(refused.unwrap_err().code(), "secrets_too_large");
    }
}

#[test]
fn two_envelopes_of_the_same_are_not_alike() {
    let mut chance = seeded(4);
    let key = SecretKey::random(&mut chance).public_key();

    let one = seal(&key, b"{}", &mut chance).unwrap();
    let other = seal(&key, b"{}", &mut chance).unwrap();

    assert_ne!(one, other);
}

#[test]
fn a_key_travels_as_its_text() {
    let key = SecretKey::from_bytes([9; 32]).public_key();

    let read: PublicKey = key.to_string().parse().unwrap();

    assert_eq!(read, key);
}

#[test]
fn a_master_key_has_thirty_two_bytes_that_are_not_all_alike() {
    for text in [
        "",
        "00",
        &"00".repeat(32),
        &"ab".repeat(32),
        &"zz".repeat(32),
    ] {
        let key = MasterKey::from_hex(text);

        assert_eq!(key.unwrap_err().code(), "bad_master_key", "{text}");
    }
}

#[test]
fn nothing_shows_what_is_secret() {
    let master = MasterKey::from_hex(&format!("{}cd", "ab".repeat(31))).unwrap();
    let secret = SecretKey::from_bytes([0xab; 32]);
    let secrets = sealing::Secrets::from_user_json(br#"{"NAME":"abab"}"#).unwrap();

    let shown = format!("{master:?} {secret:?} {secrets:?}");

    assert!(
        !shown.contains("abab") && !shown.contains("NAME"),
        "{shown}"
    );
}
