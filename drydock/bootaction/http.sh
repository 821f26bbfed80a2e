#!/bin/sh
# HTTP client for minimal systems: curl, GNU wget, or a plain connection (BusyBox nc; openssl for https).
# The key is passed in files that only root can read, never as an argument.
set -u
umask 077

# Exit status of a permanent failure.
hopeless=1

work=$(mktemp -d "${TMPDIR:-/run}/drydock.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
carriage_return=$(printf '\r')
# Timeout of a request in seconds: the service holds requests while its database restarts.
patience=${DRYDOCK_HTTP_TIMEOUT:-300}

log() {
    echo "$program: $*" >&2
}

have() {
    command -v "$1" > /dev/null 2>&1
}

# use_headers LINE...: headers of every request. printf is a shell builtin, so no process has them as arguments.
use_headers() {
    : > "$work/curlrc"
    : > "$work/wgetrc"
    : > "$work/headers"
    for line in "$@"; do
        printf 'header = "%s"\n' "$line" >> "$work/curlrc"
        printf 'header = %s\n' "$line" >> "$work/wgetrc"
        printf '%s\r\n' "$line" >> "$work/headers"
    done
}

has_gnu_wget() {
    wget --version 2> /dev/null | grep -q 'GNU Wget'
}

# needs_http URL: ends the program if no client for it is installed, a permanent failure.
needs_http() {
    if have curl || has_gnu_wget; then return; fi
    case $1 in
        https://*) if have openssl; then return; fi ;;
        *) if have nc; then return; fi ;;
    esac
    log 'needs curl, GNU wget, nc (for http) or openssl (for https)'
    exit "$hopeless"
}

# request URL BODY [DATA]: GET, or POST the file DATA as JSON. Writes the answer to BODY, its head to $work/head.
# Sets $status, to 000 if no complete answer arrived. Follows redirects at the same host, which has the key
# already, unless they leave TLS.
request() {
    url=$1 body=$2 data=${3:-} hops=0
    while request_once && is_redirect && [ "$hops" -lt 3 ] && same_host "$url" "$target"; do
        url=$target
        hops=$((hops + 1))
    done
}

request_once() {
    status=000
    : > "$work/head"
    : > "$body"
    if have curl; then
        request_curl
    elif has_gnu_wget; then
        request_wget
    else
        request_bare
    fi
    return 0
}

# is_redirect: whether the answer is a redirect. Sets $target, an absolute URL.
is_redirect() {
    case $status in
        301 | 302 | 303 | 307 | 308) ;;
        *) return 1 ;;
    esac
    target=$(sed -n "s/^ *[Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn]: *\([^ $carriage_return]*\).*/\1/p" "$work/head" | tail -n 1)
    case $target in
        http://* | https://*) ;;
        //*) target=${url%%:*}:$target ;;
        /*)
            path=${url#*://*/}
            target=${url%"/$path"}$target
            ;;
        *) return 1 ;;
    esac
}

host_of() {
    host=${1#*://}
    host=${host%%/*}
    case $host in
        *\]) ;;
        *) host=${host%:*} ;;
    esac
    printf '%s\n' "$host" | tr '[:upper:]' '[:lower:]'
}

same_host() {
    [ "$(host_of "$1")" = "$(host_of "$2")" ] || return 1
    case $1 in
        https://*) case $2 in https://*) ;; *) return 1 ;; esac ;;
    esac
}

request_curl() {
    set -- --disable --config "$work/curlrc" --noproxy '*' --globoff --silent --show-error --connect-timeout 20 \
        --max-time "$patience" --dump-header "$work/head" --output "$body" --write-out '%{http_code}'
    [ -z "$data" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary "@$data"
    status=$(curl "$@" "$url") || status=000
}

request_wget() {
    set -- --config="$work/wgetrc" --no-proxy --tries=1 --timeout="$patience" --max-redirect=0 --content-on-error \
        --server-response --output-file="$work/head" --output-document="$body"
    [ -z "$data" ] || set -- "$@" --header='Content-Type: application/json' --post-file="$data"
    wget "$@" "$url"
    case $? in
        0 | 8) status=$(status_of_head) ;;
    esac
}

# BusyBox's wget takes headers on its command line only, and does not verify certificates.
request_bare() {
    rest=${url#*://}
    authority=${rest%%/*}
    case $authority in
        *\]) host=$authority port= ;;
        *:*) host=${authority%:*} port=${authority##*:} ;;
        *) host=$authority port= ;;
    esac
    host=${host#\[}
    host=${host%\]}
    write_request "/${rest#*/}" > "$work/request"
    # read consumes exactly one line, so that cat gets the body.
    connect < "$work/request" 2> "$work/error" | {
        while IFS= read -r line; do
            line=${line%"$carriage_return"}
            [ -n "$line" ] || break
            printf '%s\n' "$line"
        done > "$work/head"
        cat > "$body"
    }
    length=$(sed -n 's/^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][Nn][Gg][Tt][Hh]: *\([0-9]*\).*/\1/p' "$work/head")
    if [ "${length:-0}" -eq "$(wc -c < "$body")" ]; then
        status=$(status_of_head)
    fi
}

# HTTP/1.0: no chunks; the answer ends with the connection.
write_request() {
    if [ -n "$data" ]; then
        printf 'POST %s HTTP/1.0\r\nContent-Type: application/json\r\n' "$1"
        printf 'Content-Length: %d\r\n' "$(wc -c < "$data")"
    else
        printf 'GET %s HTTP/1.0\r\n' "$1"
    fi
    printf 'Host: %s\r\nConnection: close\r\n' "$authority"
    cat "$work/headers"
    printf '\r\n'
    [ -z "$data" ] || cat "$data"
}

connect() {
    limit=
    if have timeout; then limit="timeout $patience"; fi
    case $url in
        https://*)
            # shellcheck disable=SC2086 # two words, or none
            $limit openssl s_client -quiet -verify_quiet -verify_return_error -verify_hostname "$host" \
                -servername "$host" -connect "$host:${port:-443}"
            ;;
        *)
            # shellcheck disable=SC2086
            $limit nc "$host" "${port:-80}"
            ;;
    esac
}

status_of_head() {
    found=$(sed -n 's/^ *HTTP\/[0-9.]* \([0-9][0-9][0-9]\).*/\1/p' "$work/head" | tail -n 1)
    echo "${found:-000}"
}

# Standard input, escaped for a JSON string.
json_text() {
    if have iconv; then iconv -c -f UTF-8 -t UTF-8; else LC_ALL=C tr -cd '\011\012\040-\176'; fi \
        | LC_ALL=C tr -d '\000-\010\013-\037\177' \
        | LC_ALL=C sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' \
        | LC_ALL=C awk 'NR > 1 { printf "\\n" } { gsub(/\t/, "\\t"); printf "%s", $0 }'
}
