//! A guest that does what its input says, one command a line, so that one build serves every journey.

use std::io::{Read, Write};

fn main() {
    let mut script = String::new();
    std::io::stdin().read_to_string(&mut script).unwrap();
    for line in script.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        obey(command, rest, script.len());
    }
}

fn obey(command: &str, rest: &str, input_bytes: usize) {
    let mut stdout = std::io::stdout();
    let count = || rest.parse::<usize>().unwrap();
    match command {
        "say" => stdout.write_all(rest.as_bytes()).unwrap(),
        "env" => stdout.write_all(std::env::var(rest).unwrap_or_default().as_bytes()).unwrap(),
        "digest" => {
            let value = std::env::var(rest).unwrap_or_default();
            write!(stdout, "{:016x}", digest(value.as_bytes())).unwrap();
        }
        "repeat" => stdout.write_all(&vec![b'x'; count()]).unwrap(),
        "bytes" => stdout.write_all(&vec![0xff; count()]).unwrap(),
        "warn" => std::io::stderr().write_all(rest.as_bytes()).unwrap(),
        "trap" => panic!("asked to trap"),
        "exit" => std::process::exit(rest.parse().unwrap()),
        "spin" => loop {
            std::hint::black_box(0);
        },
        "allocate" => {
            std::hint::black_box(vec![1_u8; count() << 20]);
        }
        "length" => write!(stdout, "{input_bytes}").unwrap(),
        "ignore" => {}
        other => panic!("unknown command {other}"),
    }
}

/// FNV-1a: says that a value is there, and which, without saying what it is.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
