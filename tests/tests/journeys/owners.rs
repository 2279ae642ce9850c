//! What an owner of secrets does with the `outlayer` command.

use std::process::{Output, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use town::{Guest, Town};

use crate::PROGRAM;

/// Carol, who types.
struct Carol<'a> {
    town: &'a Town,
    name: String,
    key: String,
}

impl<'a> Carol<'a> {
    async fn of(town: &'a Town) -> Self {
        let carol = town.settle("carol").await.unwrap();
        Self {
            town,
            key: localnet::secret_key(&carol).to_string(),
            name: carol.to_string(),
        }
    }

    /// `outlayer secrets …`, with values on stdin.
    async fn types(&self, words: &[&str], stdin: &str) -> Output {
        self.types_to(self.town.platform.coordinator_url(), words, stdin)
            .await
    }

    async fn types_to(&self, coordinator: &str, words: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(PROGRAM)
            .args(["--json", "secrets"])
            .args(words)
            .args(["--repo", "acme/echo-ark"])
            .env("NEAR_RPC_URL", self.town.platform.localnet.rpc_url())
            .env("NEAR_ACCOUNT_ID", &self.name)
            .env("NEAR_SECRET_KEY", &self.key)
            .env("OUTLAYER_COORDINATOR", coordinator)
            .env("OUTLAYER_KEYSTORE_KEY", self.town.platform.keystore_key())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // Who reads no values closes it at once.
        let _ = input.write_all(stdin.as_bytes()).await;
        drop(input);
        child.wait_with_output().await.unwrap()
    }

    /// As [`Carol::types`], and it goes well.
    async fn does(&self, words: &[&str], stdin: &str) -> Value {
        let output = self.types(words, stdin).await;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {errors}");
        let said = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    }

    /// What a guest of alice's finds, in the names' order.
    async fn finds(&self, source: &Value, names: &[&str]) -> Value {
        let request = json!({
            "source": source,
            "input_data": json!({"env": names}).to_string(),
            "response_format": "Json",
            "secrets_ref": {"profile": "default", "account_id": self.name},
        });
        let answer = self.town.ask(request).await.unwrap();
        answer.value.unwrap()["env"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_stores_changes_and_deletes_secrets_from_the_command_line() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Echo).await.unwrap();
    let carol = Carol::of(&town).await;

    let estimate = carol
        .does(
            &["estimate", "--from-stdin", "--allow", "alice.test"],
            "A=1\nB=2",
        )
        .await;
    let set = carol
        .does(
            &["set", "--from-stdin", "--allow", "alice.test"],
            "A=1\nB=2",
        )
        .await;
    let twice = carol
        .types(&["set", "--from-stdin", "--allow-all"], "A=3")
        .await;
    let generated = carol.does(&["generate", "PROTECTED_SEED=hex32"], "").await;
    let before = carol.finds(&source, &["A", "B", "PROTECTED_SEED"]).await;
    let updated = carol
        .does(&["update", "--from-stdin"], r#"{"B":"3"}"#)
        .await;
    let after = carol.finds(&source, &["A", "B", "PROTECTED_SEED"]).await;
    let access = carol.does(&["show-access"], "").await;
    carol.does(&["set-access", "--allow", "bob.test"], "").await;
    let changed = carol.does(&["show-access"], "").await;
    carol.does(&["delete"], "").await;
    let gone = carol.types(&["show-access"], "").await;

    assert_eq!(set["names"], json!(["A", "B"]));
    assert_eq!(set["deposit"], estimate["deposit"]);
    assert!(!twice.status.success());
    assert_eq!(generated["names"], json!(["A", "B", "PROTECTED_SEED"]));
    assert_eq!(updated["names"], json!(["A", "B", "PROTECTED_SEED"]));
    assert_eq!((&before["A"], &before["B"]), (&json!("1"), &json!("2")));
    assert_eq!((&after["A"], &after["B"]), (&json!("1"), &json!("3")));
    assert_eq!(before["PROTECTED_SEED"].as_str().unwrap().len(), 64);
    assert_eq!(before["PROTECTED_SEED"], after["PROTECTED_SEED"]);
    assert_eq!(
        access["access"],
        json!({"Whitelist": {"accounts": ["alice.test"]}})
    );
    assert_eq!(
        changed["access"],
        json!({"Whitelist": {"accounts": ["bob.test"]}})
    );
    assert!(!gone.status.success());
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sealed_to_a_key_that_the_coordinator_has_put_in_the_place_of_the_keystores() {
    let town = Town::new(PROGRAM).await.unwrap();
    let carol = Carol::of(&town).await;
    let lie = |path: &str, body: Bytes| {
        if path != "/secrets/pubkey" {
            return body;
        }
        let mut said: Value = serde_json::from_slice(&body).unwrap();
        said["pubkey"] = json!("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        Bytes::from(said.to_string())
    };
    let liar = town.liar(Arc::new(lie)).await.unwrap();

    let set = carol
        .types_to(&liar, &["set", "--from-stdin", "--allow-all"], "A=1")
        .await;

    assert_eq!(set.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&set.stderr).contains("is not signed with"));
    let contract = &town.platform.accounts.outlayer;
    let stored = town.view(
        contract,
        "list_user_secrets",
        json!({"account_id": carol.name}),
    );
    assert_eq!(stored.await.unwrap(), json!([]));
    town.close().await;
}
