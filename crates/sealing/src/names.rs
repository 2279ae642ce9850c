//! Which names a secret may bear. A guest gets it as an environment variable, so it must be able to be one and must not stand for
//! what the platform itself says there.

use crate::error::Error;

/// What generated secrets begin with, and no others do.
pub const PROTECTED: &str = "PROTECTED_";

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// What the platform sets. Source: interface page, 4, with the one name more that the published crate reads.
pub const RESERVED: [&str; 27] = [
    "NEAR_SENDER_ID",
    "NEAR_USER_ACCOUNT_ID",
    "NEAR_PREDECESSOR_ID",
    "NEAR_CONTRACT_ID",
    "NEAR_BLOCK_HEIGHT",
    "NEAR_BLOCK_TIMESTAMP",
    "NEAR_RECEIPT_ID",
    "NEAR_SIGNER_PUBLIC_KEY",
    "NEAR_GAS_BURNT",
    "NEAR_TRANSACTION_HASH",
    "NEAR_REQUEST_ID",
    "NEAR_PAYMENT_YOCTO",
    "NEAR_NETWORK_ID",
    "NEAR_MAX_INSTRUCTIONS",
    "NEAR_MAX_MEMORY_MB",
    "NEAR_MAX_EXECUTION_SECONDS",
    "ATTACHED_USD",
    "USD_PAYMENT",
    "OUTLAYER_CALL_ID",
    "OUTLAYER_EXECUTION_TYPE",
    "OUTLAYER_PROJECT_ID",
    "OUTLAYER_PROJECT_OWNER",
    "OUTLAYER_PROJECT_NAME",
    "OUTLAYER_PROJECT_UUID",
    "OUTLAYER_REQUEST_ID",
    "WALLET_ID",
    "NEAR_RPC_PROXY_AVAILABLE",
];

/// Refuses a name that no secret may bear, whoever gives it.
pub fn check(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::EmptyName);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Error::NameTooLong {
            cap_bytes: MAX_NAME_BYTES,
        });
    }
    if name.contains(|ch: char| ch == '=' || ch.is_control()) {
        return Err(Error::BadName);
    }
    if RESERVED.contains(&name) {
        return Err(Error::ReservedName { name: name.into() });
    }
    Ok(())
}

/// Whether it is a generated secret's name.
pub fn is_protected(name: &str) -> bool {
    name.starts_with(PROTECTED)
}

/// Refuses a name that a user may not give.
pub fn check_of_user(name: &str) -> Result<(), Error> {
    check(name)?;
    if is_protected(name) {
        return Err(Error::ProtectedName { name: name.into() });
    }
    Ok(())
}

/// Refuses a name that a generated secret does not bear.
pub fn check_of_generated(name: &str) -> Result<(), Error> {
    check(name)?;
    if !is_protected(name) || name.len() == PROTECTED.len() {
        return Err(Error::NotProtectedName { name: name.into() });
    }
    Ok(())
}
