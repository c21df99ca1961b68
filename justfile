# What CI runs, and nothing else. `pip install rust-just` brings `just`.

set shell := ["bash", "-euo", "pipefail", "-c"]

# A build must not depend on a database that happens to run.
export SQLX_OFFLINE := "true"

built := env("CARGO_TARGET_DIR", "target") / "debug"
nextest := `cargo nextest --version >/dev/null 2>&1 && echo yes || echo no`
runner := if nextest == "yes" { "nextest run" } else { "test --all-targets" }

[private]
default:
    @just --list --unsorted

# Everything that must hold before a change is taken
ci: fmt lint deps test rules docs

# Formatting, as a check
fmt:
    @echo "=== fmt"
    cargo fmt --all --check

# Clippy without a warning, and what the repository's files may hold
lint:
    @echo "=== lint"
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --quiet --workspace --test tidy

# Who may depend on whom; licences and bans too where cargo-deny is installed
deps:
    @echo "=== deps"
    cargo test --quiet --workspace --test layering
    @if cargo deny --version >/dev/null 2>&1; then cargo deny check bans licenses sources; fi

# All tests beside a throw-away PostgreSQL and Redis; arguments go to the runner
[positional-arguments]
test *args:
    @echo "=== test"
    cargo build --quiet --workspace --bin throwaway
    "{{ built }}/throwaway" run -- "{{ just_executable() }}" with-servers "$@"

# `test` with ten times as many random sequences, and properties with other cases each time and ten times as many: minutes more
[positional-arguments]
test-long *args:
    PROPTEST_RNG_SEED="$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')" PROPTEST_CASES=4000 QUOTA_SEQUENCES=2500 "{{ just_executable() }}" test "$@"

# What `test` runs once the servers stand
[private]
[positional-arguments]
with-servers *args:
    cargo {{ runner }} {{ if args =~ "(^| )-p " { "" } else { "--workspace" } }} "$@"
    {{ if args == "" { "cargo test --quiet --workspace --doc" } else { "" } }}

# Conformance and races of the store, and the HTTP suites, on a PostgreSQL that is there: plain, a Citus coordinator, or behind a pooler with a direct URL beside it (needs cargo-nextest)
test-on url direct_url=url *args:
    @echo "=== test-on"
    cargo build --quiet -p api --bins
    TEST_DATABASE_URL="{{ url }}" TEST_DIRECT_URL="{{ direct_url }}" cargo nextest run -p storage-pg -p api -E '(package(storage-pg) & binary(/^(conformance|races_pg)$/)) | (package(api) & test(/(^|::)pg/))' {{ args }}

# Tests that need no server: not those of the PostgreSQL and Redis crates, nor any with pg, redis or servers in its file's or module's name
test-quick:
    @echo "=== test-quick (no storage-pg, cache-redis, testkit, nor tests named after a server)"
    {{ if nextest == "yes" { "cargo nextest run --workspace -E 'not (package(storage-pg) | package(cache-redis) | package(testkit) | binary(/(pg|redis|server)/) | test(/(^|::)(pg|redis|servers?)(_|::)/))'" } else { "cargo test --quiet --workspace --lib --exclude storage-pg --exclude cache-redis --exclude testkit" } }}

# Each rule of docs/RULES.md with the tests that quote it; fails on a gap
rules:
    @echo "=== rules"
    cargo run --quiet -p tidy --bin rules

# API docs without a warning, links that lead somewhere, claims that a test holds
docs:
    @echo "=== docs"
    RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
    cargo test --quiet --workspace --test claims

# The programs beside Stripes that are not ours: the client alone, then api and worker on SQLite and on PostgreSQL; needs Python and its packages
interop:
    @echo "=== interop"
    cargo build --quiet --workspace --bins
    crates/billing-stripe/interop/localstripe.sh
    "{{ built }}/throwaway" run -- crates/billing-stripe/interop/walk.sh "{{ built }}"

# Measures speed beside its references; writes target/bench/report.json
bench *args:
    cargo build --release -p api -p worker -p quota-bench
    "{{ env("CARGO_TARGET_DIR", "target") }}/release/quota-bench" {{ args }}

# Starts the API; `just api --demo` needs nothing else
api *args:
    cargo run -p api -- {{ args }}

# Starts the worker
worker *args:
    cargo run -p worker -- {{ args }}

# A Stripe on this machine to try things by hand, where no money moves; its page is at /_fake/ (`--webhook URL --secret whsec_… --price pack_small=900`)
fake-stripe *args:
    cargo run --quiet -p testkit --features fake-stripe --bin fake_stripe -- {{ args }}
