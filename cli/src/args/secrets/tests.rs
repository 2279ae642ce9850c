//! What is understood, and what is refused before anything is asked.

use clap::Parser as _;

use super::*;
use crate::args::{Cli, Command};

const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn parse(line: &str) -> Result<Secrets, clap::Error> {
    let chain = "--rpc http://localhost:3030 --account alice.near";
    let line = format!("outlayer secrets {line} {chain}");
    match Cli::try_parse_from(line.split_whitespace())?.command {
        Command::Secrets(command) => Ok(command),
        other => panic!("{other:?}"),
    }
}

fn accessor(flags: &str) -> Accessor {
    match parse(&format!("show-access {flags}")).unwrap() {
        Secrets::ShowAccess(place) => place.named.accessor().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn code_is_named_in_one_of_three_ways() {
    let branch = accessor("--repo https://github.com/alice/app.git --branch main");
    let repo = accessor("--repo alice/app");
    let hash = accessor(&format!("--wasm-hash {HASH}"));
    let project = accessor("--project alice.near/app");

    assert_eq!(branch, Accessor::repo("alice/app", Some("main")).unwrap());
    assert_eq!(repo, Accessor::repo("alice/app", None).unwrap());
    assert_eq!(
        hash,
        Accessor::WasmHash {
            hash: HASH.parse().unwrap()
        }
    );
    assert_eq!(
        project,
        Accessor::Project {
            project_id: "alice.near/app".parse().unwrap()
        }
    );
}

#[test]
fn code_is_named_once_and_wholly() {
    for flags in [
        "",
        "--branch main",
        "--repo a/b --project alice.near/app",
        "--project alice.near/app --branch main",
        "--wasm-hash 00",
    ] {
        assert!(parse(&format!("show-access {flags}")).is_err(), "{flags}");
    }
}

#[test]
fn values_come_from_one_place_and_never_from_an_argument() {
    let set = |flags: &str| {
        let rest = "--secret-key k --coordinator http://localhost:8080 --repo a/b --allow-all";
        parse(&format!("set {rest} {flags}"))
    };

    assert!(set("--from-stdin").is_ok());
    assert!(set("--name A --name B").is_ok());
    assert!(set("").is_err());
    assert!(set("--from-stdin --from-file a.env").is_err());
    assert!(set("--from-stdin A=1").is_err());
}

#[test]
fn what_is_generated_is_checked_before_it_is_asked_for() {
    let wanted = read_wanted("PROTECTED_SEED=hex32").unwrap();

    assert_eq!(wanted.name, "PROTECTED_SEED");
    assert_eq!(wanted.generation_type, "hex32");
    for bad in [
        "PROTECTED_SEED",
        "SEED=hex32",
        "PROTECTED_=hex32",
        "PROTECTED_SEED=hex33",
    ] {
        assert!(read_wanted(bad).is_err(), "{bad}");
    }
}

#[test]
fn everyone_and_somebody_do_not_go_together() {
    let set_access = |flags: &str| parse(&format!("set-access --secret-key k --repo a/b {flags}"));

    assert!(set_access("--allow bob.near --min-near 1").is_ok());
    assert!(set_access("--allow-all --allow bob.near").is_err());
    assert!(set_access("--access-json @a.json --any").is_err());
}

#[test]
fn the_secret_key_is_not_shown() {
    let command = parse("delete --secret-key ed25519:abc --repo a/b").unwrap();

    assert!(!format!("{command:?}").contains("abc"));
}
