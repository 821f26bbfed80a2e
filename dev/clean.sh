#!/bin/sh
# Remove everything that make made: the virtual environments, the development site and its database.
set -eu
cd "$(dirname "$0")/.."
data=.run/postgres/data
if [ -L "$data" ]; then # kept elsewhere, see dev/postgres.py
    rm -rf "$(dirname "$(readlink "$data")")"
fi
rm -rf .run .cache .venv build dist ./*.egg-info
rm -rf .tox .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
find . -name __pycache__ -type d -prune -exec rm -rf {} +
