//! Load over HTTP/1.1: so many connections, each waiting for its answer. As little client as will do, since it runs
//! on the cores that are measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::{BenchError, other};
use crate::load::{Measured, histogram};
use crate::machine::{Usage, as_float};

/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 4096;
const CONTENT_LENGTH: &str = "content-length:";

/// What a connection sends: the request for each number, rendered in full.
pub type Render<'a> = dyn Fn(u64) -> String + Send + Sync + 'a;

/// A target and what is sent to it.
pub struct Target<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// Renders request number `n`.
    pub render: &'a Render<'a>,
    /// Operations in one request.
    pub operations: u64,
    /// What the status line must begin with.
    pub status: &'static str,
}

/// Sends requests over `connections` connections until `lasts` is over; counts operations.
pub async fn run(
    target: &Target<'_>,
    connections: usize,
    lasts: Duration,
    numbers_from: u64,
) -> Result<Measured, BenchError> {
    let before = Usage::now();
    let begun = Instant::now();
    let until = begun + lasts;
    let stride = u64::try_from(connections).unwrap_or(1);
    let lanes = (0..stride).map(|lane| one(target, until, (numbers_from + lane, stride)));
    let answers = futures::future::join_all(lanes).await;
    let took = begun.elapsed();
    let spent = Usage::now().since(&before);
    let (mut done, mut latency) = (0, histogram()?);
    for answer in answers {
        let (count, of_lane) = answer?;
        done += count * target.operations;
        latency.add(&of_lane).map_err(other)?;
    }
    Ok(Measured::of(done, latency, took, spent))
}

async fn one(
    target: &Target<'_>,
    until: Instant,
    (mut number, stride): (u64, u64),
) -> Result<(u64, Histogram<u64>), BenchError> {
    let mut stream = TcpStream::connect(target.address).await.map_err(other)?;
    stream.set_nodelay(true).map_err(other)?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let (mut done, mut latency) = (0, histogram()?);
    while Instant::now() < until {
        let request = (target.render)(number);
        number += stride;
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await.map_err(other)?;
        answer(&mut stream, &mut buffer, target.status).await?;
        latency.saturating_record(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
        done += 1;
    }
    Ok((done, latency))
}

/// Reads one answer whole.
async fn answer(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    status: &str,
) -> Result<(), BenchError> {
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await.map_err(other)?;
        if read == 0 {
            return Err(BenchError::Failed("the server hung up".to_owned()));
        }
        if length_of(buffer).is_none_or(|length| buffer.len() < length) {
            continue;
        }
        let told = buffer.strip_prefix(b"HTTP/1.1 ");
        if told.is_some_and(|rest| rest.starts_with(status.as_bytes())) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(buffer);
        return Err(BenchError::Failed(format!("an unexpected answer: {text}")));
    }
}

/// Bytes of an answer, body and all, once its head is there.
fn length_of(answer: &[u8]) -> Option<usize> {
    let start = &answer[..answer.len().min(HEAD_BYTES_MAX)];
    let text = start.utf8_chunks().next()?.valid();
    let (mut head, mut body) = (0, 0);
    for line in text.split_inclusive('\n') {
        head += line.len();
        if line == "\r\n" {
            return Some(head + body);
        }
        let name = line.get(..CONTENT_LENGTH.len()).unwrap_or_default();
        if name.eq_ignore_ascii_case(CONTENT_LENGTH) {
            body = line[CONTENT_LENGTH.len()..].trim().parse().unwrap_or(0);
        }
    }
    None
}

/// A `POST` with a JSON body.
pub fn post(path: &str, secret: &str, key: Option<&str>, body: &str) -> String {
    let key = key.map_or_else(String::new, |key| format!("idempotency-key: {key}\r\n"));
    request(("POST", path), secret, &key, body)
}

/// A request with a JSON body, and headers of its own, each with its end of line.
pub fn request((method, path): (&str, &str), secret: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {secret}\r\n{headers}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An axum server that answers two words, on a port of its own.
pub async fn hello() -> Result<SocketAddr, BenchError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(other)?;
    let address = listener.local_addr().map_err(other)?;
    let router = axum::Router::new().route("/", axum::routing::post(async || "hello world"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// A request that is answered with any status; the status and the body.
pub async fn ask(
    address: SocketAddr,
    (method, path): (&str, &str),
    secret: &str,
    body: &str,
) -> Result<(u16, String), BenchError> {
    let mut stream = TcpStream::connect(address).await.map_err(other)?;
    let request = request((method, path), secret, "connection: close\r\n", body);
    stream.write_all(request.as_bytes()).await.map_err(other)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(other)?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| BenchError::Failed(format!("no answer: {text}")))?;
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}

/// Sends `count` requests over `connections` connections, each connection one after the other: at `rate` a second in all if
/// there is one, counted from when a request was due, else as fast as they are answered.
pub async fn send(
    target: &Target<'_>,
    connections: u64,
    count: u64,
    rate: Option<f64>,
) -> Result<Histogram<u64>, BenchError> {
    let begun = Instant::now();
    let due = |number: u64| {
        let wait = rate.map_or(0.0, |rate| as_float(number) / rate);
        begun + Duration::from_secs_f64(wait)
    };
    let lanes = (0..connections).map(async |lane| {
        let mut stream = TcpStream::connect(target.address).await.map_err(other)?;
        stream.set_nodelay(true).map_err(other)?;
        let (mut buffer, mut latency) = (Vec::with_capacity(64 * 1024), histogram()?);
        let mut number = lane;
        while number < count {
            let request = (target.render)(number);
            tokio::time::sleep_until(due(number).into()).await;
            let asked = rate.map_or_else(Instant::now, |_| due(number));
            stream.write_all(request.as_bytes()).await.map_err(other)?;
            answer(&mut stream, &mut buffer, target.status).await?;
            let micros = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
            latency.saturating_record(micros);
            number += connections;
        }
        Ok::<_, BenchError>(latency)
    });
    let mut latency = histogram()?;
    for of_lane in futures::future::join_all(lanes).await {
        latency.add(&of_lane?).map_err(other)?;
    }
    Ok(latency)
}
