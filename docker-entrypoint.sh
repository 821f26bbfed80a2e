#!/bin/sh
# Commands of the image: api | worker | simulator | db-upgrade, with further options; any other command is run unchanged.
# Configuration: a file mounted at /etc/drydock/drydock.conf, or OS_<GROUP>__<OPTION> variables, or both.
set -eu

command=${1:-api}
[ $# -eq 0 ] || shift

case "$command" in
api)
    # Later files win: the site's own overrides the image's defaults.
    case " $*" in
    *" --config-file"*) ;;
    *)
        site=${DRYDOCK_CONFIG_FILE:-/etc/drydock/drydock.conf}
        # A named file that does not exist is an error.
        if [ -n "${DRYDOCK_CONFIG_FILE:-}" ] || [ -e "$site" ]; then
            set -- --config-file "$site" "$@"
        fi
        ;;
    esac
    exec drydock-api --config-file /usr/local/share/drydock/defaults.conf "$@"
    ;;
worker)
    exec drydock-worker "$@"
    ;;
simulator)
    exec drydock-simulator --host "${DRYDOCK_SIMULATOR_HOST:-0.0.0.0}" --directory /var/lib/drydock/machines "$@"
    ;;
db-upgrade)
    exec drydock-manage db upgrade "$@"
    ;;
healthcheck)
    exec python -m drydock.health_check
    ;;
*)
    exec "$command" "$@"
    ;;
esac
