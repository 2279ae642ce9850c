//! One sample of each type that passes between callers and the keystore, as in [`crate::api::samples`].

use serde_json::{Value, json};

const TIME_MS: u64 = 1_761_566_400_000;
const X25519_KEY: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const PUBLIC_KEY: &str = "ed25519:DcA2MzgpJbrUATQLLceocVckhhAqrkingax4oJ9kZ847";
const SIGNATURE: &str = "ed25519:…";
const SEALED: &str = "AYUg8AmJMKdUdIt93LQ+91oNvzoN…";

fn accessor() -> Value {
    json!({"type": "Repo", "repo": "github.com/alice/app", "branch": "main"})
}

pub(super) fn pubkey_ask() -> Value {
    json!({
        "accessor": accessor(),
        "owner": "alice.near",
        "profile": "default",
        "secrets_json": {"API_KEY": ""},
    })
}

pub(super) fn pubkey_answer() -> Value {
    json!({
        "accessor": accessor(),
        "owner": "alice.near",
        "pubkey": X25519_KEY,
        "public_key": PUBLIC_KEY,
        "signature": SIGNATURE,
    })
}

pub(super) fn generate_ask() -> Value {
    json!({
        "accessor": accessor(),
        "owner": "alice.near",
        "profile": "default",
        "encrypted_secrets_base64": SEALED,
        "new_secrets": [{"name": "PROTECTED_SEED", "generation_type": "hex32"}],
    })
}

pub(super) fn update_ask() -> Value {
    json!({
        "accessor": accessor(),
        "owner": "alice.near",
        "profile": "default",
        "mode": "append",
        "encrypted_secrets_base64": SEALED,
        "expires_ms": TIME_MS,
        "nonce": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        "callback_url": "https://wallet.example/back",
        "public_key": PUBLIC_KEY,
        "signature": SIGNATURE,
    })
}

pub(super) fn revised_answer() -> Value {
    json!({
        "encrypted_data_base64": SEALED,
        "all_keys": ["API_KEY", "PROTECTED_SEED"],
        "accessor": accessor(),
        "public_key": PUBLIC_KEY,
        "signature": SIGNATURE,
    })
}

pub(super) fn signed_unlock() -> Value {
    json!({
        "request_id": 186,
        "secrets_ref": {"profile": "default", "account_id": "alice.near"},
        "accessor": {"Repo": {"repo": "github.com/alice/app", "branch": "main"}},
        "artifact": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "session_key": X25519_KEY,
        "issued_ms": TIME_MS,
        "public_key": PUBLIC_KEY,
        "signature": SIGNATURE,
    })
}

pub(super) fn unlocked() -> Value {
    json!({
        "sealed": SEALED,
        "block_height": 170_000_000,
        "public_key": PUBLIC_KEY,
        "signature": SIGNATURE,
    })
}

pub(super) fn identity() -> Value {
    json!({"public_key": PUBLIC_KEY, "contract_id": "outlayer.near"})
}
