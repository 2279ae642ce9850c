//! One sample of each type that travels, with every field filled in. The description's schemas and examples are made from
//! them, after they have gone through the type itself, so that a sample that no longer fits is found by a test.

use serde_json::{Value, json};

const TIME_MS: u64 = 1_761_566_400_000;
const TIME_NS: u64 = 1_761_566_400_000_000_000;
const TRANSACTION: &str = "7Yw2qJ7nGm1v4eFmkX8yq2pSxkz4uBqjv5r8m3Jd1c9L";
const COMMIT: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const ARTIFACT: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// An artifact's name.
pub(super) fn sha256() -> Value {
    json!(ARTIFACT)
}

fn code_source() -> Value {
    json!({"GitHub": {
        "repo": "https://github.com/alice/random-ark",
        "commit": COMMIT,
        "build_target": "wasm32-wasip1",
    }})
}

fn notice() -> Value {
    json!({
        "request_id": 186,
        "sender_id": "alice.near",
        "predecessor_id": "coin-flip.near",
        "code_source": code_source(),
        "resource_limits": {"max_instructions": 1_000_000_000, "max_memory_mb": 128, "max_execution_seconds": 60},
        "input_data": "{}",
        "input_data_in_state": false,
        "secrets_ref": {"profile": "default", "account_id": "alice.near"},
        "response_format": "Text",
        "payment": "100000000000000000000000",
        "attached_usd": "0",
        "timestamp": TIME_NS,
        "compile_only": false,
        "force_rebuild": false,
        "store_on_fastfs": false,
        "use_bound_identity": false,
        "project_uuid": "p0123456789abcdef",
        "project_id": "alice.near/random",
    })
}

pub(super) fn lease_ask() -> Value {
    json!({"wait_ms": 30_000})
}

pub(super) fn lease() -> Value {
    json!({
        "job": {
            "id": 16,
            "contract_id": "outlayer.near",
            "notice": notice(),
            "data_id": vec![7; 32],
            "origin": {
                "block_height": 170_000_000,
                "block_timestamp": TIME_NS,
                "receipt_id": TRANSACTION,
                "transaction_hash": TRANSACTION,
                "signer_public_key": "ed25519:DcA2MzgpJbrUATQLLceocVckhhAqrkingax4oJ9kZ847",
                "gas_burnt": 2_428_000_000_000_u64,
            },
        },
        "fence": 3,
        "attempt": 1,
        "max_attempts": 5,
        "expires_in_ms": 20_000,
    })
}

pub(super) fn fence() -> Value {
    json!({"fence": 3})
}

pub(super) fn extension() -> Value {
    json!({"expires_in_ms": 20_000})
}

pub(super) fn finish() -> Value {
    json!({
        "fence": 3,
        "report": {
            "success": false,
            "error_type": "trapped",
            "resources_used": {"instructions": 41_000, "time_ms": 12, "compile_time_ms": 9_500},
            "artifact": ARTIFACT,
            "resolve_transaction": TRANSACTION,
        },
    })
}

pub(super) fn fail() -> Value {
    json!({"fence": 3, "code": "network_error", "reason": "github.com did not answer"})
}

pub(super) fn retry() -> Value {
    json!({"retry_in_ms": 1_000})
}

pub(super) fn hidden_log() -> Value {
    json!({
        "log_type": "compilation",
        "stderr": "error[E0425]: cannot find value `x` in this scope",
        "stdout": "",
        "exit_code": 101,
        "execution_error": "rust_compilation_error",
    })
}

pub(super) fn stored_log() -> Value {
    json!({
        "id": 1,
        "request_id": 186,
        "job_id": 16,
        "log_type": "compilation",
        "stderr": "fatal: could not read Username for 'https://github.com'",
        "stdout": "",
        "exit_code": 128,
        "execution_error": "repository_access_denied",
        "created_at": "2025-10-27T12:00:00Z",
    })
}

pub(super) fn rejected_event() -> Value {
    json!({
        "id": 1,
        "contract_id": "outlayer.near",
        "block_height": 170_000_000,
        "receipt_id": TRANSACTION,
        "line": "EVENT_JSON:{",
        "reason": "not an event's frame: EOF while parsing an object at line 1 column 1",
        "created_at_ms": TIME_MS,
    })
}

