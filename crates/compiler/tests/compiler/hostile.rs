//! Repositories that would run something, read something or write somewhere.

use std::fs;
use std::process::Command;

use protocol::FailureCode;

use crate::origin::{Origin, build, compiler};

/// Named in the environment of the process that compiles.
const PLANTED: &str = "OUTLAYER_TEST_PLANTED";

#[tokio::test]
async fn configuration_hooks_filters_and_submodules_of_a_repository_run_nothing() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    let outside = tempfile::tempdir().unwrap();
    let canary = outside.path().join("canary");
    let touch = format!("#!/bin/sh\ntouch {}\nexit 1\n", canary.display());
    let wrapper = outside.path().join("wrapper");
    fs::write(&wrapper, &touch).unwrap();
    Command::new("chmod")
        .args(["+x".as_ref(), wrapper.as_os_str()])
        .status()
        .unwrap();
    let config = format!(
        "[build]\nrustc-wrapper = '{0}'\nrustc = '{0}'\n[target.wasm32-wasip1]\nlinker = '{0}'\n",
        wrapper.display()
    );
    let modules = format!(
        "[submodule \"m\"]\npath = m\nurl = ext::{}\n",
        wrapper.display()
    );
    repository.commit_guest("fn main() {}");
    repository.commit(&[
        (".cargo/config.toml", &config),
        (".gitattributes", "* filter=evil diff=evil merge=evil\n"),
        (".gitmodules", &modules),
        (".githooks/post-checkout", &touch),
        ("rust-toolchain.toml", "[toolchain]\nchannel = '1.0.0'\n"),
    ]);

    let artifact = build(&origin.compiler(), "acme/ark", "main").await;

    assert!(artifact.is_ok(), "{}", artifact.unwrap_err().hidden_logs());
    assert!(!canary.exists());
}

#[tokio::test]
async fn a_lock_file_that_is_a_link_is_not_written_through() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    repository.commit_guest("fn main() {}");
    fs::remove_file(repository.folder().join("Cargo.lock")).unwrap();
    std::os::unix::fs::symlink(&victim, repository.folder().join("Cargo.lock")).unwrap();
    repository.commit(&[]);

    let error = build(&origin.compiler(), "acme/ark", "main")
        .await
        .unwrap_err();

    assert_eq!(
        error.code(),
        FailureCode::CompilationError,
        "{}",
        error.hidden_logs()
    );
    assert!(!victim.exists());
}

#[tokio::test]
async fn a_build_sees_nothing_of_the_environment_that_it_is_started_from() {
    let is_planted = std::env::vars_os().any(|(name, _)| name == PLANTED);
    if !is_planted {
        let name = "hostile::a_build_sees_nothing_of_the_environment_that_it_is_started_from";
        let again = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact"])
            .env(PLANTED, "1")
            .output()
            .unwrap();
        assert!(again.status.success(), "{again:?}");
        return;
    }
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    repository.commit_guest("fn main() {}");
    let script =
        format!("fn main() {{ assert!(std::env::var(\"{PLANTED}\").is_err(), \"seen\") }}");
    repository.commit(&[("build.rs", &script)]);

    for settings in [
        origin.settings("unsealed"),
        origin.sealed_settings("sealed"),
    ] {
        let artifact = build(&compiler(settings), "acme/ark", "main").await;

        assert!(artifact.is_ok(), "{}", artifact.unwrap_err().hidden_logs());
    }
}
