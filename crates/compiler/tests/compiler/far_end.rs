//! Git hosts and registries that answer badly or not at all.

use std::net::SocketAddr;

use compiler::Settings;
use protocol::{FailureCode, Fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use crate::origin::{MANIFEST, Origin, build, commit_of, compiler};

/// A server that answers every request with `status`.
async fn answering(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

/// An address where nobody listens.
async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Settings under which GitHub is at `address`.
fn settings(origin: &Origin, address: SocketAddr) -> Settings {
    let mut settings = origin.settings("compiler");
    let base = Url::parse(&format!("http://{address}/")).unwrap();
    settings.hosts = [("github.com".to_owned(), base)].into();
    settings
}

#[tokio::test]
async fn what_a_host_answers_is_told_apart() {
    let origin = Origin::new();
    let hosts = [
        (
            answering("401 Unauthorized\r\nWWW-Authenticate: Basic realm=x").await,
            FailureCode::RepositoryAccessDenied,
        ),
        (
            answering("403 Forbidden").await,
            FailureCode::RepositoryAccessDenied,
        ),
        (
            answering("404 Not Found").await,
            FailureCode::RepositoryNotFound,
        ),
        (
            answering("503 Service Unavailable").await,
            FailureCode::NetworkError,
        ),
        (silent().await, FailureCode::NetworkError),
    ];

    for (address, code) in hosts {
        let compiler = compiler(settings(&origin, address));
        let error = commit_of(&compiler, "acme/ark", "main").await.unwrap_err();

        assert_eq!(error.code(), code, "{}", error.hidden_logs());
    }
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_our_fault() {
    let origin = Origin::new();
    let manifest = format!("{MANIFEST}\n[dependencies]\nitoa = '1'\n");
    let repository = origin.repository("acme/ark");
    repository.commit(&[
        ("Cargo.toml", &manifest),
        ("Cargo.lock", &lock_with("itoa")),
        ("src/main.rs", "fn main() {}"),
    ]);
    let config = format!(
        "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\nregistry = 'sparse+http://{}/'\n[net]\nretry = 0\n",
        silent().await
    );
    let mut settings = origin.settings("compiler");
    settings.cargo_config = Some(origin.write("config.toml", &config));

    let error = build(&compiler(settings), "acme/ark", "main")
        .await
        .unwrap_err();

    assert_eq!(
        error.code(),
        FailureCode::NetworkError,
        "{}",
        error.hidden_logs()
    );
    assert_eq!(error.fault(), Fault::Platform);
}

#[tokio::test]
async fn dependencies_come_from_where_the_machines_own_configuration_says() {
    let origin = Origin::new();
    let manifest = format!("{MANIFEST}\n[dependencies]\nonly-in-the-mirror = '1'\n");
    let repository = origin.repository("acme/ark");
    repository.commit(&[
        ("Cargo.toml", &manifest),
        ("Cargo.lock", &lock_with("only-in-the-mirror")),
        ("src/main.rs", "fn main() { only_in_the_mirror::hello() }"),
    ]);
    let crate_manifest = "[package]\nname = 'only-in-the-mirror'\nversion = '1.0.0'\n";
    origin.write("mirror/only/Cargo.toml", crate_manifest);
    origin.write("mirror/only/src/lib.rs", "pub fn hello() {}");
    let first = origin.write(
        "mirror/only/.cargo-checksum.json",
        "{\"files\":{},\"package\":null}",
    );
    let mirror = first.parent().and_then(std::path::Path::parent).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\ndirectory = '{}'\n",
        mirror.display()
    );
    let mut settings = origin.settings("compiler");
    settings.cargo_config = Some(origin.write("config.toml", &config));

    let artifact = build(&compiler(settings), "acme/ark", "main").await;

    assert!(artifact.is_ok(), "{}", artifact.unwrap_err().hidden_logs());
}

#[tokio::test]
async fn npms_registry_that_cannot_be_reached_is_our_fault() {
    let origin = Origin::new();
    let entry = format!(
        r#"{{"version": "0.27.37", "integrity": "sha512-{}"}}"#,
        "A".repeat(88)
    );
    let dependencies = r#"{"assemblyscript": "0.27.37"}"#;
    let lock = format!(
        r#"{{"lockfileVersion": 3, "packages": {{"": {{"dependencies": {dependencies}}}, "node_modules/assemblyscript": {entry}}}}}"#
    );
    origin.repository("acme/ark").commit(&[
        (
            "package.json",
            &format!(r#"{{"dependencies": {dependencies}}}"#),
        ),
        ("package-lock.json", &lock),
    ]);
    let config = format!("registry=http://{}/\n", silent().await);
    let mut settings = origin.settings("compiler");
    settings.npm_configs = vec![origin.write("npmrc", &config)];

    let error = build(&compiler(settings), "acme/ark", "main")
        .await
        .unwrap_err();

    assert_eq!(
        error.code(),
        FailureCode::NetworkError,
        "{}",
        error.hidden_logs()
    );
}

/// The lock file of a guest that depends on version 1.0.0 of one package.
fn lock_with(dependency: &str) -> String {
    format!(
        "version = 4\n\n[[package]]\nname = \"ark\"\nversion = \"0.1.0\"\ndependencies = [\n \"{dependency}\",\n]\n\n\
         [[package]]\nname = \"{dependency}\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
    )
}
