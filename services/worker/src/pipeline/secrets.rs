//! Step 6: the secrets that a request names. This worker knows no keystore, so it opens none, and says so before anything is built.

use protocol::FailureCode;
use protocol::request::ExecutionRequest;

use crate::setback::Setback;

/// Refuses a request that names secrets: a guest that counts on them must not run without.
pub(super) fn open(request: &ExecutionRequest) -> Result<(), Setback> {
    match &request.secrets_ref {
        None => Ok(()),
        Some(_) => Err(Setback::of(
            FailureCode::SecretsDenied,
            "this worker has no keystore and opens no secrets".into(),
        )),
    }
}
