//! The request that is forwarded.

use near_sdk::AccountId;
use near_sdk::serde_json::{Value, json};

/// The request with `asker` as the payer, unless it names one.
pub(crate) fn with_payer(mut request: Value, asker: &AccountId) -> Result<Value, &'static str> {
    let Some(arguments) = request.as_object_mut() else {
        return Err("request must be an object with the arguments of request_execution");
    };
    let payer = arguments.entry("payer_account_id").or_insert(Value::Null);
    if payer.is_null() {
        *payer = json!(asker);
    }
    Ok(request)
}

/// Whether the answer will be tagged: `{"Success": …}` and so on.
pub(crate) fn wants_full_result(request: &Value) -> bool {
    request
        .pointer("/params/full_result")
        .and_then(Value::as_bool)
        .unwrap_or(false)
}
