//! Reads the arguments of the methods for secrets, in every spelling that is accepted.
//!
//! A profile is named by `accessor` and `profile`, or, in the original specification's spelling, by `repo`, `branch` and
//! `profile`. As with requests, the arguments are read by hand, so that each mistake has its code.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::secrets::{
    AccessCondition, Accessor, Error, Profile, SEALED_OVERHEAD_BYTES, SEALED_VERSION, condition,
};
use protocol::{AccountId, FailureCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::refusal::Refusal;
use crate::resolution;

/// The largest sealed blob. In base64 it nearly fills a transaction: the protocol's parameter `max_transaction_size` is 1,572,864.
///
/// Unit: bytes.
const MAX_SEALED_BYTES: usize = 1_048_576;

/// A profile's name beside its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) accessor: Accessor,
    pub(crate) profile: Profile,
}

/// Arguments of `store_secrets` and `estimate_storage_cost`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) named: Named,
    pub(crate) sealed: Vec<u8>,
    pub(crate) access: AccessCondition,
    /// Whose profile the estimate is for.
    pub(crate) owner: Option<AccountId>,
}

/// Arguments of `update_access`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) named: Named,
    pub(crate) access: AccessCondition,
}

/// Arguments of `get_secrets` and `secrets_exist`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Find {
    pub(crate) named: Named,
    pub(crate) owner: AccountId,
}

#[derive(Deserialize)]
struct Spelling<'a> {
    #[serde(borrow)]
    accessor: Option<&'a RawValue>,
    repo: Option<String>,
    branch: Option<String>,
    profile: Option<String>,
    #[serde(borrow)]
    encrypted_secrets_base64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    access: Option<&'a RawValue>,
    #[serde(borrow)]
    new_access: Option<&'a RawValue>,
    owner: Option<AccountId>,
}

impl Named {
    /// Reads the arguments of `delete_secrets`.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Refusal> {
        resolution::read::<Spelling<'_>>(json)?.named()
    }
}

impl Store {
    /// Reads the arguments.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Refusal> {
        let mut spelling: Spelling<'_> = resolution::read(json)?;
        Ok(Self {
            named: spelling.named()?,
            sealed: sealed(&present(
                "encrypted_secrets_base64",
                spelling.encrypted_secrets_base64,
            )?)?,
            access: read_condition(present("access", spelling.access)?)?,
            owner: spelling.owner,
        })
    }
}

impl Update {
    /// Reads the arguments.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Refusal> {
        let mut spelling: Spelling<'_> = resolution::read(json)?;
        Ok(Self {
            named: spelling.named()?,
            access: read_condition(present("new_access", spelling.new_access)?)?,
        })
    }
}

impl Find {
    /// Reads the arguments.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Refusal> {
        let mut spelling: Spelling<'_> = resolution::read(json)?;
        Ok(Self {
            named: spelling.named()?,
            owner: present("owner", spelling.owner)?,
        })
    }
}

impl Spelling<'_> {
    /// Which profile is named, whichever way.
    fn named(&mut self) -> Result<Named, Refusal> {
        let bad = |sentence: String| Refusal::new(FailureCode::InvalidAccessor, sentence);
        let accessor = match (self.accessor.take(), &self.repo, self.branch.as_deref()) {
            (Some(accessor), None, None) => {
                let json = accessor.get().as_bytes();
                serde_json::from_slice(json).map_err(|err| bad(err.to_string()))?
            }
            (None, Some(repo), branch) => {
                Accessor::repo(repo, branch).map_err(|err| refused(&err))?
            }
            (Some(_), _, _) => {
                return Err(bad(
                    "the arguments name both an accessor and a repo or branch".into(),
                ));
            }
            (None, None, _) => {
                return Err(bad("the arguments name neither accessor nor repo".into()));
            }
        };
        let profile = present("profile", self.profile.take())?;
        let profile: Profile = profile.parse().map_err(|err| refused(&err))?;
        accessor
            .check_profile(&profile)
            .map_err(|err| refused(&err))?;
        Ok(Named { accessor, profile })
    }
}

fn present<T>(field: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| {
        let sentence = format!("the arguments hold no {field}");
        Refusal::new(FailureCode::InvalidArguments, sentence)
    })
}

fn refused(err: &Error) -> Refusal {
    let code = match err {
        Error::Repo(_) | Error::Branch(_) => FailureCode::InvalidAccessor,
        Error::Profile | Error::PaymentKeyProfile(_) => FailureCode::InvalidProfile,
        Error::Condition(condition) => condition_code(condition),
    };
    Refusal::new(code, err.to_string())
}

const fn condition_code(err: &condition::Error) -> FailureCode {
    if err.is_size() {
        FailureCode::ConditionTooLarge
    } else {
        FailureCode::InvalidCondition
    }
}

fn read_condition(json: &RawValue) -> Result<AccessCondition, Refusal> {
    AccessCondition::read(json.get())
        .map_err(|err| Refusal::new(condition_code(&err), err.to_string()))
}

