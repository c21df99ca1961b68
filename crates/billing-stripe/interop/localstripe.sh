#!/usr/bin/env bash
# The client against localstripe, which speaks Stripe's API of 2017. Needs Python 3.11 and its packages, so it is no part of CI.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet localstripe==1.15.10
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$folder/venv/bin/python" "$here/localstripe_loopback.py" "$port" >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  if curl --silent --output /dev/null "http://127.0.0.1:$port/"; then break; fi
  sleep 0.1
done
cargo run --quiet -p billing-stripe --example localstripe -- "http://127.0.0.1:$port"
