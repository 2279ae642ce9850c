//! Addresses without what they may hide: providers put API keys into the path, the query and the user's name.

use reqwest::Url;

/// Scheme, host and port; nothing else is shown.
pub(crate) fn address(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

/// The error and what caused it, without the address it carries.
pub(crate) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_scheme_host_and_port_is_shown() {
        let secret = "https://user:word@rpc.example:8443/v1/key?apiKey=abc#f";

        assert_eq!(
            address(&secret.parse().unwrap()),
            "https://rpc.example:8443"
        );
    }
}
