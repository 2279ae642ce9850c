//! Each transaction lands exactly once, or it is certain that it does not.

use std::sync::Arc;
use std::time::Duration;

use clients::near::sender::Settings;
use clients::near::{Call, KeyType, Node, Outcome, SecretKey, SendError, Sender, Status, Until};
use clients::near::{Error, Settings as NodeSettings};
use clients::parts::Parts;
use futures::future::join_all;
use proptest::prelude::*;

use super::fake_node::{FakeNode, Fault};

fn key() -> SecretKey {
    SecretKey::from_seed(KeyType::ED25519, "alice")
}

fn sender_to(nodes: &[&FakeNode], settings: Settings) -> Sender {
    let urls = nodes.iter().map(|node| node.url.clone()).collect();
    let node = Node::connect(&NodeSettings::new(urls)).unwrap();
    let parts = Parts::without_waiting(7);
    Sender::new(
        node,
        "alice.test".parse().unwrap(),
        vec![key()],
        parts,
        settings,
    )
    .unwrap()
}

async fn call(sender: &Sender, number: u32) -> Result<Outcome, SendError> {
    let call = Call::new(&"contract.test".parse().unwrap(), "act", &number).unwrap();
    sender.call(call).await
}

fn landings(node: &FakeNode, number: u32) -> usize {
    node.lock().chain.landings(number.to_string().as_bytes())
}

