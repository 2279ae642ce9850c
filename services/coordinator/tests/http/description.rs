//! What the coordinator says of itself.

use protocol::pricing::Pricing;
use serde_json::Value;

use crate::town::Town;

#[tokio::test]
async fn every_route_that_is_described_is_served() {
    let town = Town::start().await;
    let document: Value = town.get("/openapi.json").await;

    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let base = match operation["tags"][0].as_str().unwrap() {
                "local" => town.coordinator.admin_url(),
                _ => town.coordinator.url(),
            };
            let url = format!("{base}{}", path.replace(['{', '}'], ""));
            let method = method.to_uppercase().parse().unwrap();
            let response = town.http.request(method, url).send().await.unwrap();

            let status = response.status();
            let text = response.text().await.unwrap();
            assert!(!text.contains("Unknown endpoint"), "{path}: {text}");
            assert_ne!(status, 405, "{path}");
            routes += 1;
        }
    }

    assert_eq!(routes, 44);
}

#[tokio::test]
async fn the_description_holds_together() {
    let town = Town::start().await;
    let document: Value = town.get("/openapi.json").await;

    let text = document.to_string();
    let names = text
        .match_indices("#/components/schemas/")
        .map(|(at, prefix)| {
            let rest = &text[at + prefix.len()..];
            rest.split('"').next().unwrap()
        });

    assert_eq!(document["openapi"], "3.1.0");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in names {
        assert!(schemas.contains_key(name), "{name}");
    }
    for (name, schema) in schemas {
        must_be_typed(name, schema);
    }
    let lease = &document["components"]["schemas"]["Lease"]["properties"]["job"]["properties"];
    assert_eq!(lease["id"]["type"], "integer");
    assert_eq!(lease["contract_id"]["type"], "string");
}

#[tokio::test]
async fn the_plain_pages_answer() {
    let town = Town::start().await;

    let health = town.fetch("/health").await.text().await.unwrap();
    let pricing: Pricing = town.get("/public/pricing").await;

    assert_eq!(health, "OK");
    assert_eq!(pricing, Pricing::DEFAULT);
}

/// A field without a type is one that a sample leaves out, or a sample that is none of its type.
fn must_be_typed(name: &str, schema: &Value) {
    match schema["type"].as_str() {
        Some("object") => {
            for (field, schema) in schema["properties"].as_object().unwrap() {
                must_be_typed(&format!("{name}.{field}"), schema);
            }
        }
        Some("array") => must_be_typed(&format!("{name}[]"), &schema["items"]),
        found => assert!(found.is_some(), "{name} has no type"),
    }
}
