//! Seals secrets to a key, derives those keys from a master key, and says what a secret may be called.
//!
//! | module | what it holds |
//! |---|---|
//! | [`envelope`] | ECIES v1: what a browser, the command and the keystore seal with |
//! | [`master`] | the master key, and the keys that it stands for |
//! | [`seed`] | the text from which a key is derived: whose secrets these are, and for what |
//! | [`names`] | which names a secret may bear |
//! | [`secrets`] | names and values, read from and written as JSON |
//! | [`generate`] | values that only the keystore has ever seen |
//!
//! There is no input, output or clock here, and chance is passed in, so that all of it builds to WebAssembly. What was a secret in
//! memory is zeroed when it is dropped, and `Debug` shows none of it.
//!
//! ```
//! use protocol::secrets::Accessor;
//! use rand::{SeedableRng as _, rngs::StdRng};
//! use sealing::{MasterKey, Secrets, Seed, seal};
//!
//! let mut chance = StdRng::from_os_rng();
//! let master = MasterKey::random(&mut chance);
//! let accessor = Accessor::repo("alice/oracle", Some("main"))?;
//! let seed = Seed::of(&accessor, &"default".parse()?, &"alice.near".parse().unwrap())?;
//!
//! let sealed = seal(&master.public_key(&seed), br#"{"API_KEY":"k"}"#, &mut chance)?;
//!
//! let opened = master.secret_key(&seed).open(&sealed)?;
//! let secrets = Secrets::from_user_json(&opened)?;
//! assert_eq!(secrets.get("API_KEY"), Some("k"));
//! # Ok::<(), sealing::Error>(())
//! ```

pub mod envelope;
mod error;
pub mod generate;
mod mark;
pub mod master;
pub mod names;
pub mod secrets;
pub mod seed;

pub use envelope::{PublicKey, Sealed, SecretKey, seal};
pub use error::Error;
pub use generate::Generation;
pub use mark::MarkKey;
pub use master::MasterKey;
pub use secrets::Secrets;
pub use seed::Seed;
