//! How much gas the contract's own receipts get.
//!
//! Each number is at least one and a half times what was measured; the gas table in `tests/` fails when a measurement comes
//! near it.

use near_gas::NearGas as Gas;

use crate::pending::to_u64;

/// For the yield's callback, whatever the answer. All that the caller's call leaves over is added to it.
const CALLBACK: Gas = Gas::from_tgas(16);

/// For the callback to see a refund through.
pub(crate) const TRANSFER_SETTLED: Gas = Gas::from_tgas(5);

/// For cancelling one more request of a batch.
pub(crate) const CANCEL: Gas = Gas::from_tgas(16);

/// For the callback to remove a byte of stored input.
///
/// Source: `storage_remove_ret_value_byte` 11.5 Mgas, `write_register_byte` 3.8 Mgas.
const REMOVE_INPUT_BYTE: Gas = Gas::from_gas(20_000_000);

/// For the callback to read, return and remove a byte of stored answer.
///
/// Source: the above; `storage_read_value_byte` 5.6 Mgas, copies 11 Mgas, `data_receipt_creation` 17.2 Mgas twice for each of at
/// most two receivers.
const RETURN_ANSWER_BYTE: Gas = Gas::from_gas(110_000_000);

/// Bytes of stored answer that [`CALLBACK`] alone pays for.
const LEAST_ROOM_BYTES: u64 = 16_384;

/// What `request_execution` still uses after it has measured what is left: writing the record and the event.
const FINISH: Gas = Gas::from_tgas(5);

/// For the yield's callback of a request with `input`.
pub(crate) fn callback(input: &str) -> Gas {
    let input = REMOVE_INPUT_BYTE.saturating_mul(to_u64(input.len()));
    CALLBACK.saturating_add(input)
}

/// Bytes of stored answer that the callback can return when the call that yields has `left` gas.
pub(crate) const fn answer_room(left: Gas) -> u64 {
    let spare = left.saturating_sub(FINISH).as_gas();
    match spare.checked_div(RETURN_ANSWER_BYTE.as_gas()) {
        Some(bytes) => bytes.saturating_add(LEAST_ROOM_BYTES),
        None => LEAST_ROOM_BYTES,
    }
}