/// The sealed bytes. Whether they can be opened only the keystore knows; that they never can is seen here.
fn sealed(base64: &str) -> Result<Vec<u8>, Refusal> {
    let bad = |sentence: String| Refusal::new(FailureCode::InvalidCiphertext, sentence);
    let most = base64::encoded_len(MAX_SEALED_BYTES, true).unwrap_or(usize::MAX);
    if base64.len() > most {
        return Err(Refusal::new(
            FailureCode::SecretsTooLarge,
            format!(
                "the sealed secrets have {} bytes in base64, the most is {most}",
                base64.len()
            ),
        ));
    }
    let sealed = STANDARD
        .decode(base64)
        .map_err(|err| bad(format!("the sealed secrets are not base64: {err}")))?;
    match sealed.first() {
        Some(&SEALED_VERSION) if sealed.len() >= SEALED_OVERHEAD_BYTES => Ok(sealed),
        Some(&SEALED_VERSION) | None => Err(bad(format!(
            "the sealed secrets have {} bytes, at least {SEALED_OVERHEAD_BYTES} are needed",
            sealed.len()
        ))),
        Some(version) => Err(bad(format!(
            "the sealed secrets are of version {version}, only {SEALED_VERSION} is known"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn blob(version: u8, length: usize) -> String {
        let mut bytes = vec![0; length];
        bytes[0] = version;
        STANDARD.encode(bytes)
    }

    fn store(changed: &Value) -> Result<Store, Refusal> {
        let mut arguments = json!({
            "accessor": {"Repo": {"repo": "acme/ark", "branch": "main"}},
            "profile": "default",
            "encrypted_secrets_base64": blob(1, 61),
            "access": "AllowAll",
        });
        let fields = arguments.as_object_mut().unwrap();
        fields.extend(changed.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        Store::read(&serde_json::to_vec(&arguments).unwrap())
    }

    fn code(changed: &Value) -> FailureCode {
        store(changed).unwrap_err().code
    }

    #[test]
    fn both_spellings_name_the_same_profile() {
        let live = store(&json!({})).unwrap();
        let specified = store(&json!({
            "accessor": null,
            "repo": "https://github.com/acme/ark.git",
            "branch": "main",
        }));

        assert_eq!(specified.unwrap(), live);
    }

    #[test]
    fn a_malformed_name_has_a_code() {
        let repo = json!({"Repo": {"repo": "acme/ark"}});
        for accessor in [
            json!(7),
            json!({}),
            json!({"Repo": {"repo": "acme"}}),
            json!({"Repo": {"repo": "acme/ark", "branch": "a\u{0}"}}),
            json!({"WasmHash": {"hash": "00"}}),
            json!({"Project": {"project_id": "nobody"}}),
        ] {
            assert_eq!(
                code(&json!({"accessor": accessor})),
                FailureCode::InvalidAccessor
            );
        }
        assert_eq!(
            code(&json!({"accessor": null})),
            FailureCode::InvalidAccessor
        );
        assert_eq!(code(&json!({"repo": "a/b"})), FailureCode::InvalidAccessor);
        assert_eq!(
            code(&json!({"accessor": null, "repo": "a/b/c"})),
            FailureCode::InvalidAccessor
        );
        assert_eq!(
            code(&json!({"profile": null})),
            FailureCode::InvalidArguments
        );
        assert_eq!(
            code(&json!({"accessor": repo, "profile": "a\u{0}"})),
            FailureCode::InvalidProfile
        );
        assert_eq!(
            code(&json!({"profile": "a".repeat(129)})),
            FailureCode::InvalidProfile
        );
        let key = json!({"accessor": {"System": "PaymentKey"}, "profile": "main"});
        assert_eq!(code(&key), FailureCode::InvalidProfile);
    }

    #[test]
    fn a_blob_that_can_never_be_opened_is_refused() {
        let sealed = |text: &str| code(&json!({"encrypted_secrets_base64": text}));

        assert_eq!(sealed(""), FailureCode::InvalidCiphertext);
        assert_eq!(sealed("%%%"), FailureCode::InvalidCiphertext);
        assert_eq!(sealed(&blob(1, 60)), FailureCode::InvalidCiphertext);
        assert_eq!(sealed(&blob(2, 61)), FailureCode::InvalidCiphertext);
        assert_eq!(
            sealed(blob(1, 61).trim_end_matches('=')),
            FailureCode::InvalidCiphertext
        );
        assert_eq!(sealed(&blob(1, 10_485_761)), FailureCode::SecretsTooLarge);
        assert!(store(&json!({"encrypted_secrets_base64": blob(1, MAX_SEALED_BYTES)})).is_ok());
        assert_eq!(
            code(&json!({"encrypted_secrets_base64": 7})),
            FailureCode::InvalidArguments
        );
    }

    #[test]
    fn a_condition_that_is_too_deep_or_malformed_is_refused() {
        let deep = (0..100).fold(
            json!("AllowAll"),
            |inner, _| json!({"Not": {"condition": inner}}),
        );
        let pattern = json!({"AccountPattern": {"pattern": "a".repeat(10_240)}});

        assert_eq!(
            code(&json!({"access": deep})),
            FailureCode::ConditionTooLarge
        );
        assert_eq!(
            code(&json!({"access": pattern})),
            FailureCode::InvalidCondition
        );
        assert_eq!(
            code(&json!({"access": "DenyAll"})),
            FailureCode::InvalidCondition
        );
        assert_eq!(
            code(&json!({"access": null})),
            FailureCode::InvalidArguments
        );
    }

    #[test]
    fn a_key_that_is_given_twice_is_refused() {
        let json = br#"{"profile":"a","profile":"b","repo":"a/b"}"#;

        assert_eq!(
            Named::read(json).unwrap_err().code,
            FailureCode::InvalidArguments
        );
    }

    proptest! {
        #[test]
        fn no_arguments_make_reading_panic(
            field in "(accessor|repo|branch|profile|encrypted_secrets_base64|access|new_access|owner)",
            value in r#"[\[\]{}"\\,:a-zA-Z0-9=/@.]{0,60}"#,
            text in r"\PC{0,60}",
        ) {
            let raw = format!(r#"{{"repo":"a/b","profile":"p","{field}":{value}}}"#);
            let text = json!({"profile": "p", field: text}).to_string();

            for json in [raw, text] {
                let _ = (Named::read(json.as_bytes()), Store::read(json.as_bytes()));
                let _ = (Update::read(json.as_bytes()), Find::read(json.as_bytes()));
            }
        }
    }
}
