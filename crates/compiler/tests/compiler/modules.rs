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
    let (head, body): (&str, &[u8]) = match path {
        "/module" => ("200 OK", MODULE),
        "/text" => ("200 OK", b"hello"),
        // Without a length: the end of the body is the end of the connection.
        "/large" => ("200 OK", &large),
        "/announced" => ("200 OK\r\nContent-Length: 5000000000", b""),
        "/moved" => ("302 Found\r\nLocation: /module", b""),
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
