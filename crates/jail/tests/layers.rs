//! Every layer stands, and no jail is entered without one.

use std::{
    io,
    process::{Command, Output},
};

use jail::Layer;

const PROBE: &str = env!("CARGO_BIN_EXE_jail-probe");

fn probe(arguments: &[&str]) -> io::Result<Output> {
    Command::new(PROBE).args(arguments).output()
}

#[test]
fn every_layer_stands_seen_from_inside() {
    let told = probe(&["facts"]).unwrap();

    let told = String::from_utf8(told.stdout).unwrap();
    let facts: Vec<&str> = told.lines().collect();
    let [landlock, rest @ ..] = facts.as_slice() else {
        panic!("nothing was told")
    };
    assert!(landlock.starts_with("landlock: ") && *landlock != "landlock: 0");
    assert_eq!(
        rest,
        [
            "pid: 1",
            "user: 65534 65534",
            "hostname: jail jail",
            "root: 0x1021994 1 2",          // tmpfs, read-only, empty
            "folder of processes: error 2", // no such file
            "open the root: error 13",      // permission denied, by landlock
            "make a folder: error 30",      // read-only file system
            "capabilities: [0, 0, 0, 0, 0, 0] 0",
            "secure bits: 239",
            "no new privileges: 1",
            "dumpable: 0",
            "filters: 2",
            "descriptors: 0 1 2",
            "limits: 0/0 0/0 4096/4096 512/512 0/0",
            "network: error 101", // network is unreachable
        ]
    );
}

/// Layers that others stand on: without them more is missing.
const GROUND: [Layer; 3] = [
    Layer::UserNamespace,
    Layer::MountNamespace,
    Layer::UtsNamespace,
];

#[test]
fn a_jail_without_a_layer_is_refused_and_the_layer_named() {
    // Only root has another identity to take.
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
    let layers = Layer::ALL
        .into_iter()
        .filter(|layer| root || *layer != Layer::Identity);

    let said = layers.map(|layer| {
        (
            layer,
            String::from_utf8(probe(&["lacking", "refused", layer.name()]).unwrap().stdout)
                .unwrap(),
        )
    });

    for (layer, said) in said {
        let named = format!("{layer} (Operation not permitted (os error 1))");
        if GROUND.contains(&layer) {
            assert!(
                said.starts_with("no jail without ") && said.contains(&named),
                "{layer}: {said}"
            );
        } else {
            assert_eq!(said, format!("no jail without {named}"));
        }
    }
}

#[test]
fn a_jail_without_a_layer_is_entered_for_development_and_the_layer_reported() {
    let said = probe(&["lacking", "allowed", "network namespace"]).unwrap();

    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.starts_with("entered without [Lack { layer: NetworkNamespace"),
        "{said}"
    );
}
