//! Fetches a module that is pinned by its hash from wherever its address leads, within limits.
//!
//! The address comes from a stranger, so it must not lead into our own network: see [`web`]. An address of another kind than a web
//! address, such as `ipfs://…`, is asked for at [`Gateway`]s, which nobody has to believe: the hash decides, and where one fails the
//! next is asked.

mod address;
mod gateway;
mod web;

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use protocol::{ArtifactHash, FailureCode};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use crate::artifact::is_wasm;
use crate::error::Error;
use crate::settings::ModuleLimits;
pub use gateway::{BadGateway, Gateway};
use web::Refused;

/// Fetches modules.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    limits: ModuleLimits,
}

impl Fetcher {
    pub(crate) fn new(limits: ModuleLimits) -> Result<Self, reqwest::Error> {
        let client = web::client(&limits)?;
        Ok(Self { client, limits })
    }

    /// The module at `address`, which must have the hash `pinned`.
    pub(crate) async fn fetch(&self, address: &str, pinned: ArtifactHash) -> Result<Bytes, Error> {
        if gateway::is_web(address) {
            let url = Url::parse(address).map_err(|_| Refused::Url.as_error())?;
            return self.fetch_from(url, pinned).await;
        }
        let mut failures = Vec::new();
        for url in gateway::urls(address, &self.limits.gateways)? {
            let place = url.to_string();
            match self.fetch_from(url, pinned).await {
                Ok(bytes) => return Ok(bytes),
                // The bytes are those that were pinned: no other gateway has better ones.
                Err(error) if error.code() == FailureCode::BadModule => return Err(error),
                Err(error) => failures.push(gateway::Failure { place, error }),
            }
        }
        Err(gateway::outcome(failures))
    }

    /// The module at `url`.
    async fn fetch_from(&self, url: Url, pinned: ArtifactHash) -> Result<Bytes, Error> {
        web::check(&url, self.limits.reach).map_err(Refused::as_error)?;
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
