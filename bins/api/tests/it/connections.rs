//! Connections that stay open: whatever a request is answered, the next one on its connection is answered too, or the
//! answer said that the connection ends.

use std::sync::Arc;

use http_api::ApiSettings;
use quota_core::ports::KeyScope;
use testkit::memory::MemoryStore;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::api_under_test::Api;

/// One connection.
struct Connection(BufReader<TcpStream>);

/// The head of an answer.
struct Head {
    status: u16,
    closes: bool,
}

impl Connection {
    async fn to(api: &Api) -> Self {
        let address = api.address.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("a connection");
        Self(BufReader::new(stream))
    }

    async fn send(&mut self, bytes: &[u8]) {
        let stream = self.0.get_mut();
        stream.write_all(bytes).await.expect("it is sent");
    }

    /// Reads one answer, its body included.
    async fn answer(&mut self) -> Head {
        let (mut status, mut closes, mut length) = (0, false, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("a line");
            assert!(!line.is_empty(), "the connection ended unanswered");
            let line = line.trim().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            } else if line == "connection: close" {
                closes = true;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("a body");
        Head { status, closes }
    }
}

/// A request that is refused, or answered, before its body is read.
struct Early {
    method: &'static str,
    path: &'static str,
    headers: String,
    status: u16,
}

impl Early {
    fn head(&self, length: usize) -> String {
        let (method, path, headers) = (self.method, self.path, &self.headers);
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{headers}\r\n")
    }
}

/// One of each kind, on the routes that go past the router and on others.
async fn early(api: &Api) -> Vec<Early> {
    let read = api.engine.create_key("reader", KeyScope::Read).await;
    let read = read.expect("a key is made").secret;
    let json = "content-type: application/json\r\n";
    let headers = |key: &str, kind: &str| format!("authorization: Bearer {key}\r\n{kind}");
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let admin = headers(&api.admin, json);
    let case = |method, path, headers: &str, status| Early {
        method,
        path,
        headers: headers.to_owned(),
        status,
    };
    let mut cases = vec![
        case("POST", "/v1/nothing", &admin, 404),
        case("PUT", "/v1/consume", &admin, 405),
        case("POST", "/v1/users/a%00b/reset", &admin, 422),
        case("GET", "/v1/users", &admin, 200),
        case("POST", "/healthz", &admin, 405),
        case("GET", "/healthz", "", 200),
    ];
    for path in ["/v1/check", "/v1/consume", "/v1/track", "/v1/catalog/apply"] {
        cases.push(case("POST", path, json, 401));
        cases.push(case("POST", path, &headers(&api.admin, form), 415));
    }
    for path in ["/v1/consume", "/v1/track"] {
        cases.push(case("POST", path, &headers(&read, json), 403));
    }
    cases
}

/// After each, the next request on its connection is answered.
async fn the_next_is_answered(api: &Api, cases: &[Early], length: usize) {
    for case in cases {
        let told = format!(
            "{} {} with {length} bytes: {}",
            case.method, case.path, case.status
        );
        let mut connection = Connection::to(api).await;
        connection.send(case.head(length).as_bytes()).await;
        connection.send(&vec![b' '; length]).await;
        let head = connection.answer().await;
        assert_eq!(head.status, case.status, "{told}");
        assert!(!head.closes, "{told}");
        connection
            .send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        assert_eq!(connection.answer().await.status, 200, "{told}");
    }
}

#[tokio::test]
async fn a_request_after_a_refusal_is_answered_on_the_same_connection() {
    let api = Api::in_memory().await;
    let cases = early(&api).await;
    for length in [50, 200_000] {
        the_next_is_answered(&api, &cases, length).await;
    }
}

#[tokio::test]
async fn a_request_after_a_body_that_is_too_large_is_answered_on_the_same_connection() {
    let settings = ApiSettings {
        body_bytes_max: 20_000,
        ..ApiSettings::default()
    };
    let api = Api::bare(Arc::new(MemoryStore::new()), settings).await;
    let case = |path| Early {
        method: "POST",
        path,
        headers: format!(
            "authorization: Bearer {}\r\ncontent-type: application/json\r\n",
            api.admin
        ),
        status: 413,
    };
    let cases = [case("/v1/consume"), case("/v1/track")];
    the_next_is_answered(&api, &cases, 200_000).await;
    // More than is thrown away of it: sixteen times as much as is read.
    for case in &cases {
        let mut connection = Connection::to(&api).await;
        connection.send(case.head(10_000_000).as_bytes()).await;
        connection.send(&vec![b' '; 341_000]).await;
        let head = connection.answer().await;
        assert!(head.status == 413 && head.closes, "{}", case.path);
    }
}

#[tokio::test]
async fn a_request_after_one_too_many_is_answered_on_the_same_connection() {
    let settings = ApiSettings {
        requests_max: 0,
        ..ApiSettings::default()
    };
    let api = Api::bare(Arc::new(MemoryStore::new()), settings).await;
    let mut cases = early(&api).await;
    cases.retain(|case| case.path.starts_with("/v1/"));
    for case in &mut cases {
        case.status = 503;
    }
    for length in [50, 200_000] {
        the_next_is_answered(&api, &cases, length).await;
    }
}

#[tokio::test]
async fn a_rest_that_is_large_or_waits_to_be_asked_for_or_never_comes_ends_the_connection() {
    let api = Api::in_memory().await;
    for mut case in early(&api).await {
        let told = format!("{} {}: {}", case.method, case.path, case.status);
        let mut large = Connection::to(&api).await;
        large.send(case.head(10_000_000).as_bytes()).await;
        let head = large.answer().await;
        assert!(head.status == case.status && head.closes, "{told}: large");
        let mut patient = Connection::to(&api).await;
        case.headers.push_str("expect: 100-continue\r\n");
        patient.send(case.head(50).as_bytes()).await;
        let head = patient.answer().await;
        assert!(head.status == case.status && head.closes, "{told}: patient");
    }
    for path in ["/v1/consume", "/v1/track"] {
        let mut slow = Connection::to(&api).await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{{");
        slow.send(head.as_bytes()).await;
        let head = slow.answer().await;
        assert!(head.status == 401 && head.closes, "{path}: slow");
    }
}

#[tokio::test]
async fn a_rest_in_chunks_is_thrown_away_too() {
    let api = Api::in_memory().await;
    for path in ["/v1/consume", "/v1/track"] {
        let mut connection = Connection::to(&api).await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        connection.send(head.as_bytes()).await;
        connection
            .send(b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")
            .await;
        let head = connection.answer().await;
        assert!(head.status == 401 && !head.closes, "{path}");
        connection
            .send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        assert_eq!(connection.answer().await.status, 200, "{path}");
    }
}
