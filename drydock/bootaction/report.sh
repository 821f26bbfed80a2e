
# Reports on a boot action from the machine on which it runs.
program=drydock-report

usage() {
    cat >&2 << END
usage: $program [--action NAME] [--message TEXT [--error]] [--status success|failure]
       $program [--action NAME] --wrap COMMAND [ARGUMENT...]

--wrap runs the command and reports its start, the end of its output and its result.
Boot action: NAME, else DRYDOCK_ACTION_ID and the like from the environment, else the only one on this machine.
END
    exit 2
}

actions=${DRYDOCK_ACTIONS:-/etc/drydock/actions}
attempts=${DRYDOCK_REPORT_ATTEMPTS:-60}
longest_pause=30
tail_bytes=4000
action='' message='' error=false final='' wrap=false

while [ $# -gt 0 ]; do
    case $1 in
        --action | --message | --status) [ $# -ge 2 ] || usage ;;
    esac
    case $1 in
        --action) action=$2 && shift 2 ;;
        --message) message=$2 && shift 2 ;;
        --status) final=$2 && shift 2 ;;
        --error) error=true && shift ;;
        --wrap) wrap=true && shift && break ;;
        *) usage ;;
    esac
done
case $final in
    '' | success) ;;
    failure) error=true ;;
    *) usage ;;
esac
if $wrap; then
    [ $# -gt 0 ] && [ -z "$message$final" ] || usage
else
    [ -n "$message$final" ] || usage
fi

if [ -z "$action" ] && [ -z "${DRYDOCK_ACTION_ID:-}" ]; then
    for file in "$actions"/*.env; do
        [ -z "$action" ] || { log "there are several boot actions: give --action"; exit 2; }
        file=${file##*/}
        action=${file%.env}
    done
fi
if [ -n "$action" ]; then
    [ -r "$actions/$action.env" ] || { log "this machine has no boot action $action that reports"; exit 2; }
    # shellcheck source=/dev/null
    . "$actions/$action.env"
fi
: "${DRYDOCK_ACTION_ID:?}" "${DRYDOCK_REPORT_URL:?}" "${DRYDOCK_BOOTACTION_KEY:?}"

$wrap || needs_http "$DRYDOCK_REPORT_URL"

# document STATUS ERROR < MESSAGE
document() {
    printf '{'
    [ -z "$1" ] || printf '"status": "%s", ' "$1"
    printf '"details": ['
    text=$(json_text)
    [ -z "$text" ] || printf '{"message": "%s", "error": %s}' "$text" "$2"
    printf ']}'
}

# report ATTEMPTS: sends $work/report. All attempts have the same idempotency key, so a duplicate is harmless.
report() {
    repeated=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
    use_headers "X-Bootaction-Key: $DRYDOCK_BOOTACTION_KEY" "Idempotency-Key: $repeated"
    attempt=1 pause=1
    while true; do
        request "${DRYDOCK_REPORT_URL%/}/$DRYDOCK_ACTION_ID" "$work/answer" "$work/report"
        case $status in
            200) return 0 ;;
            3* | 4*)
                log "the report was refused (HTTP status $status)"
                return 1
                ;;
        esac
        if [ "$attempt" -ge "$1" ]; then
            log "not reported: no answer after $attempt attempts (HTTP status $status)"
            return 1
        fi
        sleep "$pause"
        attempt=$((attempt + 1))
        pause=$((pause * 2))
        [ "$pause" -le "$longest_pause" ] || pause=$longest_pause
    done
}

if ! $wrap; then
    printf '%s' "$message" | document "$final" "$error" > "$work/report"
    report "$attempts"
    exit
fi

printf 'running %s' "$1" | document '' false > "$work/report"
# Few attempts: the command must not wait long for its start to be reported.
report 3
mkfifo "$work/pipe" || exit 1
tee "$work/output" < "$work/pipe" &
copier=$!
"$@" > "$work/pipe" 2>&1
code=$?
wait "$copier"
result=success error=false
[ "$code" -eq 0 ] || { result=failure && error=true; }
{
    printf '%s ended with exit status %d\n' "$1" "$code"
    tail -c "$tail_bytes" "$work/output"
} | document "$result" "$error" > "$work/report"
report "$attempts"
exit "$code"
