//! Signs its input with a key that only it is given, as an exchange's API wants its orders signed.
//!
//! Input: any bytes. Secret: `SIGNING_KEY`. Output: HMAC-SHA256 of the input under the key, in hexadecimal. The key itself is never
//! written, neither to the output nor to the messages: both are public.

use std::env;
use std::io::{self, Read};
use std::process::ExitCode;

use hmac::{Hmac, Mac};
use sha2::Sha256;

fn main() -> ExitCode {
    match signed() {
        Ok(signature) => {
            print!("{signature}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn signed() -> Result<String, String> {
    let key = env::var("SIGNING_KEY").map_err(|_| {
        "there is no SIGNING_KEY: the request names no secrets that hold it".to_owned()
    })?;
    let mut input = Vec::new();
    io::stdin()
        .read_to_end(&mut input)
        .map_err(|error| format!("cannot read the input: {error}"))?;
    Ok(signature(&key, &input))
}

fn signature(key: &str, input: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key may have any length");
    mac.update(input);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let seen = signature("Jefe", b"what do ya want for nothing?");

        assert_eq!(
            seen,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
