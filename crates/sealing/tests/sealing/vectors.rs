//! The vectors beside these tests, read as data.

use protocol::secrets::{Accessor, SystemSecret};
use sealing::{MasterKey, PublicKey, Sealed, Secrets, Seed, seal};
use serde::Deserialize;

use crate::chance::Told;

#[derive(Deserialize)]
struct Ecies {
    sealed: Vec<Vector>,
    refused: Vec<Refused>,
    bad_public_keys: Vec<String>,
}

#[derive(Deserialize)]
struct Vector {
    master_key: String,
    seed: String,
    public_key: String,
    ephemeral_secret: String,
    nonce: String,
    plaintext: String,
    sealed: String,
}

#[derive(Deserialize)]
struct Refused {
    what: String,
    sealed: String,
    code: String,
}

#[derive(Deserialize)]
struct Objects {
    good: Vec<Good>,
    refused: Vec<BadObject>,
}

#[derive(Deserialize)]
struct Good {
    json: String,
    names: Vec<String>,
}

#[derive(Deserialize)]
struct BadObject {
    json: String,
    code: String,
}

fn ecies() -> Ecies {
    serde_json::from_str(include_str!("../vectors/ecies.json")).unwrap()
}

fn objects() -> Objects {
    serde_json::from_str(include_str!("../vectors/secrets.json")).unwrap()
}

/// The seed whose text this is.
fn seed(text: &str) -> Seed {
    let of = |accessor: Accessor, profile: &str, owner: &str| {
        Seed::of(
            &accessor,
            &profile.parse().unwrap(),
            &owner.parse().unwrap(),
        )
        .unwrap()
    };
    let parts: Vec<_> = text.split(':').collect();
    match parts[..] {
        ["wasm_hash", hash, owner] => {
            let hash = hash.parse().unwrap();
            of(Accessor::WasmHash { hash }, "default", owner)
        }
        ["project", id, owner] => {
            let project_id = id.parse().unwrap();
            of(Accessor::Project { project_id }, "default", owner)
        }
        ["system", "payment_key", owner, nonce] => {
            of(Accessor::System(SystemSecret::PaymentKey), nonce, owner)
        }
        ["storage", uuid, owner] => Seed::storage(uuid.parse().unwrap(), &owner.parse().unwrap()),
        [repo, owner] => of(Accessor::repo(repo, None).unwrap(), "default", owner),
        [repo, owner, branch] => of(
            Accessor::repo(repo, Some(branch)).unwrap(),
            "default",
            owner,
        ),
        _ => unreachable!("no seed: {text}"),
    }
}

#[test]
fn keys_and_envelopes_are_those_of_the_vectors() {
    for vector in ecies().sealed {
        let seed = seed(&vector.seed);
        let master = MasterKey::from_hex(&vector.master_key).unwrap();
        let mut chance = hex::decode(&vector.ephemeral_secret).unwrap();
        chance.extend(hex::decode(&vector.nonce).unwrap());

        let key = master.public_key(&seed);
        let sealed = seal(&key, vector.plaintext.as_bytes(), &mut Told(chance)).unwrap();
        let opened = master.secret_key(&seed).open(&sealed).unwrap();

        assert_eq!(seed.as_str(), vector.seed);
        assert_eq!(key.to_string(), vector.public_key);
        assert_eq!(sealed.to_base64(), vector.sealed);
        assert_eq!(*opened, vector.plaintext.as_bytes());
    }
}

#[test]
fn what_is_no_envelope_for_this_key_is_refused_with_its_code() {
    let vectors = ecies();
    let first = &vectors.sealed[0];
    let key = MasterKey::from_hex(&first.master_key)
        .unwrap()
        .secret_key(&seed(&first.seed));

    for refused in vectors.refused {
        let opened = Sealed::from_base64(&refused.sealed).and_then(|sealed| key.open(&sealed));

        assert_eq!(opened.unwrap_err().code(), refused.code, "{}", refused.what);
    }
}

#[test]
fn keys_under_which_everybody_could_read_are_no_keys() {
    for text in ecies().bad_public_keys {
        let key = text.parse::<PublicKey>();

        assert_eq!(key.unwrap_err().code(), "bad_public_key", "{text}");
    }
}

#[test]
fn objects_of_strings_are_read() {
    for good in objects().good {
        let secrets = Secrets::from_user_json(good.json.as_bytes()).unwrap();

        assert_eq!(secrets.names().collect::<Vec<_>>(), good.names);
    }
}

#[test]
fn other_objects_are_refused_with_their_codes() {
    for bad in objects().refused {
        let secrets = Secrets::from_user_json(bad.json.as_bytes());

        assert_eq!(secrets.unwrap_err().code(), bad.code, "{}", bad.json);
    }
}
