//! Each place a master key comes from, and what is refused there.

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::UnixListener;

use super::*;

const DIGITS: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn file(content: &[u8], mode: u32) -> (TempDir, Master) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (folder, Master::File(path))
}

/// An agent that answers so.
fn agent(status: u16, answer: Value) -> (TempDir, Master) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("dstack.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    let handler = move |axum::Json(question): axum::Json<Value>| async move {
        assert_eq!(
            question,
            json!({"path": "keystore", "purpose": "outlayer-keystore"})
        );
        (status, axum::Json(answer))
    };
    let router = Router::new().route("/GetKey", post(handler));
    tokio::spawn(async { axum::serve(listener, router).await });
    let path = "keystore".to_owned();
    (folder, Master::Dstack { socket, path })
}

/// What tells one master key from another.
async fn identity(master: &Master) -> String {
    hex::encode(*master.fetch().await.unwrap().identity())
}

#[tokio::test]
async fn the_same_key_comes_from_every_place() {
    let (_folder, as_bytes) = file(&hex::decode(DIGITS).unwrap(), 0o600);
    let (_folder, as_digits) = file(format!("{DIGITS}\n").as_bytes(), 0o400);
    let (_folder, of_the_agent) = agent(200, json!({"key": DIGITS, "signature_chain": ["00"]}));
    let setting = Master::Setting(Zeroizing::new(DIGITS.to_owned()));

    let expected = identity(&setting).await;

    for master in [as_bytes, as_digits, of_the_agent] {
        assert_eq!(identity(&master).await, expected, "{master:?}");
    }
}

#[tokio::test]
async fn what_is_no_key_or_not_there_is_refused_with_its_code() {
    let (_a, exposed) = file(DIGITS.as_bytes(), 0o640);
    let (_b, short) = file(b"0001", 0o600);
    let (_c, zeros) = file(&[0; 32], 0o600);
    let (_d, refusing) = agent(500, json!({}));
    let (_e, odd) = agent(200, json!({"token": DIGITS}));
    let (_f, half) = agent(200, json!({"key": "00"}));
    let nobody = Master::Dstack {
        socket: "/nowhere/dstack.sock".into(),
        path: String::new(),
    };
    let cases = [
        (
            Master::File("/nowhere/master.key".into()),
            "master_key_unreadable",
        ),
        (exposed, "master_key_exposed"),
        (short, "bad_master_key"),
        (zeros, "bad_master_key"),
        (refusing, "agent_unavailable"),
        (odd, "agent_unavailable"),
        (half, "bad_master_key"),
        (nobody, "agent_unavailable"),
    ];

    for (master, code) in cases {
        let refused = master.fetch().await.unwrap_err();
        assert_eq!(refused.code(), code, "{master:?}");
    }
}

#[test]
fn settings_do_not_show_the_key() {
    let master = Master::Setting(Zeroizing::new(DIGITS.to_owned()));

    assert_eq!(format!("{master:?}"), "Setting(…)");
}
