//! Fetches a module that is pinned by its hash from wherever its URL leads, within limits.
//!
//! The URL comes from a stranger, so it must not lead into our own network: addresses are checked where names are looked up
//! and the connection goes to the very address that was checked. Redirects are few and each is checked anew.

mod address;

use std::error::Error as StdError;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use protocol::{ArtifactHash, FailureCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode};
use url::{Host, Url};

use crate::artifact::is_wasm;
use crate::error::Error;
use crate::settings::{ModuleLimits, Reach};

/// Fetches modules.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    limits: ModuleLimits,
}

impl Fetcher {
    pub(crate) fn new(limits: ModuleLimits) -> Result<Self, reqwest::Error> {
        let (reach, redirects) = (limits.reach, limits.redirects);
        let client = Client::builder()
            .no_proxy()
            .timeout(limits.wait)
            .connect_timeout(limits.wait)
            .referer(false)
            .dns_resolver(Arc::new(LookUp { reach }))
            .redirect(Policy::custom(move |attempt| {
                follow(attempt, redirects, reach)
            }))
            .build()?;
        Ok(Self { client, limits })
    }

    /// The module at `url`, which must have the hash `pinned`.
    pub(crate) async fn fetch(&self, url: &str, pinned: ArtifactHash) -> Result<Bytes, Error> {
        let url = Url::parse(url).map_err(|_| Refused::Url.as_error())?;
        check(&url, self.limits.reach).map_err(Refused::as_error)?;
        let response = self.client.get(url).send().await.map_err(|e| failure(&e))?;
        let bytes = self.body(accept(response)?).await?;
        if ArtifactHash::of(&bytes) != pinned {
            return Err(Error::new(FailureCode::HashMismatch));
        }
        if !is_wasm(&bytes) {
            return Err(Error::new(FailureCode::BadModule));
        }
        Ok(bytes)
    }

    /// Reads the body, and no further than the limit.
    async fn body(&self, mut response: Response) -> Result<Bytes, Error> {
        let too_large = |length: u64| length > self.limits.bytes;
        if response.content_length().is_some_and(too_large) {
            return Err(self.too_large());
        }
        let mut bytes = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(|e| failure(&e))? {
            bytes.extend_from_slice(&piece);
            if u64::try_from(bytes.len()).is_ok_and(too_large) {
                return Err(self.too_large());
            }
        }
        Ok(bytes.freeze())
    }

    fn too_large(&self) -> Error {
        let most = self.limits.bytes;
        Error::saying(
            FailureCode::ModuleTooLarge,
            format!("the module is larger than {most} bytes"),
        )
    }
}

/// Only a plain good answer brings a module.
fn accept(response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    // One that the client took for no redirect at all: it leads to no web address.
    if status.is_redirection() {
        return Err(Refused::Url.as_error());
    }
    let ours = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let code = if ours {
        FailureCode::NetworkError
    } else {
        FailureCode::ModuleNotFound
    };
    Err(Error::new(code).hiding(format!("the server answered {status}")))
}

/// Why a URL is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Url,
    Address,
    Redirects,
}

impl Refused {
    fn as_error(self) -> Error {
        Error::saying(FailureCode::InvalidSource, self.to_string())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => {
                "the module's address must be an http or https URL without a user or password"
            }
            Self::Address => "the module's address leads to a network that is not public",
            Self::Redirects => "the module's address is redirected too often",
        })
    }
}

impl StdError for Refused {}

/// The failure that `error` is: one of our refusals, wherever it lies in the chain, or the network's.
fn failure(error: &reqwest::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut chain = Vec::new();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return refused.as_error();
        }
        chain.push(error.to_string());
        cause = error.source();
    }
    Error::new(FailureCode::NetworkError).hiding(chain.join(": "))
}

/// Whether `url` may be asked at all. Names are checked when they are looked up, addresses here.
fn check(url: &Url, reach: Reach) -> Result<(), Refused> {
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(Refused::Url);
    }
    let allowed = match url.host() {
        None => return Err(Refused::Url),
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(address)) => address::is_allowed(address.into(), reach),
        Some(Host::Ipv6(address)) => address::is_allowed(address.into(), reach),
    };
    allowed.then_some(()).ok_or(Refused::Address)
}

fn follow(attempt: Attempt<'_>, redirects: usize, reach: Reach) -> reqwest::redirect::Action {
    if attempt.previous().len() > redirects {
        return attempt.error(Refused::Redirects);
    }
    match check(attempt.url(), reach) {
        Ok(()) => attempt.follow(),
        Err(refused) => attempt.error(refused),
    }
}

/// Looks names up and hands on only addresses that may be connected to.
#[derive(Debug)]
struct LookUp {
    reach: Reach,
}

impl Resolve for LookUp {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|found| address::is_allowed(found.ip(), reach))
                .collect();
            if allowed.is_empty() {
                return Err(Refused::Address.into());
            }
            Ok::<Addrs, _>(Box::new(allowed.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_of_public_places_are_asked() {
        let answers = [
            ("https://example.com/a.wasm", Ok(())),
            ("http://93.184.216.34/a.wasm", Ok(())),
            ("ftp://example.com/a.wasm", Err(Refused::Url)),
            ("file:///etc/passwd", Err(Refused::Url)),
            ("https://user:pw@example.com/", Err(Refused::Url)),
            ("http://127.0.0.1:8080/", Err(Refused::Address)),
            ("http://0x7f.1/", Err(Refused::Address)),
            ("http://2130706433/", Err(Refused::Address)),
            ("http://[::1]/", Err(Refused::Address)),
            ("http://[::ffff:10.0.0.1]/", Err(Refused::Address)),
            (
                "http://169.254.169.254/latest/meta-data",
                Err(Refused::Address),
            ),
        ];

        for (url, answer) in answers {
            assert_eq!(
                check(&Url::parse(url).unwrap(), Reach::Public),
                answer,
                "{url}"
            );
        }
    }
}
