"""Signs payloads with Stripe's own library and writes signatures.json beside this file.

    pip install stripe==16.1.0
    python sign.py

Each case says what our endpoint must answer. The library's own answer is asked for too, and is in the file: we are as
strict as it is or stricter, never laxer.
"""
import json
import pathlib

import stripe
from stripe import Webhook, WebhookSignature

NOW = 1_795_000_000
SECRET = "whsec_test4kSqWm0dVJ2nTzYc7uHbEoRgXaLf"
OLD_SECRET = "whsec_testZp81NfQyTr6vKcMwUe3sBjDhGxIa"
OTHER_SECRET = "whsec_test0000000000000000000000000000"

SNAPSHOT = json.dumps(
    {
        "id": "evt_1QtestSnapshot", "object": "event", "api_version": "2026-10-28.endive", "created": NOW - 2,
        "livemode": False, "type": "customer.subscription.updated", "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active"}},
    },
    indent=2,
)
THIN = json.dumps(
    {
        "id": "evt_test_65RThin", "object": "v2.core.event", "type": "v1.customer.subscription.updated",
        "created": "2026-11-18T09:46:38.000Z", "livemode": False, "context": None,
        "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
    }
)
UMLAUT = json.dumps({"id": "evt_1Q", "object": "event", "note": "für 5 €"}, ensure_ascii=False)


def header(payload, secret, timestamp=NOW):
    return WebhookSignature.generate_signature_header(payload, secret, timestamp)


def v1(payload, secret, timestamp=NOW):
    return "v1=" + WebhookSignature._compute_signature(f"{timestamp}.{payload}", secret)


def cases():
    ok = header(SNAPSHOT, SECRET)
    time_part, v1_part = ok.split(",")
    two = f"t={NOW},{v1(SNAPSHOT, OLD_SECRET)},{v1(SNAPSHOT, SECRET)}"
    both = [SECRET, OLD_SECRET]
    yield "valid", SNAPSHOT, [ok], [SECRET], "ok"
    yield "thin event", THIN, [header(THIN, SECRET)], [SECRET], "ok"
    yield "body that is not ASCII", UMLAUT, [header(UMLAUT, SECRET)], [SECRET], "ok"
    yield "empty body", "", [header("", SECRET)], [SECRET], "ok"
    yield "two v1, the old secret is ours", SNAPSHOT, [two], [OLD_SECRET], "ok"
    yield "two v1, the new secret is ours", SNAPSHOT, [two], [SECRET], "ok"
    yield "two v1, both secrets are ours", SNAPSHOT, [two], both, "ok"
    yield "one v1 by the second of our secrets", SNAPSHOT, [header(SNAPSHOT, OLD_SECRET)], both, "ok"
    yield "reordered", SNAPSHOT, [",".join(reversed(ok.split(",")))], [SECRET], "ok"
    yield "v0 beside v1", SNAPSHOT, [f"{time_part},v0={'0' * 64},{v1_part}"], [SECRET], "ok"
    yield "300 s old", SNAPSHOT, [header(SNAPSHOT, SECRET, NOW - 300)], [SECRET], "ok"
    yield "301 s old", SNAPSHOT, [header(SNAPSHOT, SECRET, NOW - 301)], [SECRET], "too_old"
    yield "a day old", SNAPSHOT, [header(SNAPSHOT, SECRET, NOW - 86_400)], [SECRET], "too_old"
    yield "300 s in the future", SNAPSHOT, [header(SNAPSHOT, SECRET, NOW + 300)], [SECRET], "ok"
    yield "301 s in the future", SNAPSHOT, [header(SNAPSHOT, SECRET, NOW + 301)], [SECRET], "too_new"
    yield "a day in the future", SNAPSHOT, [header(SNAPSHOT, SECRET, NOW + 86_400)], [SECRET], "too_new"
    yield "wrong secret", SNAPSHOT, [header(SNAPSHOT, OTHER_SECRET)], both, "no_match"
    yield "wrong secret and old", SNAPSHOT, [header(SNAPSHOT, OTHER_SECRET, NOW - 999)], both, "no_match"
    yield "empty key", SNAPSHOT, [header(SNAPSHOT, "")], both, "no_match"
    yield "key without its prefix", SNAPSHOT, [header(SNAPSHOT, SECRET.removeprefix("whsec_"))], [SECRET], "no_match"
    yield "re-serialised body", json.dumps(json.loads(SNAPSHOT)), [ok], [SECRET], "no_match"
    yield "a newline more", SNAPSHOT + "\n", [ok], [SECRET], "no_match"
    yield "the timestamp is not the signed one", SNAPSHOT, [f"t={NOW - 1},{v1_part}"], [SECRET], "no_match"
    yield "upper case", SNAPSHOT, [f"{time_part},v1={v1_part[3:].upper()}"], [SECRET], "no_match"
    yield "half a signature", SNAPSHOT, [ok[:-32]], [SECRET], "no_match"
    yield "only v0", SNAPSHOT, [ok.replace("v1=", "v0=")], [SECRET], "no_signature"
    yield "space after the comma", SNAPSHOT, [ok.replace(",", ", ")], [SECRET], "no_signature"
    yield "no timestamp", SNAPSHOT, [v1_part], [SECRET], "no_timestamp"
    yield "timestamp that is no number", SNAPSHOT, [f"t=soon,{v1_part}"], [SECRET], "no_timestamp"
    yield "two timestamps", SNAPSHOT, [f"{ok},t={NOW - 9999}"], [SECRET], "no_timestamp"
    yield "no header", SNAPSHOT, [], [SECRET], "no_header"
    yield "empty header", SNAPSHOT, [""], [SECRET], "no_timestamp"
    yield "two headers", SNAPSHOT, [ok, ok], [SECRET], "several_headers"


def library(payload, headers, secrets):
    """What the library says to the first header under any of the secrets, by a clock that stands at NOW."""
    import time

    time.time = lambda: NOW
    said = "refused"
    for secret in secrets:
        try:
            WebhookSignature.verify_header(payload.encode(), headers[0] if headers else None, secret, Webhook.DEFAULT_TOLERANCE)
            said = "ok"
        except (stripe.SignatureVerificationError, ValueError):
            pass
    return said


def main():
    made = []
    for name, body, headers, secrets, expected in cases():
        said = library(body, headers, secrets)
        made.append({"name": name, "body": body, "headers": headers, "secrets": secrets, "expected": expected, "library": said})
    page = {"made_by": f"stripe {stripe.VERSION}", "now": NOW, "cases": made}
    here = pathlib.Path(__file__).parent
    (here / "signatures.json").write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n")


main()
