//! Any bytes as sealed secrets, as base64 and as an object of names and values: reading them does not panic, what is altered does not
//! open, and what is read is written and read again as the same.

#![no_main]

use sealing::{MasterKey, Sealed, Secrets, SecretKey, Seed};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let key = SecretKey::from_bytes([7; 32]);
    if let Ok(sealed) = Sealed::from_bytes(bytes.to_vec()) {
        assert!(key.open(&sealed).is_err());
        assert_eq!(Sealed::from_base64(&sealed.to_base64()).unwrap(), sealed);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Sealed::from_base64(text);
        let _ = text.parse::<sealing::PublicKey>();
        let _ = text.parse::<sealing::Generation>();
        let _ = MasterKey::from_hex(text);
    }
    if let Ok(secrets) = Secrets::from_user_json(bytes) {
        let again = Secrets::from_user_json(&secrets.to_json()).unwrap();
        assert_eq!(again, secrets);
        assert!(secrets.iter().all(|(name, value)| !name.contains(['=', '\0']) && !value.contains('\0')));
    }
    if let (Ok(profile), Ok(owner)) = ("default".parse(), "alice.near".parse()) {
        let accessor = protocol::secrets::Accessor::repo("a/b", None).unwrap();
        let seed = Seed::of(&accessor, &profile, &owner).unwrap();
        let mark = MasterKey::from_hex(&"0123".repeat(16)).unwrap().mark_key(&seed);
        if let Ok(secrets) = Secrets::from_sealed_json(bytes, &mark) {
            assert!(secrets.names().all(|name| !name.starts_with("PROTECTED_")));
        }
    }
});
