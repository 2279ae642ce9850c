//! `near:payment`: a guest gives back of the dollars that were attached to its call. See `wit/near-payment.wit`.

use wasmtime::component::Linker;

use super::Room;
use crate::world::World;

const INTERFACE: &str = "near:payment/api@0.1.0";

pub(super) fn link(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    linker.instance(INTERFACE)?.func_wrap(
        "refund-usd",
        |store, (amount,): (u64,)| -> wasmtime::Result<(String,)> {
            let room: &Room = store.data();
            room.shared.charge(8)?;
            Ok((refund(&mut room.shared.lock(), amount),))
        },
    )
}

/// What is wrong with the refund; empty if it is taken down.
fn refund(world: &mut World, amount: u64) -> String {
    if world.refund_usd.is_some() {
        return "refund-usd was called before; one refund is made for an execution".to_owned();
    }
    if amount > world.attached_usd {
        return format!(
            "a refund of {amount} is more than the {} that were attached",
            world.attached_usd
        );
    }
    world.refund_usd = Some(amount);
    String::new()
}
