#!/bin/sh
# Ask a running service a few questions, as a pipeline would after a deployment. Changes nothing.
#   DRYDOCK_URL   where it is (http://127.0.0.1:9000)
#   OS_TOKEN      a token of somebody who may read; without it one is got with .run/openrc-reader, if that is the
#                 same service, else the questions that need one are left out
set -u
cd "$(dirname "$0")/.." || exit 1
given=${DRYDOCK_URL:-}
url=${given:-http://127.0.0.1:9000}
url=${url%/}
token=${OS_TOKEN:-}
openrc=.run/openrc-reader
failed=0
body=$(mktemp) || exit 1
trap 'rm -f "$body"' EXIT

ask() { # ask PATH [CURL OPTION...]: prints the status; the answer is in $body
    path=$1
    shift
    curl -sS --max-time 20 -o "$body" -w '%{http_code}' "$@" "$url$path" || true
}

expect() { # expect STATUS WHAT PATH [CURL OPTION...]
    wanted=$1 what=$2
    shift 2
    got=$(ask "$@")
    if [ "$got" = "$wanted" ]; then
        echo "ok      $got $what"
    else
        echo "FAILED  $got instead of $wanted: $what"
        failed=1
    fi
}

contains() { # contains TEXT WHAT: in the last answer
    if grep -q -- "$1" "$body"; then
        echo "ok          $2"
    else
        echo "FAILED      $2: $(head -c 200 "$body")"
        failed=1
    fi
}

if [ -z "$token" ] && [ -r "$openrc" ]; then
    # shellcheck disable=SC1090 # made by make run
    . "$openrc"
    if [ "${DRYDOCK_URL%/}" = "$url" ]; then
        token=$(drydock_token)
        [ -n "$token" ] || { echo "FAILED      no token from $OS_AUTH_URL"; failed=1; }
    fi
fi

echo "Asking $url"
expect 204 "healthy, without a token" /api/v1.0/health
expect 200 "versions" /versions
contains '"v1.0"' "versions name v1.0"
expect 401 "tasks, without a token" /api/v1.0/tasks
contains '"type": *"error"' "an error says that it is one"
contains '"message"' "an error has a message"
expect 401 "tasks, with a token that nobody issued" /api/v1.0/tasks -H "X-Auth-Token: smoke"
expect 401 "a forged identity is nobody" /api/v1.0/tasks -H "X-Identity-Status: Confirmed" -H "X-Roles: admin"
expect 401 "a machine's files, without a key" /api/v1.0/bootdata/smoke/files

if [ -n "$token" ]; then
    # The token goes through a file: no process list shows it.
    header=$(mktemp) || exit 1
    trap 'rm -f "$body" "$header"' EXIT
    printf 'X-Auth-Token: %s\n' "$token" >"$header"
    expect 200 "tasks, with a token" "/api/v1.0/tasks?limit=1" -H "@$header"
    expect 200 "nodes" /api/v1.0/nodes -H "@$header"
    expect 404 "a task that does not exist" /api/v1.0/tasks/00000000-0000-4000-8000-000000000000 -H "@$header"
    contains '"code": *404' "an error says its code"
    expect 404 "a path that does not exist" /api/v1.0/smoke -H "@$header"
    expect 400 "a limit that is none" "/api/v1.0/tasks?limit=many" -H "@$header"
else
    echo "skipped     what needs a token: set OS_TOKEN"
fi
exit "$failed"
