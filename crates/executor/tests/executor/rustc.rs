//! A guest as rustc makes it today.

use std::process::Command;

use executor::{Artifact, Limits, Outcome, Run, TrapKind};

use crate::{Bench, fixed, trap};

const SOURCE: &str = r#"
    use std::collections::HashMap;
    use std::io::Read;

    #[inline(never)]
    fn check(word: &str) {
        assert!(word != "panic", "told to");
    }

    fn main() {
        let mut input = String::new();
        std::io::stdin().read_to_string(&mut input).unwrap();
        let mut counts: HashMap<&str, f64> = HashMap::new();
        for word in input.split_whitespace() {
            check(word);
            *counts.entry(word).or_default() += 1.5;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by(|a, b| a.partial_cmp(b).unwrap());
        println!("{counts:?} for {}", std::env::var("NEAR_SENDER_ID").unwrap());
        eprintln!("{:?} {}", std::env::args().collect::<Vec<_>>(), std::fs::read("/etc/passwd").is_err());
        if input.starts_with("hoard") {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 100_000]);
            }
        }
        std::process::exit(i32::from(input.starts_with("fail")) * 3);
    }
"#;

fn artifact() -> Artifact {
    made("wasm32-wasip1", SOURCE, &[])
}

/// What rustc makes of a program.
pub(crate) fn made(target: &str, text: &str, more: &[&str]) -> Artifact {
    Artifact::from_bytes(built(target, text, more))
}

pub(crate) fn built(target: &str, text: &str, more: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("guest.rs");
    let wasm = folder.path().join("guest.wasm");
    std::fs::write(&source, text).unwrap();
    let built = Command::new("rustc")
        .args(["--target", target, "--edition", "2024", "-O"])
        .args(more)
        .arg("-o")
        .args([&wasm, &source])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success());
    std::fs::read(wasm).unwrap()
}

#[tokio::test]
async fn a_guest_that_rustc_made_does_what_it_does_at_home() {
    let bench = Bench::new();
    let artifact = artifact();
    let run = |input: &str| Run {
        input: input.into(),
        args: vec!["guest".to_owned(), "-v".to_owned()],
        env: [("NEAR_SENDER_ID".to_owned(), "alice.near".to_owned())].into(),
        limits: Limits {
            instructions: 100_000_000,
            stderr_bytes: 10_000,
            ..fixed().limits
        },
        ..fixed()
    };
    let executions = ["b a b", "b a b", "fail", "hoard", "panic"]
        .map(|input| bench.executor.execute(&artifact, run(input)));

    let [first, second, fail, hoard, panic] = executions;
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let (fail, hoard, panic) = (
        fail.await.unwrap(),
        hoard.await.unwrap(),
        panic.await.unwrap(),
    );

    assert_eq!(first.outcome, Outcome::Exited(0));
    assert_eq!(
        String::from_utf8_lossy(&first.stdout),
        "[(\"a\", 1.5), (\"b\", 3.0)] for alice.near\n"
    );
    assert_eq!(
        String::from_utf8_lossy(&first.stderr),
        "[\"guest\", \"-v\"] true\n"
    );
    assert_eq!(first.instructions, second.instructions);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(fail.outcome, Outcome::Exited(3));
    assert_eq!(hoard.outcome, Outcome::OutOfMemory);
    assert_eq!(trap(&panic), TrapKind::Unreachable);
    let Outcome::Trapped { backtrace, .. } = panic.outcome else {
        unreachable!("it is a trap");
    };
    assert!(backtrace.contains(": guest::check\n"), "{backtrace}");
    assert!(String::from_utf8_lossy(&panic.stderr).contains("told to"));
}
