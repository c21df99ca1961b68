#!/usr/bin/env bash
# The programs beside localstripe, on SQLite and on the PostgreSQL of TEST_DATABASE_URL. Needs Python 3.11 and its packages, so it is no
# part of CI.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
programs=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet localstripe==1.15.10
echo "=== SQLite"
"$folder/venv/bin/python" "$here/walk.py" "$programs"
echo "=== PostgreSQL"
psql --quiet "$TEST_DATABASE_URL" -c 'create database interop'
"$folder/venv/bin/python" "$here/walk.py" "$programs" "${TEST_DATABASE_URL%/*}/interop"
