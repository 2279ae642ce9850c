//! A server and its children, as the host sees them.

use std::{fs::File, os::fd::AsFd as _};

use jail::{
    Limits, MissingLayers,
    client::Server,
    wire::{Code, Start},
};

const START: Start = Start {
    ahead: 2,
    code: Code::InChildren,
    missing_layers: MissingLayers::Refused,
    limits: Limits::FORK_SERVER,
};

#[test]
fn each_child_answers_one_request() {
    let program = File::open(env!("CARGO_BIN_EXE_jail-probe")).unwrap();
    let server = Server::start(program.as_fd(), &START, None).unwrap();

    let answers: Vec<Vec<u8>> = (0..10)
        .map(|n| {
            server
                .take()
                .unwrap()
                .ask(format!("echo {n}").as_bytes(), None, 100)
                .unwrap()
        })
        .collect();

    assert_eq!(answers.concat(), b"0123456789");
    println!("{:?}", server.report());
}
