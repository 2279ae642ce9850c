//! Addresses that are no web addresses, and the gateways that know what is there: `ipfs://CID/path`, `fastfs://account.near/path`.
//!
//! Which schemes there are is configuration and nothing else: a gateway is a scheme and a URL with places for what the address names.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use protocol::FailureCode;
use url::Url;

use crate::error::Error;

/// Where the address's first part goes: a CID, an account.
const HOST: &str = "{host}";
/// Where the rest of it goes, without the slash at its head.
const PATH: &str = "{path}";

/// A web server that has what addresses of one scheme name.
///
/// ```
/// use compiler::Gateway;
///
/// // What the address names is appended, or put where `{host}` and `{path}` are.
/// let plain: Gateway = "ipfs=https://ipfs.io/ipfs/".parse().unwrap();
/// let by_subdomain: Gateway = "fastfs=https://{host}.fastfs.io/{path}".parse().unwrap();
/// assert_eq!((plain.scheme(), by_subdomain.scheme()), ("ipfs", "fastfs"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    scheme: String,
    template: String,
}

impl Gateway {
    /// What the addresses begin with that it is asked for.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    fn url(&self, name: &Name<'_>) -> Option<Url> {
        let text = match name.path {
            // A file is not a folder: no slash is left at its end.
            "" => self
                .template
                .replace(&format!("/{PATH}"), "")
                .replace(PATH, ""),
            path => self.template.replace(PATH, path),
        };
        Url::parse(&text.replace(HOST, name.host)).ok()
    }
}

/// What is not of the form `scheme=URL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadGateway;

impl fmt::Display for BadGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a gateway is scheme=URL: a scheme other than http and https, and an http or https URL that has both {host} and {path} in it, or neither",
        )
    }
}

impl std::error::Error for BadGateway {}

impl FromStr for Gateway {
    type Err = BadGateway;

    fn from_str(text: &str) -> Result<Self, BadGateway> {
        let (scheme, url) = text.split_once('=').ok_or(BadGateway)?;
        let template = match (url.contains(HOST), url.contains(PATH)) {
            (true, true) => url.to_owned(),
            (false, false) => format!("{}/{HOST}/{PATH}", url.trim_end_matches('/')),
            _ => return Err(BadGateway),
        };
        let is_scheme = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_lowercase())
                && text.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
                })
        };
        let gateway = Self {
            scheme: scheme.to_owned(),
            template,
        };
        let sample = gateway.url(&Name {
            host: "host",
            path: "path",
        });
        let is_good = is_scheme(scheme)
            && !is_web_scheme(scheme)
            && sample.is_some_and(|url| {
                is_web_scheme(url.scheme()) && url.username().is_empty() && url.password().is_none()
            });
        is_good.then_some(gateway).ok_or(BadGateway)
    }
}

/// Whether `address` needs no gateway, or is no address at all.
pub(super) fn is_web(address: &str) -> bool {
    address
        .split_once("://")
        .is_none_or(|(scheme, _)| is_web_scheme(&scheme.to_ascii_lowercase()))
}

fn is_web_scheme(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

/// Where to ask for `address`, in order.
pub(super) fn urls(address: &str, gateways: &[Gateway]) -> Result<Vec<Url>, Error> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let scheme = scheme.to_ascii_lowercase();
    let known: Vec<_> = gateways
        .iter()
        .filter(|gateway| gateway.scheme == scheme)
        .collect();
    if known.is_empty() {
        return Err(unknown(gateways));
    }
    let malformed = || {
        let sentence = format!(
            "the module's address must look like {scheme}://name or {scheme}://name/path, without dots for folders, ? or #"
        );
        Error::saying(FailureCode::InvalidSource, sentence)
    };
    let name = Name::parse(rest).ok_or_else(malformed)?;
    known
        .into_iter()
        .map(|gateway| gateway.url(&name).ok_or_else(malformed))
        .collect()
}

fn unknown(gateways: &[Gateway]) -> Error {
    let schemes: BTreeSet<_> = gateways.iter().map(Gateway::scheme).collect();
    let beginnings: Vec<_> = ["https", "http"]
        .into_iter()
        .chain(schemes)
        .map(|scheme| format!("{scheme}://"))
        .collect();
    let sentence = format!(
        "the module's address must begin with one of {}",
        beginnings.join(", ")
    );
    Error::saying(FailureCode::InvalidSource, sentence)
}

/// What an address names, in characters that mean nothing else in a URL: it must not lead to another place than the gateway's
/// operator has in mind.
#[derive(Clone, Copy, Debug)]
struct Name<'a> {
    host: &'a str,
    path: &'a str,
}

