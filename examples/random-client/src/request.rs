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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_asker_pays_unless_the_request_names_somebody_else() {
        let alice: AccountId = "alice.test".parse().unwrap();
        let silent = with_payer(json!({"source": {}, "payer_account_id": null}), &alice);
        let named = with_payer(
            json!({"source": {}, "payer_account_id": "bob.test"}),
            &alice,
        );
        let nothing = with_payer(json!("source"), &alice);

        assert_eq!(
            silent.unwrap(),
            json!({"source": {}, "payer_account_id": "alice.test"})
        );
        assert_eq!(
            named.unwrap(),
            json!({"source": {}, "payer_account_id": "bob.test"})
        );
        assert!(nothing.is_err());
    }

    #[test]
    fn the_full_result_is_expected_only_if_it_is_asked_for() {
        assert!(wants_full_result(&json!({"params": {"full_result": true}})));
        assert!(!wants_full_result(&json!({"params": {}})));
        assert!(!wants_full_result(&json!({"source": {}})));
    }
}
