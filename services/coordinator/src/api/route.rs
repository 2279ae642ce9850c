//! A route and what is said of it.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{self, MethodRouter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::openapi::HttpMethod;

use super::State;

/// A route: where it is, what serves it, and its description.
pub(super) struct Route {
    pub(super) method: HttpMethod,
    /// As axum and `OpenAPI` both write it: `/worker/jobs/{id}`.
    pub(super) path: &'static str,
    pub(super) handler: MethodRouter<Arc<State>>,
    /// A sentence.
    pub(super) summary: &'static str,
    pub(super) access: Access,
    pub(super) query: Vec<Parameter>,
    pub(super) body: Option<Content>,
    pub(super) reading: Reading,
    pub(super) answer: Answer,
    /// Codes of the errors that are this route's own.
    pub(super) errors: Vec<(u16, &'static str)>,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone.
    Anyone,
    /// Whoever bears a worker's token.
    Worker,
    /// Whoever reaches the loopback listener.
    Local,
}

/// Who reads a route's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The handler; it must be what the description says.
    Here,
    /// Whoever is behind us, to whom the bytes go as they are.
    Behind,
}

/// A parameter of the query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) required: Required,
    pub(super) says: &'static str,
}

/// Whether a parameter must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Required {
    Yes,
    No,
}

/// What a body holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// JSON of a named type. Its schema is made from a sample of the very type, so that it cannot differ from it.
    Json(&'static str, Value),
    /// Text.
    Text,
    /// A WebAssembly module.
    Wasm,
}

/// What a good answer is.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content: Option<Content>,
    /// Another good answer without a body.
    pub(super) or: Option<(u16, &'static str)>,
}

impl Content {
    /// JSON of type `T`, of which `sample` is one.
    pub(super) fn json<T: Serialize + DeserializeOwned>(
        name: &'static str,
        sample: &Value,
    ) -> Self {
        let seen = T::deserialize(sample).and_then(serde_json::to_value);
        Self::Json(name, seen.unwrap_or(Value::Null))
    }
}

impl Route {
    /// `GET path`, answered with `content`.
    pub(super) fn get<H, T>(path: &'static str, handler: H, content: Content) -> Self
    where
        H: axum::handler::Handler<T, Arc<State>>,
        T: 'static,
    {
        let answer = Answer {
            status: 200,
            content: Some(content),
            or: None,
        };
        Self::new(HttpMethod::Get, path, routing::get(handler), answer)
    }

    /// `POST path`, with a body.
    pub(super) fn post<H, T>(path: &'static str, handler: H, body: Content, answer: Answer) -> Self
    where
        H: axum::handler::Handler<T, Arc<State>>,
        T: 'static,
    {
        let route = Self::new(HttpMethod::Post, path, routing::post(handler), answer);
        Self {
            body: Some(body),
            ..route
        }
    }

    /// `PUT path`, with a body, answered with nothing.
    pub(super) fn put<H, T>(path: &'static str, handler: H, body: Content) -> Self
    where
        H: axum::handler::Handler<T, Arc<State>>,
        T: 'static,
    {
        let route = Self::new(
            HttpMethod::Put,
            path,
            routing::put(handler),
            Answer::nothing(),
        );
        Self {
            body: Some(body),
            ..route
        }
    }

    /// `DELETE path`, answered with nothing.
    pub(super) fn delete<H, T>(path: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Arc<State>>,
        T: 'static,
    {
        Self::new(
            HttpMethod::Delete,
            path,
            routing::delete(handler),
            Answer::nothing(),
        )
    }

    fn new(
        method: HttpMethod,
        path: &'static str,
        handler: MethodRouter<Arc<State>>,
        answer: Answer,
    ) -> Self {
        Self {
            method,
            path,
            handler,
            summary: "",
            access: Access::Anyone,
            query: Vec::new(),
            body: None,
            reading: Reading::Here,
            answer,
            errors: Vec::new(),
        }
    }

    pub(super) const fn says(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    pub(super) const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// These errors too.
    pub(super) fn errors(mut self, errors: &[(u16, &'static str)]) -> Self {
        self.errors.extend(errors);
        self
    }

    /// The body goes on to somebody behind us, up to `max_bytes` of it.
    pub(super) fn passes_on(mut self, max_bytes: usize) -> Self {
        self.reading = Reading::Behind;
        self.handler = self.handler.layer(DefaultBodyLimit::max(max_bytes));
        self
    }

    pub(super) fn query(
        mut self,
        name: &'static str,
        required: Required,
        says: &'static str,
    ) -> Self {
        self.query.push(Parameter {
            name,
            required,
            says,
        });
        self
    }
}

impl Answer {
    /// 204.
    pub(super) const fn nothing() -> Self {
        Self {
            status: 204,
            content: None,
            or: None,
        }
    }

    /// 200 with `content`.
    pub(super) const fn of(content: Content) -> Self {
        Self {
            status: 200,
            content: Some(content),
            or: None,
        }
    }
}
