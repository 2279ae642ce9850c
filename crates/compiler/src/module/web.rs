//! Where a request for a module may go.
//!
//! Addresses are checked where names are looked up, and the connection goes to the very address that was checked. Redirects are few,
//! lead to the same host, to one below it or to one that settings name, and each is checked anew.

use std::error::Error as StdError;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use protocol::FailureCode;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Action, Attempt, Policy};
use url::{Host, Url};

use super::address;
use crate::error::Error;
use crate::settings::{ModuleLimits, Reach};

/// A client that goes nowhere else.
pub(super) fn client(limits: &ModuleLimits) -> Result<Client, reqwest::Error> {
    let (reach, redirects) = (limits.reach, limits.redirects);
    let hosts = limits.redirect_hosts.clone();
    Client::builder()
        .no_proxy()
        .timeout(limits.wait)
        .connect_timeout(limits.wait)
        .referer(false)
        .dns_resolver(Arc::new(LookUp { reach }))
        .redirect(Policy::custom(move |attempt| {
            follow(attempt, redirects, reach, &hosts)
        }))
        .build()
}

/// Why a URL is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Url,
    Address,
    Redirects,
    Host,
}

impl Refused {
    pub(super) fn as_error(self) -> Error {
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
            Self::Host => "the module's address is redirected to another host",
        })
    }
}

impl StdError for Refused {}

/// Whether `url` may be asked at all. Names are checked when they are looked up, addresses here.
pub(super) fn check(url: &Url, reach: Reach) -> Result<(), Refused> {
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

fn follow(attempt: Attempt<'_>, redirects: usize, reach: Reach, hosts: &[String]) -> Action {
    if attempt.previous().len() > redirects {
        return attempt.error(Refused::Redirects);
    }
    let is_expected = attempt
        .previous()
        .first()
        .is_some_and(|first| may_lead(first, attempt.url(), hosts));
    match check(attempt.url(), reach) {
        Ok(()) if is_expected => attempt.follow(),
        Ok(()) => attempt.error(Refused::Host),
        Err(refused) => attempt.error(refused),
    }
}

/// Whether an address on the host of `first` may lead to the host of `next`.
fn may_lead(first: &Url, next: &Url, hosts: &[String]) -> bool {
    let (Some(first), Some(next)) = (first.host_str(), next.host_str()) else {
        return false;
    };
    next == first
        || is_below(next, first)
        || hosts
            .iter()
            .any(|host| next == host || is_below(next, host))
}

fn is_below(name: &str, host: &str) -> bool {
    name.strip_suffix(host)
        .is_some_and(|labels| labels.ends_with('.') && labels.len() > 1)
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

    #[test]
    fn a_redirect_leads_to_the_same_host_to_one_below_it_or_to_one_that_settings_name() {
        let hosts = ["githubusercontent.com".to_owned()];
        let leads = [
            ("https://a.example/x", "http://a.example:8080/y", true),
            ("https://a.example/x", "https://b.a.example/", true),
            (
                "https://github.com/x",
                "https://objects.githubusercontent.com/",
                true,
            ),
            (
                "https://a.example/x",
                "https://githubusercontent.com/",
                true,
            ),
            ("https://a.example/x", "https://example/", false),
            ("https://a.example/x", "https://ba.example/", false),
            (
                "https://a.example/x",
                "https://notgithubusercontent.com/",
                false,
            ),
            (
                "https://a.example/x",
                "https://githubusercontent.com.evil.example/",
                false,
            ),
        ];

        for (first, next, leads) in leads {
            let [first, next] = [first, next].map(|url| Url::parse(url).unwrap());

            assert_eq!(may_lead(&first, &next, &hosts), leads, "{first} {next}");
        }
    }
}
