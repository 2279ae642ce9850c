//! The chain by itself.

use localnet::{Chain, Config, Genesis};

#[test]
fn makes_as_many_blocks_as_it_is_forwarded() {
    let mut chain = Chain::new(Config::in_memory(Genesis::sandbox(0))).unwrap();

    chain.fast_forward(10);

    assert_eq!(chain.height(), 11);
}
