//! Interfaces of the host that guests' libraries declare and that this execution does not have: declared and unused they do no harm,
//! and a call of one ends the guest with a message that says which.

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use super::Room;
use crate::wasi::keep_message;

/// Interfaces that a guest may name.
const NAMED: [&str; 3] = [
    "near:rpc/api@0.1.0",
    "near:storage/api@0.1.0",
    "near:vrf/api@0.1.0",
];

/// Links what the component names of them.
pub(super) fn link(
    linker: &mut Linker<Room>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (interface, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            continue;
        };
        if !NAMED.contains(&interface) {
            continue;
        }
        let mut linked = linker.instance(interface)?;
        for (name, export) in instance.exports(engine) {
            if matches!(export.ty, ComponentItem::ComponentFunc(_)) {
                let call = format!("{interface} is not there for this execution: {name}");
                linked.func_new(name, move |store, _, _, _| {
                    let room: &Room = store.data();
                    keep_message(
                        &room.shared.lock(),
                        format!("outlayer: {call}\n").as_bytes(),
                    );
                    Err(wasmtime::format_err!("{call}"))
                })?;
            }
        }
    }
    Ok(())
}
