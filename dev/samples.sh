#!/bin/sh
# Generate etc/drydock/*.sample and the reference of the API; with --check only compare them with what would be generated.
set -eu
cd "$(dirname "$0")/.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

oslo-config-generator --config-file etc/drydock/config-generator.conf --output-file "$made/drydock.conf.sample"
oslopolicy-sample-generator --config-file etc/drydock/policy-generator.conf --output-file "$made/policy.yaml.sample"
python -m dev.statements > "$made/statements.sql"

for file in etc/drydock/drydock.conf.sample etc/drydock/policy.yaml.sample docs/reference/statements.sql; do
    sample="${file##*/}"
    if [ "${1:-}" != --check ]; then
        cp "$made/$sample" "$file"
    elif ! diff -u "$file" "$made/$sample"; then
        echo "$file is out of date: make samples" >&2
        exit 1
    fi
done

python -m dev.api_reference "$@"
