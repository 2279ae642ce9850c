//! Different owners and purposes have different keys.

use proptest::prelude::*;
use protocol::AccountId;
use protocol::secrets::Accessor;
use sealing::Seed;

fn accessor() -> impl Strategy<Value = Accessor> {
    let repo = ("[a-c./]{1,6}", prop::option::of("[a-c./]{1,4}"));
    prop_oneof![
        repo.prop_filter_map("a repository", |(repo, branch)| {
            Accessor::repo(&format!("https://{repo}"), branch.as_deref()).ok()
        }),
        "[a-c]{2}(/[a-c]{1,2})".prop_map(|id| Accessor::Project {
            project_id: id.parse().unwrap()
        }),
        Just(Accessor::System(
            protocol::secrets::SystemSecret::PaymentKey
        )),
        Just(Accessor::WasmHash {
            hash: protocol::ArtifactHash::of(b"wasm")
        }),
    ]
}

proptest! {
    #[test]
    fn two_owners_or_two_accessors_never_share_a_seed(
        one in (accessor(), "[a-c]{2,3}"),
        other in (accessor(), "[a-c]{2,3}"),
    ) {
        let seed = |(accessor, owner): &(Accessor, String)| {
            let owner: AccountId = owner.parse().unwrap();
            Seed::of(accessor, &"7".parse().unwrap(), &owner).unwrap()
        };

        prop_assert_eq!(seed(&one) == seed(&other), one == other);
    }
}

#[test]
fn a_payment_key_is_named_by_a_number() {
    let key = Accessor::System(protocol::secrets::SystemSecret::PaymentKey);
    let owner: AccountId = "alice.near".parse().unwrap();

    let refused = Seed::of(&key, &"default".parse().unwrap(), &owner);

    assert_eq!(refused.unwrap_err().code(), "invalid_profile");
}