pub(super) fn dead_job() -> Value {
    json!({
        "job_id": 16,
        "request_id": 186,
        "attempts": 5,
        "worker": "worker-1",
        "reason": "network_error: github.com did not answer",
        "ended_at_ms": TIME_MS,
    })
}

fn recipe() -> Value {
    json!({
        "toolchain": "rustc 1.95.0",
        "toolchain_sha256": ARTIFACT,
        "lockfile_sha256": ARTIFACT,
        "command": "cargo build --release --bins --locked --offline --target wasm32-wasip1",
    })
}

pub(super) fn signed_build() -> Value {
    json!({
        "repo": "github.com/alice/random-ark",
        "commit": COMMIT,
        "build_target": "wasm32-wasip1",
        "artifact": ARTIFACT,
        "recipe": recipe(),
        "public_key": "ed25519:DcA2MzgpJbrUATQLLceocVckhhAqrkingax4oJ9kZ847",
        "signature": "ed25519:…",
    })
}

const URL: &str = "https://worker.near.fastfs.io/worker.near/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.wasm";

pub(super) fn published() -> Value {
    json!({"url": URL})
}

pub(super) fn build_name() -> Value {
    json!({
        "repo": "github.com/alice/random-ark",
        "commit": COMMIT,
        "build_target": "wasm32-wasip1",
    })
}

fn progress() -> Value {
    json!({"stage": "building", "done": 17, "of": 42, "what": "serde, syn"})
}

pub(super) fn claim_ask() -> Value {
    with(build_name(), json!({"job_id": 16}))
}

pub(super) fn claim() -> Value {
    json!({"is_yours": true, "expires_in_ms": 30_000})
}

pub(super) fn progress_report() -> Value {
    with(build_name(), json!({"progress": progress()}))
}

pub(super) fn build_view() -> Value {
    let more = json!({
        "worker": "worker-1",
        "job_id": 16,
        "progress": progress(),
        "began_at_ms": TIME_MS,
        "heard_at_ms": TIME_MS,
    });
    with(build_name(), more)
}

/// One object with the fields of both.
fn with(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

pub(super) fn worker() -> Value {
    json!({
        "worker_name": "worker-1",
        "last_seen_ms": TIME_MS,
        "online": true,
        "leased": 1,
        "finished": 41,
    })
}

pub(super) fn job_view() -> Value {
    json!({
        "job_id": 16,
        "request_id": 186,
        "stage": "resolved",
        "predecessor_id": "coin-flip.near",
        "user_account_id": "alice.near",
        "code_source": code_source(),
        "transaction_hash": TRANSACTION,
        "resolve_transaction": TRANSACTION,
        "artifact": ARTIFACT,
        "success": false,
        "error_type": "trapped",
        "instructions": 41_000,
        "time_ms": 12,
        "compile_time_ms": 9_500,
        "payment": "100000000000000000000000",
        "payment_charged": "1000000000000000000000",
        "payment_refunded": "99000000000000000000000",
        "attempts": 1,
        "worker": "worker-1",
        "created_at_ms": TIME_MS,
        "ended_at_ms": TIME_MS,
    })
}

pub(super) fn stats() -> Value {
    json!({
        "jobs": 45,
        "queued": 1,
        "leased": 1,
        "resolved": 41,
        "expired": 1,
        "dead": 1,
        "succeeded": 40,
        "instructions": 1_681_000,
        "charged_yocto": "41000000000000000000000",
        "unique_users": 7,
        "artifacts": 3,
        "artifact_bytes": 231_000,
        "block_height": 170_000_000,
    })
}

pub(super) fn repo() -> Value {
    json!({"repo": "https://github.com/alice/random-ark", "jobs": 41, "last_used_ms": TIME_MS})
}

pub(super) fn wasm() -> Value {
    json!({
        "exists": true,
        "sha256": ARTIFACT,
        "size_bytes": 77_000,
        "executions": 41,
        "built_at_ms": TIME_MS,
        "last_used_ms": TIME_MS,
        "recipe": recipe(),
        "published_url": URL,
    })
}

pub(super) fn health() -> Value {
    json!({
        "status": "ok",
        "version": "0.1.0",
        "database": true,
        "ingest": {
            "state": "reading",
            "error": "the block source failed",
            "block_height": 170_000_000,
            "lag_blocks": 0,
            "rejected_events": 0,
        },
        "queue": {"queued": 1, "leased": 1, "dead": 1, "oldest_queued_ms": TIME_MS},
        "workers": 2,
        "workers_online": 1,
    })
}
