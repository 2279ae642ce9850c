//! Builds in containers. Where no engine answers, what takes one is skipped and says so; the failures of an engine are played by a
//! script.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use compiler::jail::Docker;
use compiler::{Artifact, Error, Settings};
use protocol::{FailureCode, Fault};

use crate::origin::{Origin, build, compiler};

/// Names the client of an engine to test with; `docker` if it is not set.
const ENGINE: &str = "OUTLAYER_TEST_ENGINE";

fn docker(program: &Path) -> Docker {
    Docker::new(program.to_owned(), std::env::vars_os().collect())
}

fn in_containers(origin: &Origin, docker: Docker) -> Settings {
    let mut settings = origin.settings("in-containers");
    settings.jail = Arc::new(docker);
    settings
}

/// An engine that answers.
pub(crate) fn engine() -> Option<Docker> {
    let program = std::env::var_os(ENGINE).unwrap_or_else(|| "docker".into());
    let docker = docker(Path::new(&program));
    match docker.check() {
        Ok(()) => Some(docker),
        Err(error) => {
            eprintln!("skipped, as no engine answers; {ENGINE} names one: {error}");
            None
        }
    }
}

/// A script that plays an engine: what it does when it is told to `run` and to `inspect`. What it is told to remove it writes to
/// `removed`, if that is there, and the containers that it has are in `containers`.
fn play(origin: &Origin, run: &str, inspect: &str) -> Docker {
    let script = format!(
        "#!/bin/sh\nhere={}\ncase $1 in\nrun) {run} ;;\ninspect) {inspect} ;;\nps) cat \"$here/containers\" ;;\n\
         rm) [ ! -e \"$here/removed\" ] || echo \"$@\" >>\"$here/removed\" ;;\nesac\n",
        origin.root().display()
    );
    let program = origin.write("docker", &script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    docker(&program)
}

/// Where [`play`] says what was removed.
fn removals(origin: &Origin) -> PathBuf {
    let pipe = origin.root().join("removed");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    pipe
}

async fn build_guest(origin: &Origin, settings: Settings) -> Result<Artifact, Error> {
    origin.repository("acme/ark").commit_guest("fn main() {}");
    build(&compiler(settings), "acme/ark", "main").await
}

#[tokio::test]
async fn where_there_is_no_engine_nothing_is_built_and_that_is_our_fault() {
    let origin = Origin::new();
    let docker = docker(Path::new("/nowhere/docker"));
    let check = docker.check();

    let error = build_guest(&origin, in_containers(&origin, docker))
        .await
        .unwrap_err();

    assert!(check.is_err());
    assert_eq!(
        error.code(),
        FailureCode::JailUnavailable,
        "{}",
        error.hidden_logs()
    );
    assert_eq!(error.fault(), Fault::Platform);
}

#[tokio::test]
async fn what_becomes_of_a_container_has_its_code_which_the_build_does_not_choose() {
    let refuses = "echo 'is the docker daemon running?' >&2; exit 125";
    let never = "echo 'false 0001-01-01T00:00:00Z'";
    let ended = "echo 'false 2026-11-20T17:19:22Z'";
    let full = "echo 'true 2026-11-20T17:19:22Z'";
    let plays = [
        (refuses, "exit 1", FailureCode::JailUnavailable),
        (refuses, never, FailureCode::JailUnavailable),
        // The build's own exit code and words.
        (refuses, ended, FailureCode::CompilationError),
        ("exit 137", full, FailureCode::OutOfMemory),
        ("exit 101", ended, FailureCode::CompilationError),
        ("exit 0", ended, FailureCode::NoArtifact),
    ];

    for (run, inspect, code) in plays {
        let origin = Origin::new();
        let docker = play(&origin, run, inspect);
        let error = build_guest(&origin, in_containers(&origin, docker))
            .await
            .unwrap_err();

        assert_eq!(
            error.code(),
            code,
            "{run}, {inspect}: {}",
            error.hidden_logs()
        );
    }
}

#[test]
fn an_engine_that_refuses_says_why_before_the_first_build() {
    let origin = Origin::new();
    let docker = play(&origin, "echo 'no such runtime' >&2; exit 125", "exit 1");
    fs::write(origin.root().join("containers"), "").unwrap();

    let refusal = docker.check().unwrap_err();

    assert!(refusal.to_string().contains("no such runtime"), "{refusal}");
}

#[test]
fn containers_of_workers_that_are_no_more_are_removed_before_the_first_build() {
    let origin = Origin::new();
    let docker = play(&origin, "exit 0", "echo 'false 2026-11-20T17:19:22Z'");
    let removed = origin.root().join("removed");
    fs::write(&removed, "").unwrap();
    // Above the highest process id that Linux can give; ours; and one that only looks like it.
    let containers = format!(
        "outlayer-build-4194305-x-0\noutlayer-build-{}-x-0\noutlayer-build-of-mine\n",
        std::process::id()
    );
    fs::write(origin.root().join("containers"), containers).unwrap();

    docker.check().unwrap();

    let removed = fs::read_to_string(&removed).unwrap();
    let (abandoned, _own) = removed.split_once('\n').unwrap();
    assert_eq!(abandoned, "rm --force outlayer-build-4194305-x-0");
    assert!(!removed.contains("of-mine"), "{removed}");
}

#[tokio::test]
async fn a_container_is_removed_when_its_time_is_over() {
    let origin = Origin::new();
    let removed = removals(&origin);
    let docker = play(
        &origin,
        "exec sleep 3600",
        "echo 'false 2026-11-20T17:19:22Z'",
    );
    let mut settings = in_containers(&origin, docker);
    settings.limits.build = Duration::from_secs(1);

    let (error, removed) = tokio::join!(
        build_guest(&origin, settings),
        tokio::fs::read_to_string(&removed),
    );

    assert_eq!(error.unwrap_err().code(), FailureCode::CompilationTimedOut);
    let removed = removed.unwrap();
    assert!(
        removed.starts_with("rm --force --volumes outlayer-build-"),
        "{removed}"
    );
}

#[tokio::test]
async fn a_container_is_removed_when_nobody_waits_for_its_build_any_more() {
    let origin = Origin::new();
    let removed = removals(&origin);
    let running = origin.root().join("running");
    let made = Command::new("mkfifo").arg(&running).status().unwrap();
    assert!(made.success());
    let run = format!("echo \"$3\" >{}; exec sleep 3600", running.display());
    let docker = play(&origin, &run, "exit 1");
    let settings = in_containers(&origin, docker);
    origin.repository("acme/ark").commit_guest("fn main() {}");
    let compiler = compiler(settings);
    let building = tokio::spawn(async move { build(&compiler, "acme/ark", "main").await });
    let name = tokio::fs::read_to_string(&running).await.unwrap();

    building.abort();

    let removed = tokio::fs::read_to_string(&removed).await.unwrap();
    assert_eq!(removed, format!("rm --force --volumes {name}"));
}

#[tokio::test]
async fn an_example_built_in_a_container_is_the_one_built_in_a_room() {
    let Some(docker) = engine() else { return };
    let origin = Origin::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folder = examples.join("random-ark");
    let files = ["Cargo.toml", "Cargo.lock", "src/main.rs"]
        .map(|path| (path, fs::read_to_string(folder.join(path)).unwrap()));
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    origin.repository("acme/random-ark").commit(&files);
    let container = compiler(in_containers(&origin, docker));
    let room = compiler(origin.sealed_settings("in-rooms"));

    let container = build(&container, "acme/random-ark", "main").await;
    let room = build(&room, "acme/random-ark", "main").await.unwrap();

    let container = container.unwrap_or_else(|error| panic!("{error}: {}", error.hidden_logs()));
    assert_eq!(container.hash, room.hash);
}

#[tokio::test]
async fn a_build_script_in_a_container_finds_nothing_of_the_machine_and_writes_nowhere_else() {
    let Some(docker) = engine() else { return };
    let origin = Origin::new();
    let secret = origin.write("secret", "a secret");
    let script = r#"
        use std::{fs, net, path::Path, process::Command};
        fn main() {
            for hidden in ["/etc/shadow", "/root", "/home", "/var/run/docker.sock", "SECRET"] {
                assert!(!Path::new(hidden).exists(), "{hidden}");
            }
            for place in ["/x", "/usr/x", "/etc/x", "/outlayer/x", "/outlayer/source/x", "/outlayer/vendor/x"] {
                assert!(fs::write(place, "x").is_err(), "{place}");
            }
            assert!(net::TcpStream::connect("1.1.1.1:53").is_err());
            let status = fs::read_to_string("/proc/self/status").unwrap();
            for line in ["Uid:\t65534\t65534", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
                assert!(status.contains(line), "{line}: {status}");
            }
            fs::copy("/bin/true", "/tmp/program").unwrap();
            assert!(Command::new("/tmp/program").status().is_err());
            assert!(std::env::vars().all(|(name, _)| name != "container" && name != "HOSTNAME"));
        }
    "#;
    let repository = origin.repository("acme/ark");
    let script = script.replace("SECRET", secret.to_str().unwrap());
    repository.commit(&[("build.rs", &script)]);

    let artifact = build_guest(&origin, in_containers(&origin, docker)).await;

    assert!(artifact.is_ok(), "{}", artifact.unwrap_err().hidden_logs());
}

#[tokio::test]
async fn a_container_that_takes_too_much_or_too_long_is_ended_and_has_its_code() {
    let Some(mut docker) = engine() else { return };
    docker.limits.memory_bytes = 512 << 20;
    docker.limits.output_bytes = 64 << 20;
    docker.limits.scratch_bytes = 16 << 20;
    let crimes = [
        (
            "let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 20]) }",
            FailureCode::OutOfMemory,
        ),
        (
            "let out = std::env::var(\"OUT_DIR\").unwrap(); std::fs::write(out + \"/x\", vec![1; 100 << 20]).unwrap()",
            FailureCode::OutOfDisk,
        ),
        (
            "loop { std::thread::park() }",
            FailureCode::CompilationTimedOut,
        ),
    ];

    for (crime, code) in crimes {
        let origin = Origin::new();
        let script = format!("fn main() {{ {crime} }}");
        origin
            .repository("acme/ark")
            .commit(&[("build.rs", &script)]);
        let mut settings = in_containers(&origin, docker.clone());
        if code == FailureCode::CompilationTimedOut {
            settings.limits.build = Duration::from_secs(5);
        }
        let error = build_guest(&origin, settings).await.unwrap_err();

        assert_eq!(error.code(), code, "{crime}: {}", error.hidden_logs());
    }
    nothing_is_left(&docker).await;
}

/// Waits until this process has no container any more: killing one takes a moment.
async fn nothing_is_left(docker: &Docker) {
    let mine = format!("name=outlayer-build-{}-", std::process::id());
    let all_gone = async {
        loop {
            let list = Command::new(&docker.program)
                .args(["ps", "--all", "--quiet", "--filter", &mine])
                .output()
                .unwrap();
            if list.stdout.is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all_gone)
        .await
        .unwrap();
}