#[tokio::test]
async fn a_lone_call_is_one_request_and_gives_the_whole_outcome() {
    let node = FakeNode::start().await;
    let sender = sender_to(&[&node], Settings::default());

    let outcome = call(&sender, 1).await.unwrap();

    assert_eq!(outcome.status, Status::Succeeded(b"1".to_vec()));
    assert_eq!(outcome.value::<u32>().unwrap(), 1);
    assert_eq!(outcome.logs().collect::<Vec<_>>(), ["hello"]);
    assert_eq!(outcome.gas_burnt().as_gas(), 12);
    assert_eq!(node.asked("send_tx") + node.asked("broadcast_tx_async"), 1);
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_not_sent_as_another() {
    let node = FakeNode::start().await;
    node.lock()
        .next
        .extend([Fault::LostAfter, Fault::LostAfter]);
    let sender = sender_to(&[&node], Settings::default());

    call(&sender, 1).await.unwrap();

    assert_eq!(landings(&node, 1), 1);
    assert_eq!(node.lock().chain.landed_count(), 1);
}

#[tokio::test]
async fn a_landed_call_is_found_also_at_a_node_that_refuses_repetitions() {
    let node = FakeNode::start().await;
    node.lock().is_idempotent = false;
    node.lock().next.push_back(Fault::LostAfter);
    let sender = sender_to(&[&node], Settings::default());

    call(&sender, 1).await.unwrap();

    assert_eq!(landings(&node, 1), 1);
}

#[tokio::test]
async fn a_nonce_that_somebody_else_used_is_made_up_for() {
    let node = FakeNode::start().await;
    let sender = sender_to(&[&node], Settings::default());
    call(&sender, 1).await.unwrap();
    node.lock().chain.use_nonces(50);

    call(&sender, 2).await.unwrap();

    assert_eq!((landings(&node, 1), landings(&node, 2)), (1, 1));
}

#[tokio::test]
async fn a_block_that_is_too_old_to_name_is_replaced() {
    let node = FakeNode::start().await;
    let sender = sender_to(&[&node], Settings::default());
    call(&sender, 1).await.unwrap();
    node.lock().chain.validity = 20;
    node.lock().chain.make_blocks(100);

    call(&sender, 2).await.unwrap();

    assert_eq!(landings(&node, 2), 1);
}

#[tokio::test]
async fn a_refusal_of_the_only_copy_is_certain() {
    let node = FakeNode::start().await;
    node.lock().chain.can_pay = false;
    let sender = sender_to(&[&node], Settings::default());

    let refused = call(&sender, 1).await.unwrap_err();

    assert!(
        matches!(
            &refused,
            SendError::Refused {
                reason: Error::InvalidTransaction(_),
                ..
            }
        ),
        "{refused:?}"
    );
    assert!(refused.is_certain());
    assert_eq!(node.asked("send_tx"), 1);
}

#[tokio::test]
async fn a_call_that_neither_lands_nor_dies_is_in_doubt_until_it_is_taken_up_again() {
    let node = FakeNode::start().await;
    node.lock().next.push_back(Fault::Delayed(100_000));
    let settings = Settings {
        patience: Duration::from_secs(5),
        ..Settings::default()
    };
    let sender = sender_to(&[&node], settings);

    let Err(SendError::InDoubt(doubt)) = call(&sender, 1).await else {
        panic!("nothing proves that the transaction in the pool can land no more");
    };
    node.lock().chain.make_blocks(100_000);
    let outcome = sender.resume(*doubt).await;

    // The block that it names has become too old meanwhile, and that is proof.
    assert!(
        matches!(outcome, Err(SendError::Refused { .. })),
        "{outcome:?}"
    );
    assert_eq!(landings(&node, 1), 0);
}

#[tokio::test]
async fn a_node_that_is_down_is_replaced_by_the_next() {
    let down = FakeNode::down().await;
    let node = FakeNode::start().await;
    let sender = sender_to(&[&down, &node], Settings::default());

    let outcome = call(&sender, 1).await;

    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(landings(&node, 1), 1);
}

#[tokio::test]
async fn no_error_shows_what_an_address_hides() {
    let down = FakeNode::down().await;
    let sender = sender_to(&[&down], Settings::default());

    let error = call(&sender, 1).await.unwrap_err();

    let shown = format!("{error:?} {error:#} {sender:?}");
    assert!(!shown.contains("secret"), "{shown}");
    assert!(matches!(error, SendError::NotSent(_)));
}

#[tokio::test]
async fn many_calls_of_one_key_go_in_the_order_of_their_nonces() {
    let node = FakeNode::start().await;
    let sender = sender_to(&[&node], Settings::default());

    let outcomes = join_all((0..100).map(|number| call(&sender, number))).await;

    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(node.lock().chain.landed_count(), 100);
    assert!((0..100).all(|number| landings(&node, number) == 1));
}

#[tokio::test]
async fn an_outcome_is_given_when_it_is_as_final_as_was_asked_for() {
    let node = FakeNode::start().await;
    let settings = Settings {
        until: Until::Final,
        ..Settings::default()
    };
    let sender = sender_to(&[&node], settings);

    call(&sender, 1).await.unwrap();

    let inner = node.lock();
    assert!(inner.chain.final_nonce() > 1_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_lost_delayed_or_doubled_each_call_lands_once(seed in any::<u64>(), share in 0.0..0.6f64, stranger in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let node = FakeNode::unreliable(seed, share).await;
            let sender = Arc::new(sender_to(&[&node], Settings { patience: Duration::from_secs(600), ..Settings::default() }));
            let calls = (0..12).map(|number| {
                let (sender, node) = (sender.clone(), node.clone());
                async move {
                    if stranger && number == 6 {
                        node.lock().chain.use_nonces(3);
                    }
                    call(&sender, number).await
                }
            });

            let outcomes = join_all(calls).await;

            // Whatever is still on its way has time to land.
            node.lock().chain.make_blocks(200);
            for (number, outcome) in (0..).zip(&outcomes) {
                let landings = landings(&node, number);
                match outcome {
                    Ok(_) => assert_eq!(landings, 1, "call {number} was told to have landed"),
                    Err(error) => {
                        assert!(error.is_certain(), "call {number}: {error:?}");
                        assert_eq!(landings, 0, "call {number} was told not to have landed");
                    }
                }
            }
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        });
    }
}
