"""Stripe's own library against our fake Stripe: what it sends is taken, what it gets is read, and what is signed is believed.

    pip install stripe==16.1.0
    cargo run -p testkit --features fake-stripe --bin fake_stripe -- --price pack_small=900 --price pro_month=2900/month
    python official_library.py http://127.0.0.1:8430
"""
import http.server
import sys
import threading
import urllib.request

import stripe

BASE = sys.argv[1]
SECRET = "whsec_testcross"
client = stripe.StripeClient("sk_test_12345", base_addresses={"api": BASE})
api = client.v1
snapshots, notices, wrong = set(), set(), []


class Receiver(http.server.BaseHTTPRequestHandler):
    """Believes webhooks by the library's own means."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        signature = self.headers["Stripe-Signature"]
        try:
            if b"v2.core.event" in body:
                notice = client.parse_event_notification(body, signature, SECRET)
                assert "Unknown" not in type(notice).__name__, notice.type
                notices.add(notice.type)
            else:
                event = stripe.Webhook.construct_event(body, signature, SECRET)
                snapshots.add(event.type)
        except Exception as error:  # whatever it is, it is told at the end
            wrong.append(repr(error))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def fake(act):
    """Something that happens at Stripe; its webhooks have been delivered when this returns."""
    urllib.request.urlopen(urllib.request.Request(f"{BASE}/_fake/{act}", method="POST")).read()


def raises(error, call):
    try:
        call()
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was expected")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for thin in ("false", "true"):
        fake(f"endpoints?url=http://127.0.0.1:{server.server_address[1]}/&secret={SECRET}&thin={thin}")

    def make(email):
        return api.customers.create({"email": email}, {"idempotency_key": f"official:{server.server_address[1]}"})

    customer = make("a@example.com")
    assert make("a@example.com").id == customer.id
    raises(stripe.IdempotencyError, lambda: make("b@example.com"))
    fake(f"card/{customer.id}/good")

    lines = [{"price": "pro_month", "quantity": 1}, {"price": "pack_small", "quantity": 1}]
    new = {"mode": "subscription", "customer": customer.id, "line_items": lines, "success_url": f"{BASE}/_fake/"}
    session = api.checkout.sessions.create(new)
    fake(f"pay/{session.id}?card=good")
    session = api.checkout.sessions.retrieve(session.id, {"expand": ["line_items", "subscription.latest_invoice"]})
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert session.subscription.latest_invoice.status == "paid"
    assert [line.price.id for line in session.line_items.data] == ["pro_month", "pack_small"]
    item = session.subscription["items"].data[0]
    assert item.current_period_start < item.current_period_end

    invoice = api.invoices.retrieve(session.subscription.latest_invoice.id, {"expand": ["payments"]})
    assert invoice.parent.subscription_details.subscription == session.subscription.id
    assert [line.pricing.price_details.price for line in invoice.lines.data] == ["pro_month", "pack_small"]
    intent = invoice.payments.data[0].payment.payment_intent
    found = api.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent}})
    assert found.data[0].invoice == invoice.id

    missing = raises(stripe.InvalidRequestError, lambda: api.subscriptions.retrieve("sub_none"))
    assert missing.code == "resource_missing"
    charge = {"amount": 900, "currency": "eur", "customer": customer.id, "confirm": True, "off_session": True}
    sca = charge | {"payment_method": "pm_card_authenticationRequired"}
    assert raises(stripe.CardError, lambda: api.payment_intents.create(sca)).code == "authentication_required"
    for _ in range(25):
        api.subscriptions.create({"customer": customer.id, "items": [{"price": "pro_month"}]})
    listed = api.subscriptions.list({"limit": 10, "status": "all", "customer": customer.id})
    assert sum(1 for _ in listed.auto_paging_iter()) == 26
    assert api.refunds.create({"payment_intent": intent, "amount": 100}).status == "succeeded"
    fake("advance?days=32")
    assert not wrong, wrong
    assert "invoice.paid" in snapshots and "v1.invoice.paid" in notices
    print(f"{len(snapshots)} kinds of snapshots and {len(notices)} kinds of notices were believed and read")


main()
