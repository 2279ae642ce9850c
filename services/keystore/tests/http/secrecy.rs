//! What is written of secrets: nothing but who asked for which.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::town::{Town, repo};
use crate::worker::question;

const CANARY: &str = "canary-7f3a";

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn neither_a_log_nor_an_answer_holds_a_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (town, worker) = Town::with_request(json!("AllowAll")).await;
    let sealed = town
        .seal(&repo(), &format!(r#"{{"NAME_OF_IT":"{CANARY}"}}"#))
        .await;
    town.chain
        .facts()
        .store(&repo(), &sealed, json!("AllowAll"));
    let names =
        json!({"accessor": repo(), "owner": "alice.near", "secrets_json": {"NAME_OF_IT": CANARY}});
    let odd = json!({"accessor": CANARY, "owner": "alice.near", "secrets_json": {"A": [CANARY]}});
    let signed = worker.sign(question(&town, &repo()));

    let mut forged = json!(signed);
    forged["session_key"] = json!("12".repeat(32));

    let mut answers = String::new();
    for (path, body) in [
        ("decrypt", json!(signed)),
        ("decrypt", json!(signed)),
        ("decrypt", forged),
        ("pubkey", names),
    ] {
        answers += &town.post(path, &body).await.text().await.unwrap();
    }
    town.post("pubkey", &odd).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!answers.contains(CANARY));
    assert!(
        !log.contains(CANARY) && !log.contains("NAME_OF_IT"),
        "{log}"
    );
    assert!(
        log.contains("audit: deed=\"unlock\" outcome=\"ok\" owner=alice.near"),
        "{log}"
    );
    for outcome in ["session_used", "bad_signature"] {
        assert!(
            log.contains(&format!("deed=\"unlock\" outcome=\"{outcome}\"")),
            "{log}"
        );
    }
}
