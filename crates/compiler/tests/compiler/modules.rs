//! Modules behind URLs.

use std::net::SocketAddr;
use std::time::Duration;

use compiler::{Compiler, Error, Reach, Settings};
use protocol::source::{BuildTarget, CodeSource, WasmUrl};
use protocol::{ArtifactHash, FailureCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::origin::{Origin, compiler};

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The largest module in these tests.
const LIMIT: usize = 1000;

/// A server of a few paths, each of which does something else.
async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    let mut request = vec![0; 4096];
    let length = stream.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let large = vec![0; LIMIT + 1];
    // The same server by another name.
    let port = stream.local_addr().unwrap().port();
    let other_host = format!("302 Found\r\nLocation: http://localhost:{port}/module");
    let (head, body): (&str, &[u8]) = match path {
        "/module" | "/good/cid/echo.wasm" | "/files-of/cid/echo.wasm" => ("200 OK", MODULE),
        "/text" | "/lying/cid/echo.wasm" => ("200 OK", b"hello"),
        // Without a length: the end of the body is the end of the connection.
        "/large" | "/flooding/cid/echo.wasm" => ("200 OK", &large),
        "/announced" => ("200 OK\r\nContent-Length: 5000000000", b""),
        "/moved" => ("302 Found\r\nLocation: /module", b""),
        "/other-host" | "/leaving/cid/echo.wasm" => (&other_host, b""),
        "/round" => ("302 Found\r\nLocation: /round", b""),
        "/elsewhere" => ("302 Found\r\nLocation: file:///etc/passwd", b""),
        "/broken" => ("503 Service Unavailable", b""),
        "/never" => return std::future::pending().await,
        _ => ("404 Not Found", b""),
    };
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body).await;
}

fn settings(origin: &Origin) -> Settings {
    let mut settings = origin.settings("compiler");
    settings.modules.bytes = LIMIT.try_into().unwrap();
    settings.modules.reach = Reach::Anywhere;
    settings
}

async fn fetch(compiler: &Compiler, url: String, content: &[u8]) -> Result<Vec<u8>, Error> {
    let source = CodeSource::WasmUrl(WasmUrl {
        url,
        hash: ArtifactHash::of(content),
        build_target: BuildTarget::Wasip1,
    });
    let source = compiler.resolve(&source).await?;
    let artifact = compiler.compile(&source).await?;
    assert_eq!(artifact.hash, ArtifactHash::of(&artifact.wasm));
    Ok(artifact.wasm.to_vec())
}

#[tokio::test]
async fn a_module_is_fetched_from_its_address_and_from_where_that_leads() {
    let origin = Origin::new();
    let compiler = compiler(settings(&origin));
    let server = serve().await;

    let direct = fetch(&compiler, format!("http://{server}/module"), MODULE).await;
    let moved = fetch(&compiler, format!("http://{server}/moved"), MODULE).await;

    assert_eq!(direct.unwrap(), MODULE);
    assert_eq!(moved.unwrap(), MODULE);
}

