//! Builds that succeed.

use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use compiler::jail::{Confine, Step, Unsealed};
use protocol::ArtifactHash;

use crate::origin::{Origin, build, compiler};

/// A guest with a dependency, and a panic that names its source file.
pub(crate) const MAIN: &str = r#"
fn main() {
    let number: u32 = std::env::args().count().try_into().unwrap();
    println!("{}", itoa::Buffer::new().format(number));
}
"#;

pub(crate) const MANIFEST: &str = r#"
[package]
name = "ark"
version = "0.1.0"
edition = "2024"

[dependencies]
itoa = "1"

[workspace]
"#;

pub(crate) const LOCK: &str = r#"
version = 4

[[package]]
name = "ark"
version = "0.1.0"
dependencies = [
 "itoa",
]

[[package]]
name = "itoa"
version = "1.0.18"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "8f42a60cbdf9a97f5d2305f08a87dc4e09308d1276d28c869c684d7777685682"
"#;

/// Counts the builds.
#[derive(Debug, Default)]
struct Counting(AtomicU32);

impl Confine for Counting {
    fn confine(&self, step: &Step) -> io::Result<Command> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Unsealed.confine(step)
    }
}

#[tokio::test]
async fn a_commit_makes_the_same_bytes_wherever_it_is_built_and_is_built_once_for_all_who_wait() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    let commit = repository.commit(&[
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("src/main.rs", MAIN),
    ]);
    repository.commit(&[("src/main.rs", "a later commit that does not compile")]);
    let jail = Arc::new(Counting::default());
    let mut settings = origin.settings("here");
    settings.jail = jail.clone();
    let here = compiler(settings);
    let there = compiler(origin.settings("somewhere-else"));

    let (first, second) = tokio::join!(
        build(&here, "https://github.com/acme/ark", &commit),
        build(&here, "acme/ark.git", &commit),
    );
    let elsewhere = build(&there, "acme/ark", &commit).await.unwrap();

    let first = first.unwrap();
    assert_eq!(first.hash, ArtifactHash::of(&first.wasm));
    assert!(first.wasm.starts_with(b"\0asm"));
    assert_eq!(first.hash, second.unwrap().hash);
    assert_eq!(first.hash, elsewhere.hash);
    assert_eq!(jail.0.load(Ordering::SeqCst), 1);
    assert_eq!(first.build.source, format!("github.com/acme/ark@{commit}"));
    assert!(first.build.toolchain.unwrap().starts_with("rustc "));
}

#[tokio::test]
async fn a_dependency_may_come_from_a_repository_on_the_same_host_and_from_no_other() {
    let origin = Origin::new();
    let library = origin.repository("acme/library");
    let library_commit = library.commit(&[
        (
            "Cargo.toml",
            "[package]\nname = 'library'\nversion = '1.0.0'\n",
        ),
        ("src/lib.rs", "pub fn answer() -> u32 { 42 }"),
    ]);
    let manifest = |url: &str| {
        format!(
            "[package]\nname = 'ark'\nversion = '1.0.0'\n[dependencies]\nlibrary = {{ git = '{url}' }}\n"
        )
    };
    let lock = |url: &str| {
        format!(
            "version = 4\n\n[[package]]\nname = \"ark\"\nversion = \"1.0.0\"\ndependencies = [\n \"library\",\n]\n\n\
             [[package]]\nname = \"library\"\nversion = \"1.0.0\"\nsource = \"git+{url}#{library_commit}\"\n"
        )
    };
    let main = (
        "src/main.rs",
        "fn main() { println!(\"{}\", library::answer()) }",
    );
    let allowed = origin.repository("acme/allowed");
    allowed.commit(&[
        ("Cargo.toml", &manifest("https://github.com/acme/library")),
        ("Cargo.lock", &lock("https://github.com/acme/library")),
        main,
    ]);
    let refused = origin.repository("acme/refused");
    let local = format!("file://{}", library.folder().display());
    refused.commit(&[
        ("Cargo.toml", &manifest(&local)),
        ("Cargo.lock", &lock(&local)),
        main,
    ]);
    let compiler = origin.compiler();

    let allowed = build(&compiler, "acme/allowed", "main").await;
    let refused = build(&compiler, "acme/refused", "main").await.unwrap_err();

    assert!(allowed.is_ok(), "{}", allowed.unwrap_err().hidden_logs());
    assert_eq!(
        refused.code().as_str(),
        "dependency_not_found",
        "{}",
        refused.hidden_logs()
    );
}
