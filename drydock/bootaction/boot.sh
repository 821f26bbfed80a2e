
# First boot: fetch this machine's boot actions, put them in place, start them. Safe to run again.
# Needs tar and an HTTP client (http.sh). The settings, which include the key, are in $DRYDOCK_BOOT_ENV.
# Exit status: 0 done; 3 failed permanently; any other: interrupted, or no answer; run it again.
program=drydock-boot
hopeless=3
settings=${DRYDOCK_BOOT_ENV:-/etc/drydock/boot.env}
# shellcheck source=/dev/null
if [ -f "$settings" ]; then . "$settings"; fi
: "${DRYDOCK_BOOTDATA_URL:?}" "${DRYDOCK_BOOTACTION_KEY:?}"

# Twice a minute for an hour: longer than any restart, or upgrade, of the service.
attempts=${DRYDOCK_BOOT_ATTEMPTS:-120}
longest_pause=30
# A key that is refused this often is not accepted later.
most_refusals=5
# Root of the installed system, while an installer runs.
root=${DRYDOCK_BOOT_ROOT:-}
root=${root%/}
failed=
# Exit status of a failure.
outcome=$hopeless

needs_http "$DRYDOCK_BOOTDATA_URL"
use_headers "X-Bootaction-Key: $DRYDOCK_BOOTACTION_KEY"

fail() {
    log "$*"
    failed="$failed${failed:+; }$*"
}

# run TEXT COMMAND…: a failure is logged with the first relevant line of the command's standard error.
run() {
    text=$1
    shift
    if "$@" 2> "$work/error"; then return 0; fi
    line=$(sed '/^tar: [Rr]emoving leading/d; /^[[:space:]]*$/d; q' "$work/error")
    fail "$text${line:+: $line}"
    return 1
}

# post_event EVENT_TYPE RESULT TEXT: best effort, for the operator's information.
post_event() {
    {
        printf '{"name": "drydock-boot", "origin": "drydock-boot", "event_type": "%s", ' "$1"
        [ -z "$2" ] || printf '"result": "%s", ' "$2"
        printf '"description": "%s"}' "$(printf '%s' "$3" | json_text)"
    } > "$work/event"
    request "$DRYDOCK_BOOTDATA_URL/events" "$work/answer" "$work/event"
    [ "$status" = 200 ]
}

# For the final event, which must not be lost.
post_event_with_retries() {
    for pause in 1 2 4 8 16 0; do
        if post_event "$@"; then return; fi
        case $status in
            4*) return ;;
        esac
        sleep "$pause"
    done
}

digest() {
    if have sha256sum; then
        sha256sum "$1" | cut -c 1-64
    elif have openssl; then
        openssl dgst -sha256 -r "$1" | cut -c 1-64
    fi
}

# is_sound KIND: whether the tarball arrived intact. Sets $why if not.
is_sound() {
    wanted=$(sed -n 's/^ *[Ee][Tt][Aa][Gg]: *\(W\/\)\{0,1\}"\{0,1\}\([0-9a-f]\{64\}\).*/\2/p' "$work/head" | tail -n 1)
    got=$(digest "$work/$1.tar.gz")
    if [ -z "$wanted" ] || [ -z "$got" ]; then
        log "the digest of $1 cannot be checked"
    elif [ "$wanted" != "$got" ]; then
        why='its digest is wrong'
        return 1
    fi
    why='it is not a tarball'
    literal=
    if tar --version 2> /dev/null | grep -q 'GNU tar'; then literal=--quoting-style=literal; fi
    # shellcheck disable=SC2086
    tar $literal -tzf "$work/$1.tar.gz" > "$work/$1.list" 2> "$work/error"
}

# The target of a redirect without its query, which may hold secrets.
redirect_target() {
    target=
    is_redirect || true
    target=${target%%\?*}
    echo "${target:-nowhere}"
}

# fetch KIND: to $work/KIND.tar.gz; the names of its members to $work/KIND.list.
fetch() {
    attempt=1 pause=1 refusals=0
    while true; do
        request "$DRYDOCK_BOOTDATA_URL/$1" "$work/$1.tar.gz"
        case $status in
            200) if is_sound "$1"; then return 0; fi ;;
            000) why='no answer' ;;
            301 | 302 | 303 | 307 | 308)
                fail "no $1: redirected to $(redirect_target), which is not followed; set [bootaction] bootdata_url to that address"
                return 1
                ;;
            *) why="HTTP status $status" ;;
        esac
        case $status in
            401 | 403 | 404) refusals=$((refusals + 1)) ;;
        esac
        if [ "$attempt" -ge "$attempts" ] || [ "$refusals" -ge "$most_refusals" ]; then
            fail "no $1 after $attempt attempts: $why"
            [ "$refusals" -ge "$most_refusals" ] || outcome=1
            return 1
        fi
        log "attempt $attempt for $1 failed ($why), the next one in ${pause}s"
        sleep "$pause"
        attempt=$((attempt + 1))
        pause=$((pause * 2))
        [ "$pause" -le "$longest_pause" ] || pause=$longest_pause
    done
}

# unpack KIND: as root, keeping modes. tar strips the leading slash of names.
unpack() {
    run "cannot unpack $1" tar -xpzf "$work/$1.tar.gz" -C "$root/"
}

enable_unit() {
    if [ -n "$root" ]; then
        run "cannot enable $1" systemctl --root="$root" enable -- "$1"
    elif run "cannot enable $1" systemctl enable -- "$1"; then
        # In an installer's chroot no systemd runs; the first boot starts the units.
        if $running && [ "${DRYDOCK_BOOT_START:-yes}" = yes ] && ! is_triggered "$1"; then
            run "cannot start $1" systemctl start --no-block -- "$1"
        fi
    fi
}

# is_triggered UNIT: whether another unit of the tarball starts it.
is_triggered() {
    case $1 in
        *.service) ;;
        *) return 1 ;;
    esac
    for kind in timer socket path; do
        if sed 's|.*/||' "$work/units.list" | grep -Fqx -e "${1%.service}.$kind"; then return; fi
    done
    return 1
}

enable_units() {
    [ -s "$work/units.list" ] || return 0
    if ! have systemctl; then
        fail 'there is no systemctl: no unit is enabled'
        return
    fi
    running=false
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then
        running=true
        run 'daemon-reload failed' systemctl daemon-reload
    fi
    while read -r path; do
        enable_unit "${path##*/}" < /dev/null
    done < "$work/units.list"
}

# The unit runs this script at each boot until this mark exists. The files must be on the disk before the mark:
# a power cut must not leave the mark without them.
mark_done() {
    mark=${DRYDOCK_BOOT_DONE:+$root$DRYDOCK_BOOT_DONE}
    [ -n "$mark" ] || return 0
    if have sync; then sync; fi
    if mkdir -p "${mark%/*}" && true > "$mark"; then
        if have sync; then sync; fi
    else
        log "cannot write $mark: the next boot does all this again"
    fi
}

post_event start '' 'fetching boot actions'
# Fetch both before unpacking either: a machine gets all of its boot actions or none.
if fetch units && fetch files; then
    # Before any unit is started: the key ends with the deployment, which the last report of a boot action may end.
    post_facts
    # Directories that tar creates are readable for all; files keep their own modes.
    umask 022
    if unpack files && unpack units; then
        enable_units
    fi
fi
if [ -n "$failed" ]; then
    post_event_with_retries finish FAIL "$failed"
    exit "$outcome"
fi
mark_done
done="boot actions in place: $(wc -l < "$work/files.list") files, $(wc -l < "$work/units.list") units"
log "$done"
post_event_with_retries finish SUCCESS "$done"