#[tokio::test]
async fn everything_else_that_a_server_may_answer_has_its_code() {
    let origin = Origin::new();
    let compiler = compiler(settings(&origin));
    let server = serve().await;
    let text: &[u8] = b"hello";
    let answers = [
        ("module", text, FailureCode::HashMismatch),
        ("text", text, FailureCode::BadModule),
        ("large", MODULE, FailureCode::ModuleTooLarge),
        ("announced", MODULE, FailureCode::ModuleTooLarge),
        ("other-host", MODULE, FailureCode::InvalidSource),
        ("round", MODULE, FailureCode::InvalidSource),
        ("elsewhere", MODULE, FailureCode::InvalidSource),
        ("nothing", MODULE, FailureCode::ModuleNotFound),
        ("broken", MODULE, FailureCode::NetworkError),
    ];

    for (path, content, code) in answers {
        let error = fetch(&compiler, format!("http://{server}/{path}"), content)
            .await
            .unwrap_err();

        assert_eq!(
            error.code(),
            code,
            "{path}: {error} {}",
            error.hidden_logs()
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let origin = Origin::new();
    let mut settings = settings(&origin);
    settings.modules.wait = Duration::from_millis(200);
    let compiler = compiler(settings);
    let server = serve().await;

    let never = fetch(&compiler, format!("http://{server}/never"), MODULE).await;

    assert_eq!(never.unwrap_err().code(), FailureCode::NetworkError);
}

#[tokio::test]
async fn an_address_in_a_private_network_is_refused_also_behind_a_name() {
    let origin = Origin::new();
    let mut settings = settings(&origin);
    settings.modules.reach = Reach::Public;
    let compiler = compiler(settings);
    let server = serve().await;

    let number = fetch(&compiler, format!("http://{server}/module"), MODULE).await;
    let name = fetch(
        &compiler,
        format!("http://localhost:{}/module", server.port()),
        MODULE,
    )
    .await;

    assert_eq!(number.unwrap_err().code(), FailureCode::InvalidSource);
    assert_eq!(name.unwrap_err().code(), FailureCode::InvalidSource);
}

#[tokio::test]
async fn a_redirect_to_a_host_that_settings_name_is_followed() {
    let origin = Origin::new();
    let mut settings = settings(&origin);
    settings.modules.redirect_hosts = vec!["localhost".to_owned()];
    let compiler = compiler(settings);
    let server = serve().await;

    let moved = fetch(&compiler, format!("http://{server}/other-host"), MODULE).await;

    assert_eq!(moved.unwrap(), MODULE);
}

/// Fetches `ipfs://cid/echo.wasm` from gateways in folders of `server`, or on a port where nobody is.
async fn fetch_through(
    server: SocketAddr,
    gateways: &[&str],
    content: &[u8],
) -> Result<Vec<u8>, Error> {
    let origin = Origin::new();
    let mut settings = settings(&origin);
    let given = gateways.iter().map(|gateway| {
        let url = match *gateway {
            "dead" => "http://127.0.0.1:1/".to_owned(),
            folder => format!("http://{server}/{folder}"),
        };
        format!("ipfs={url}").parse().unwrap()
    });
    settings.modules.use_gateways(given.collect());
    fetch(
        &compiler(settings),
        "ipfs://cid/echo.wasm".to_owned(),
        content,
    )
    .await
}

#[tokio::test]
async fn the_next_gateway_is_asked_when_one_fails_lies_floods_or_leads_elsewhere() {
    let server = serve().await;
    let bad = ["dead", "empty", "lying", "flooding", "leaving"];

    for bad in bad {
        let module = fetch_through(server, &[bad, "good"], MODULE).await;

        assert_eq!(module.unwrap(), MODULE, "{bad}");
    }
    let by_template = fetch_through(server, &["files-of/{host}/{path}"], MODULE).await;
    assert_eq!(by_template.unwrap(), MODULE);
}

#[tokio::test]
async fn what_no_gateway_has_is_the_requesters_fault_only_if_all_have_answered() {
    let server = serve().await;
    let outcomes: [(&[&str], FailureCode); 7] = [
        (&["empty"], FailureCode::ModuleNotFound),
        (&["empty", "lying"], FailureCode::HashMismatch),
        (&["lying", "flooding"], FailureCode::HashMismatch),
        (&["flooding", "empty"], FailureCode::ModuleTooLarge),
        (&["lying", "dead"], FailureCode::NetworkError),
        (&["dead", "empty"], FailureCode::NetworkError),
        (&["leaving", "empty"], FailureCode::NetworkError),
    ];

    for (gateways, code) in outcomes {
        let error = fetch_through(server, gateways, MODULE).await.unwrap_err();

        assert_eq!(error.code(), code, "{gateways:?}: {}", error.hidden_logs());
    }
}

#[tokio::test]
async fn bytes_that_have_the_hash_and_are_no_module_are_not_asked_for_again() {
    let server = serve().await;

    let error = fetch_through(server, &["lying", "dead"], b"hello")
        .await
        .unwrap_err();

    assert_eq!(error.code(), FailureCode::BadModule);
}

#[tokio::test]
async fn an_address_of_a_kind_without_a_gateway_is_refused() {
    let origin = Origin::new();
    let compiler = compiler(settings(&origin));

    let error = fetch(&compiler, "ftp://example.com/a.wasm".to_owned(), MODULE)
        .await
        .unwrap_err();

    assert_eq!(error.code(), FailureCode::InvalidSource);
    assert!(error.to_string().contains("ipfs://"), "{error}");
}
