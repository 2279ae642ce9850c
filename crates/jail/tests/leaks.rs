//! Thousands of children leave nothing behind. Alone in its program, since it counts what the whole process has.

#[cfg(test)]
#[path = "host/descendants.rs"]
mod descendants;
#[cfg(test)]
#[path = "host/household.rs"]
mod household;
#[cfg(test)]
#[path = "host/start.rs"]
mod start;

use std::env;

use descendants::own_descendants;
use household::{household, live, settle};
use start::{START, server};

/// Children by default; `JAIL_CHILDREN` asks for more.
const CHILDREN: usize = 3000;

/// What memory may differ by: allocators keep pages for later.
const SLACK_KB: u64 = 1024;

/// Every way for a child to end that takes no time.
const WAYS: [&str; 8] = [
    "echo well",
    "call 62",
    "x32 0",
    "end 7",
    "torn 2",
    "overlong 1000000",
    "memory-bomb 4",
    "fork-flags 17",
];

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how many is for whoever runs the test to say"
)]
fn the_host_is_the_same_after_thousands_of_children() {
    let children = env::var("JAIL_CHILDREN").map_or(CHILDREN, |count| count.parse().unwrap());
    let server = server(&START);
    settle(&server);
    let before = household();

    (0..children)
        .zip(WAYS.iter().cycle())
        .for_each(|(_, way)| live(&server, way));

    settle(&server);
    let after = household();
    assert!(before.processes.len().abs_diff(after.processes.len()) <= usize::from(START.ahead));
    assert!(before.descriptors.abs_diff(after.descriptors) <= 2 * usize::from(START.ahead));
    for (before, after) in before.memory_kb.iter().zip(&after.memory_kb) {
        assert!(
            after.saturating_sub(*before) <= SLACK_KB,
            "{before} kB, then {after} kB"
        );
    }
    drop(server);
    assert_eq!(own_descendants(), Vec::<u32>::new());
}
