//! Honest builds in the sealed jail: they do not notice it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use compiler::Compiler;
use compiler::jail::{Launcher, Sealed};
use protocol::{FailureCode, Fault};

use crate::origin::{Origin, build, compiler, launcher};

/// A guest with a macro and a build script, both of which make some of its code.
const MANIFEST: &str = r#"
[package]
name = "ark"
version = "0.1.0"
edition = "2024"

[dependencies]
answer = { path = "answer" }

[workspace]
"#;

const LOCK: &str = r#"
version = 4

[[package]]
name = "answer"
version = "0.1.0"

[[package]]
name = "ark"
version = "0.1.0"
dependencies = [
 "answer",
]
"#;

const MACRO_MANIFEST: &str = r#"
[package]
name = "answer"
version = "0.1.0"
edition = "2024"

[lib]
proc-macro = true
"#;

const MACRO: &str = r#"
#[proc_macro]
pub fn answer(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    "42".parse().unwrap()
}
"#;

const BUILD_SCRIPT: &str = r#"
fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(out.join("made.rs"), "const MADE: &str = \"made\";").unwrap();
    std::fs::write("/tmp/a", "a").unwrap();
    let said = std::process::Command::new("sh").args(["-c", "cat /tmp/a; echo b"]).output().unwrap();
    assert_eq!(said.stdout, b"ab\n");
}
"#;

const MAIN: &str = r#"
include!(concat!(env!("OUT_DIR"), "/made.rs"));

fn main() {
    println!("{MADE} {}", answer::answer!());
}
"#;

fn commit_guest(origin: &Origin) {
    origin.repository("acme/ark").commit(&[
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("answer/Cargo.toml", MACRO_MANIFEST),
        ("answer/src/lib.rs", MACRO),
        ("build.rs", BUILD_SCRIPT),
        ("src/main.rs", MAIN),
    ]);
}

#[tokio::test]
async fn a_sealed_build_makes_the_same_bytes_as_one_that_is_not() {
    let origin = Origin::new();
    commit_guest(&origin);
    let sealed = compiler(origin.sealed_settings("sealed"));
    let unsealed = compiler(origin.settings("unsealed"));

    let sealed = build(&sealed, "acme/ark", "main").await;
    let unsealed = build(&unsealed, "acme/ark", "main").await.unwrap();

    let sealed = sealed.unwrap_or_else(|error| panic!("{error}: {}", error.hidden_logs()));
    assert_eq!(sealed.hash, unsealed.hash);
    let work = origin.root().join("sealed/builds");
    assert_eq!(fs::read_dir(work).unwrap().count(), 0);
}

#[tokio::test]
async fn without_a_jail_nothing_is_built_and_that_is_our_fault() {
    let origin = Origin::new();
    commit_guest(&origin);
    let mut settings = origin.sealed_settings("sealed");
    settings.jail = Arc::new(Sealed::new(Launcher {
        path: "/bin/true".into(),
        args: Vec::new(),
    }));

    let error = build(&compiler(settings), "acme/ark", "main")
        .await
        .unwrap_err();

    assert_eq!(error.code(), FailureCode::JailUnavailable);
    assert_eq!(error.fault(), Fault::Platform);
}

#[test]
fn a_jail_tells_before_the_first_build_whether_it_can_be_had() {
    let whole = Sealed::new(launcher());
    let none = Sealed::new(Launcher {
        path: "/bin/false".into(),
        args: Vec::new(),
    });

    let (whole, none) = (whole.check(), none.check());

    assert!(whole.is_ok(), "{whole:?}");
    assert!(none.is_err());
}

#[tokio::test]
async fn every_example_makes_one_hash_in_two_places() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let origin = Origin::new();
    let [here, there] = two_places(&origin);

    for name in ["echo-ark", "random-ark", "signing-ark", "draw-ark"] {
        let folder = examples.join(name);
        let files = ["Cargo.toml", "Cargo.lock", "src/main.rs"]
            .map(|path| (path, fs::read_to_string(folder.join(path)).unwrap()));
        let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
        let repo = format!("outlayer-examples/{name}");
        origin.repository(&repo).commit(&files);

        let (one, other) = tokio::join!(build(&here, &repo, "main"), build(&there, &repo, "main"));

        let one = one.unwrap_or_else(|error| panic!("{error}: {}", error.hidden_logs()));
        assert_eq!(one.hash, other.unwrap().hash, "{name}");
    }
}

#[tokio::test]
async fn a_guest_that_holds_its_own_paths_makes_one_hash_in_two_places() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    repository.commit_guest(
        r#"fn main() { println!("{} {}", env!("CARGO_MANIFEST_DIR"), env!("OUT_DIR")) }"#,
    );
    repository.commit(&[("build.rs", "fn main() {}")]);
    let [here, there] = two_places(&origin);

    let one = build(&here, "acme/ark", "main").await.unwrap();
    let other = build(&there, "acme/ark", "main").await.unwrap();

    assert_eq!(one.hash, other.hash);
}

fn two_places(origin: &Origin) -> [Compiler; 2] {
    ["here", "somewhere/else"].map(|name| compiler(origin.sealed_settings(name)))
}
