//! Answers with what it finds in a text: its dates, its addresses and its hash.

use std::io::Read as _;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng as _;
use regex::Regex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::Date;
use time::format_description::well_known::Iso8601;
use url::Url;

#[derive(Deserialize)]
struct Question {
    text: String,
}

#[derive(Serialize)]
struct Answer {
    dates: Vec<String>,
    hosts: Vec<String>,
    sha256: String,
    base64: String,
    lucky_number: u8,
}

fn main() -> Result<()> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let Question { text } = serde_json::from_str(&input).context("the question is {\"text\": …}")?;
    let words = Regex::new(r"\S+")?;
    let words: Vec<&str> = words.find_iter(&text).map(|word| word.as_str()).collect();
    let dates = words
        .iter()
        .filter_map(|word| Date::parse(word, &Iso8601::DATE).ok())
        .map(|date| date.to_string());
    let hosts = words
        .iter()
        .filter_map(|word| Url::parse(word).ok()?.host_str().map(str::to_owned));
    let answer = Answer {
        dates: dates.collect(),
        hosts: hosts.collect(),
        sha256: hex::encode(Sha256::digest(&text)),
        base64: STANDARD.encode(&text),
        lucky_number: rand::rng().random_range(1..=6),
    };
    println!("{}", serde_json::to_string(&answer)?);
    Ok(())
}
