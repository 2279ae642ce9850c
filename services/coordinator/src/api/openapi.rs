//! The description of the interface, made from the same table as the router.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use protocol::job::ErrorBody;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::{
    Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
    Required as IsRequired, ResponseBuilder, Schema,
};

use super::route::{Access, Content, Reading, Required, Route};
use super::{admin, open_routes};

/// The name of the workers' way in.
const WORKER_TOKEN: &str = "worker_token";

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(document);

pub(super) fn routes() -> Vec<Route> {
    let sample = Content::Json("OpenApi", json!({"openapi": "3.1.0"}));
    vec![Route::get("/openapi.json", openapi, sample).says("This document")]
}

async fn openapi() -> axum::Json<&'static OpenApi> {
    axum::Json(&DOCUMENT)
}

fn document() -> OpenApi {
    let mut schemas = BTreeMap::from([("ErrorBody".to_owned(), schema(&error_sample()))]);
    let mut paths = PathsBuilder::new();
    for route in open_routes().into_iter().chain(admin::routes()) {
        for content in route.body.iter().chain(&route.answer.content) {
            if let Content::Json(name, sample) = content {
                schemas.insert((*name).to_owned(), schema(sample));
            }
        }
        let item = PathItem::new(route.method.clone(), operation(&route));
        paths = paths.path(route.path, item);
    }
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A worker's token, made on the admin listener"))
        .build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(WORKER_TOKEN, SecurityScheme::Http(token))
        .build();
    let info = InfoBuilder::new()
        .title("OutLayer coordinator")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Schemas are made from samples of the types themselves: every field that can be there is there; a field \
             without a value is null. Every error is an `ErrorBody` with a stable code. Routes marked `local` are on a \
             listener of their own that only the machine itself reaches.",
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components))
        .build()
}

fn operation(route: &Route) -> Operation {
    let tag = match route.access {
        Access::Anyone => "public",
        Access::Worker => "worker",
        Access::Local => "local",
    };
    let mut operation = OperationBuilder::new()
        .tag(tag)
        .summary(Some(route.summary))
        .parameters(Some(parameters(route)));
    if let Some(body) = &route.body {
        let body = RequestBodyBuilder::new()
            .content(media_type(body), content(body))
            .required(Some(IsRequired::True))
            .build();
        operation = operation.request_body(Some(body));
    }
    let mut good = ResponseBuilder::new().description("done");
    if let Some(answer) = &route.answer.content {
        good = good.content(media_type(answer), content(answer));
    }
    operation = operation.response(route.answer.status.to_string(), good.build());
    if let Some((status, says)) = route.answer.or {
        let other = ResponseBuilder::new().description(says).build();
        operation = operation.response(status.to_string(), other);
    }
    for (status, codes) in errors(route) {
        let body = ContentBuilder::new()
            .schema(Some(reference("ErrorBody")))
            .build();
        let response = ResponseBuilder::new()
            .description(codes.join(", "))
            .content("application/json", body);
        operation = operation.response(status.to_string(), response.build());
    }
    if route.access == Access::Worker {
        let none: [&str; 0] = [];
        operation = operation.security(SecurityRequirement::new(WORKER_TOKEN, none));
    }
    operation.build()
}

/// The codes of a route's errors, by status: its own and those of its kind.
fn errors(route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let mut errors = BTreeMap::<u16, Vec<&'static str>>::new();
    let mut add = |status, code| errors.entry(status).or_default().push(code);
    for (status, code) in &route.errors {
        add(*status, *code);
    }
    if route.access == Access::Worker {
        add(401, "not_a_worker");
    }
    if matches!(route.body, Some(Content::Json(..))) {
        add(400, "malformed_json");
        add(400, "invalid_body");
        add(413, "body_too_large");
    }
    if matches!(route.body, Some(Content::Json(..))) && route.reading == Reading::Here {
        add(415, "not_json");
    }
    if !route.query.is_empty() {
        add(400, "invalid_query");
    }
    if route.path.contains('{') {
        add(400, "invalid_path");
    }
    errors
}

fn parameters(route: &Route) -> Vec<utoipa::openapi::path::Parameter> {
    let in_path = route.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(IsRequired::True)
                .schema(Some(schema(&json!("text"))))
                .build(),
        )
    });
    let in_query = route.query.iter().map(|parameter| {
        ParameterBuilder::new()
            .name(parameter.name)
            .parameter_in(ParameterIn::Query)
            .required(match parameter.required {
                Required::Yes => IsRequired::True,
                Required::No => IsRequired::False,
            })
            .description(Some(parameter.says))
            .schema(Some(schema(&json!("text"))))
            .build()
    });
    in_path.chain(in_query).collect()
}

const fn media_type(content: &Content) -> &'static str {
    match content {
        Content::Json(..) => "application/json",
        Content::Text => "text/plain",
        Content::Wasm => "application/wasm",
    }
}

fn content(content: &Content) -> utoipa::openapi::Content {
    match content {
        Content::Json(name, sample) => ContentBuilder::new()
            .schema(Some(reference(name)))
            .example(Some(sample.clone()))
            .build(),
        Content::Text => ContentBuilder::new()
            .schema(Some(schema(&json!("text"))))
            .build(),
        Content::Wasm => ContentBuilder::new().build(),
    }
}

fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

fn error_sample() -> Value {
    let sample = ErrorBody {
        error: "no_such_job".to_owned(),
        message: "there is no job 7".to_owned(),
    };
    serde_json::to_value(sample).unwrap_or(Value::Null)
}

/// The schema that a sample is an instance of.
fn schema(sample: &Value) -> RefOr<Schema> {
    let schema = serde_json::from_value(json_schema(sample));
    RefOr::T(schema.unwrap_or_default())
}

fn json_schema(sample: &Value) -> Value {
    match sample {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            let items = items.first().map_or(json!({}), json_schema);
            json!({"type": "array", "items": items})
        }
        Value::Object(fields) => {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|(name, field)| (name.clone(), json_schema(field)))
                .collect();
            json!({"type": "object", "properties": properties})
        }
    }
}
