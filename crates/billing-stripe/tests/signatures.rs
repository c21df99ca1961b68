//! Payloads that Stripe's own library signed (`golden/sign.py`), and what we say to them.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use billing_stripe::{SignatureError, Verified, WebhookSecrets, verify};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    made_by: String,
    now: i64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    body: String,
    headers: Vec<String>,
    secrets: Vec<String>,
    expected: String,
    library: String,
}

impl Case {
    fn verify(&self, now: DateTime<Utc>) -> Result<Verified, SignatureError> {
        let secrets = WebhookSecrets::parse(&self.secrets.join(",")).expect("secrets");
        let headers: Vec<&[u8]> = self.headers.iter().map(String::as_bytes).collect();
        verify(&headers, self.body.as_bytes(), &secrets, now)
    }
}

fn golden() -> (Vec<Case>, DateTime<Utc>) {
    let golden: Golden =
        serde_json::from_str(include_str!("golden/signatures.json")).expect("cases");
    assert_eq!(golden.made_by, "stripe 16.1.0");
    let now = DateTime::from_timestamp(golden.now, 0).expect("an instant");
    (golden.cases, now)
}

fn case(name: &str) -> (Case, DateTime<Utc>) {
    let (cases, now) = golden();
    let case = cases.into_iter().find(|case| case.name == name);
    (case.expect("a case of that name"), now)
}

fn word(said: &Result<Verified, SignatureError>) -> &'static str {
    match said {
        Ok(_) => "ok",
        Err(SignatureError::NoHeader) => "no_header",
        Err(SignatureError::SeveralHeaders) => "several_headers",
        Err(SignatureError::NoTimestamp) => "no_timestamp",
        Err(SignatureError::NoSignature) => "no_signature",
        Err(SignatureError::NoMatch) => "no_match",
        Err(SignatureError::TooOld { .. }) => "too_old",
        Err(SignatureError::TooNew { .. }) => "too_new",
        Err(_) => "another",
    }
}

#[test]
fn what_stripes_library_signed_is_judged_case_by_case() {
    // Situations 54, 58, 59 and 60.
    let (cases, now) = golden();
    assert_eq!(cases.len(), 33);
    for case in cases {
        let said = case.verify(now);
        assert_eq!(word(&said), case.expected, "{}: {said:?}", case.name);
    }
}

#[test]
fn we_believe_nothing_that_stripes_library_refuses() {
    let (cases, now) = golden();
    let believed: Vec<Case> = cases
        .into_iter()
        .filter(|case| case.verify(now).is_ok())
        .collect();
    assert_eq!(believed.len(), 12);
    for case in believed {
        assert_eq!(case.library, "ok", "{}", case.name);
    }
}

#[test]
fn the_secret_that_matched_is_told_by_its_place() {
    // Situation 60: a secret was rotated and both work; the operator sees when the old one is no longer used.
    let (case, now) = case("one v1 by the second of our secrets");
    let verified = case.verify(now).unwrap();
    assert_eq!(
        verified,
        Verified {
            signed_at: now,
            secret: 1
        }
    );
}

#[test]
fn the_tolerance_is_300_s_both_ways_on_the_clock_that_is_given() {
    // Situation 59: the engine's clock decides, not the machine's.
    let (case, signed_at) = case("valid");
    let at = |seconds: i64| word(&case.verify(signed_at + TimeDelta::seconds(seconds)));
    assert_eq!([at(-301), at(-300), at(0)], ["too_new", "ok", "ok"]);
    assert_eq!([at(300), at(301), at(600)], ["ok", "too_old", "too_old"]);
    let late = case.verify(signed_at + TimeDelta::milliseconds(300_001));
    assert_eq!(late, Err(SignatureError::TooOld { seconds: 300 }));
}

#[test]
fn a_header_without_end_is_refused_before_anything_is_computed() {
    let (mut case, now) = case("valid");
    case.headers[0].push_str(&",v1=00".repeat(16));
    assert_eq!(case.verify(now), Err(SignatureError::HeaderTooLong));
    case.headers[0].push_str(&"x".repeat(4096));
    assert_eq!(case.verify(now), Err(SignatureError::HeaderTooLong));
}

#[test]
fn no_byte_of_the_body_may_differ() {
    let (case, now) = case("valid");
    let secrets = WebhookSecrets::parse(&case.secrets[0]).unwrap();
    let mut body = case.body.clone().into_bytes();
    for place in 0..body.len() {
        body[place] ^= 1;
        let said = verify(&[case.headers[0].as_bytes()], &body, &secrets, now);
        assert_eq!(said, Err(SignatureError::NoMatch), "byte {place}");
        body[place] ^= 1;
    }
}

#[test]
fn a_header_that_is_no_text_is_refused() {
    let (case, now) = case("valid");
    let secrets = WebhookSecrets::parse(&case.secrets[0]).unwrap();
    for header in [
        &b"\xff\xfe"[..],
        b"t=,v1=00",
        b"t=-5,v1=00",
        b"t=99999999999999999999,v1=00",
    ] {
        let said = verify(&[header], case.body.as_bytes(), &secrets, now);
        assert_eq!(said, Err(SignatureError::NoTimestamp), "{header:?}");
    }
}