impl<'a> Name<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_host = host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(is_plain));
        let is_path = path
            .bytes()
            .all(|byte| is_plain(byte) || b"./~%!$&'()*+,;=:@".contains(&byte))
            && !path.split('/').any(is_dots);
        (is_host && is_path).then_some(Self { host, path })
    }
}

/// Whether a URL takes `segment` for this folder or the one above, however it is written.
fn is_dots(segment: &str) -> bool {
    let written_out = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(written_out.as_str(), "." | "..")
}

/// What one gateway came to.
pub(super) struct Failure {
    pub(super) place: String,
    pub(super) error: Error,
}

/// What it comes to when no gateway had the module.
///
/// Gateways are ours, not the requester's: one that cannot be reached, or leads where we do not go, leaves open whether the module is
/// there, and so whether the requester is at fault. Only when all have answered do their answers count: wrong bytes before too many
/// bytes, and those before none.
pub(super) fn outcome(failures: Vec<Failure>) -> Error {
    let logs: Vec<_> = failures.iter().map(Failure::log).collect();
    let worst = failures.into_iter().min_by_key(Failure::rank);
    let error = match worst {
        None => Error::new(FailureCode::ModuleNotFound),
        Some(Failure { error, .. }) if error.code() == FailureCode::InvalidSource => {
            Error::new(FailureCode::NetworkError)
        }
        Some(Failure { error, .. }) => error,
    };
    error.hiding(logs.concat())
}

impl Failure {
    fn rank(&self) -> u8 {
        match self.error.code() {
            FailureCode::NetworkError | FailureCode::InvalidSource => 0,
            FailureCode::HashMismatch => 1,
            FailureCode::ModuleTooLarge => 2,
            _ => 3,
        }
    }

    fn log(&self) -> String {
        let Self { place, error } = self;
        format!(
            "{place}: {}: {error} {}\n",
            error.code(),
            error.hidden_logs()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateways() -> Vec<Gateway> {
        [
            "ipfs=https://one.example/ipfs/",
            "ipfs=https://{host}.ipfs.two.example/{path}",
            "fastfs=https://{host}.fastfs.example/{path}",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec()
    }

    fn asked(address: &str) -> Result<Vec<String>, String> {
        urls(address, &gateways())
            .map(|urls| urls.into_iter().map(String::from).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_leads_to_the_gateways_of_its_scheme_in_their_order() {
        let plain = asked("ipfs://QmAb").unwrap();
        let with_path = asked("IPFS://bafy/a%20b/c.wasm").unwrap();
        let account = asked("fastfs://my_app.alice.near/fastfs.near/echo.wasm").unwrap();

        assert_eq!(
            plain,
            [
                "https://one.example/ipfs/QmAb",
                "https://qmab.ipfs.two.example/"
            ]
        );
        assert_eq!(
            with_path,
            [
                "https://one.example/ipfs/bafy/a%20b/c.wasm",
                "https://bafy.ipfs.two.example/a%20b/c.wasm"
            ]
        );
        assert_eq!(
            account,
            ["https://my_app.alice.near.fastfs.example/fastfs.near/echo.wasm"]
        );
    }

    #[test]
    fn an_address_leads_nowhere_but_below_its_gateway() {
        let hostile = [
            "ipfs://",
            "ipfs:///etc/passwd",
            "ipfs://..",
            "ipfs://a/../../api/v0/shutdown",
            "ipfs://a/%2E%2e/b",
            "ipfs://a/.%2e",
            "ipfs://a@evil.example",
            "ipfs://evil.example:80/x",
            "ipfs://a\\b",
            "ipfs://a/b?c",
            "ipfs://a#b",
            "ipfs://evil.example%2f",
            "ipfs://a/b\r\nc",
        ];

        for address in hostile {
            let refusal = asked(address).unwrap_err();
            assert!(refusal.contains("ipfs://name"), "{address}: {refusal}");
        }
        assert_eq!(
            asked("ftp://example.com/a").unwrap_err(),
            "the module's address must begin with one of https://, http://, fastfs://, ipfs://"
        );
    }

    #[test]
    fn a_gateway_is_a_scheme_and_a_whole_url() {
        let bad = [
            "https://ipfs.io/ipfs/",
            "https=https://ipfs.io/",
            "IPFS=https://ipfs.io/",
            "ipfs=ftp://ipfs.io/",
            "ipfs=ipfs.io",
            "ipfs=https://user:pw@ipfs.io/",
            "ipfs=https://{host}.ipfs.io/",
            "=https://ipfs.io",
        ];

        for text in bad {
            assert_eq!(text.parse::<Gateway>(), Err(BadGateway), "{text}");
        }
    }
}
