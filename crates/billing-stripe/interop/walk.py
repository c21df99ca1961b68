"""Walks through the life of a subscription: localstripe on one side, our programs on the other, over HTTP and webhooks.

    python walk.py FOLDER_OF_PROGRAMS [DATABASE_URL]

Needs `pip install localstripe==1.15.10`. Without an address of a database it is a SQLite file.
"""
import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "whsec_of_the_walk"
GOOD, FAILING = "4242424242424242", "4000000000000341"
WAIT_SECONDS = 60
CATALOG = """
[[feature]]
code = "requests"
name = "Requests"
unit = "request"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "pro"
name = "Pro"
price = 1500
limits = { requests = 100 }
provider_prices = { stripe = ["month"] }

[[plan]]
code = "max"
name = "Max"
price = 15000
limits = { requests = 1000 }
provider_prices = { stripe = ["year"] }
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def asked(url, method="GET", body=None, headers=None):
    """What is answered, with its status."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def until(what, look):
    """Asks until it is so: webhooks come about a second late."""
    ends_at = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < ends_at:
        if look():
            print("  ", what)
            return
        time.sleep(0.2)
    raise SystemExit(f"never came: {what}")


class Stripe:
    def __init__(self, url):
        self.url = url
        plain = base64.b64encode(b"sk_test_12345:").decode()
        self.headers = {"Authorization": f"Basic {plain}"}

    def post(self, path, *pairs):
        form = urllib.parse.urlencode(pairs).encode()
        status, answer = asked(self.url + path, "POST", form, self.headers)
        if status != 200:
            raise SystemExit(f"localstripe: {path}: {answer}")
        return answer

    def get(self, path):
        return asked(self.url + path, headers=self.headers)[1]

    def card(self, customer, number):
        made = self.post(
            "/v1/payment_methods", ("type", "card"), ("card[number]", number), ("card[exp_month]", 12),
            ("card[exp_year]", 2034), ("card[cvc]", 123))
        self.post(f"/v1/payment_methods/{made['id']}/attach", ("customer", customer))
        self.post(f"/v1/customers/{customer}", ("invoice_settings[default_payment_method]", made["id"]))

    def customer(self):
        made = self.post("/v1/customers", ("email", "walker@example.com"))["id"]
        self.card(made, GOOD)
        return made


class Api:
    def __init__(self, url, key):
        self.url = url
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(self, method, path, body=None, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        headers = {**self.headers, "Content-Type": kind}
        return asked(self.url + path, method, None if method == "GET" else data, headers)

    def held(self, user):
        return self.ask("GET", f"/v1/users/{user}/subscription")[1]

    def has(self, user, **wanted):
        held = self.held(user)
        return all(held.get(name) == value for name, value in wanted.items())


def walk(stripe, api):
    product = stripe.post("/v1/products", ("name", "Pro"), ("type", "service"))["id"]
    for plan, amount in (("month", 1500), ("year", 15000)):
        stripe.post(
            "/v1/plans", ("id", plan), ("product", product), ("currency", "usd"), ("amount", amount),
            ("interval", plan))
    customer = stripe.customer()
    api.ask("PUT", "/v1/users/ann")
    status, answer = api.ask("PUT", f"/v1/billing/customers/{customer}", {"account": "user:ann"})
    assert status == 200, answer
    made = stripe.post("/v1/subscriptions", ("customer", customer), ("items[0][plan]", "month"))
    until("paid: active", lambda: api.has("ann", plan="pro", status="active"))
    stripe.card(customer, FAILING)
    item = made["items"]["data"][0]["id"]
    path = f"/v1/subscriptions/{made['id']}"
    stripe.post(path, ("items[0][id]", item), ("items[0][plan]", "year"))
    until("the card fails: past due, with the plan that was paid for", lambda: api.has("ann", plan="pro", status="past_due"))
    stripe.card(customer, GOOD)
    for invoice in stripe.get("/v1/invoices?limit=100")["data"]:
        if invoice["status"] == "open":
            stripe.post(f"/v1/invoices/{invoice['id']}/pay")
    until("recovered: active, with the dearer plan", lambda: api.has("ann", plan="max", status="active"))
    asked(stripe.url + path, "DELETE", headers=stripe.headers)
    until("ended: canceled", lambda: api.has("ann", status="canceled"))


def pages(stripe, api):
    """Sixty customers that no webhook tells of are found by the job."""
    users = [f"u{number}" for number in range(60)]
    for user in users:
        customer = stripe.customer()
        api.ask("PUT", f"/v1/users/{user}")
        api.ask("PUT", f"/v1/billing/customers/{customer}", {"account": f"user:{user}"})
        stripe.post("/v1/subscriptions", ("customer", customer), ("items[0][plan]", "month"))
    status, answer = api.ask("POST", "/v1/jobs/sync_provider/run")
    assert status == 202, answer
    until("sixty subscriptions", lambda: all(api.has(user, plan="pro") for user in users))


def main(stack):
    programs = os.path.abspath(sys.argv[1])
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    database = sys.argv[2] if len(sys.argv) > 2 else f"sqlite://{folder}/quota.db"
    stripe_port, api_port = free_port(), free_port()
    stripe, url = Stripe(f"http://127.0.0.1:{stripe_port}"), f"http://127.0.0.1:{api_port}"
    settings = {
        **os.environ, "DATABASE_URL": database, "STRIPE_API_KEY": "sk_test_12345", "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": stripe.url, "STRIPE_ACCOUNT": "acct_of_the_walk", "STRIPE_EXPAND": "false",
        "QUOTA_LISTEN": f"127.0.0.1:{api_port}", "STRIPE_CALLS_PER_SECOND": "100", "QUOTA_LOG_LEVEL": "warn",
    }
    settings.pop("REDIS_URL", None)
    run = lambda *words: subprocess.run(
        [f"{programs}/api", *words], env=settings, check=True, capture_output=True, text=True).stdout
    run("migrate")
    key = next(word for word in run("keys", "create", "walk", "--scope", "admin").split() if word.startswith("quota_"))
    started = [subprocess.Popen([sys.executable, f"{HERE}/localstripe_loopback.py", str(stripe_port)], stderr=subprocess.DEVNULL)]
    try:
        started.append(subprocess.Popen([f"{programs}/api", "serve"], env=settings))
        if not database.startswith("sqlite"):
            started.append(subprocess.Popen([f"{programs}/worker", "run"], env=settings))
        api = Api(url, key)
        until("both answer", lambda: is_up(stripe.url + "/") and is_up(url + "/healthz"))
        status, answer = api.ask("POST", "/v1/catalog/apply", CATALOG.encode(), "application/toml")
        assert status == 200, answer
        hook = urllib.parse.urlencode([("url", f"{url}/v1/webhooks/stripe"), ("secret", SECRET)]).encode()
        status, answer = asked(f"{stripe.url}/_config/webhooks/walk", "POST", hook, stripe.headers)
        assert status == 200, answer
        walk(stripe, api)
        pages(stripe, api)
    finally:
        for program in reversed(started):
            program.terminate()
            program.wait()


def is_up(url):
    """Whether somebody answers, whatever it says."""
    try:
        asked(url)
    except ValueError:
        return True
    except OSError:
        return False
    return True


if __name__ == "__main__":
    with contextlib.ExitStack() as stack:
        main(stack)
