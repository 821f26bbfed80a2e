#!/bin/sh
# What the image runs: api | worker | simulator | db-upgrade, with further options; anything else is run as it is.
# Configuration: a file mounted at /etc/drydock/drydock.conf, or OS_<GROUP>__<OPTION> variables, or both.
set -eu

command=${1:-api}
[ $# -eq 0 ] || shift

case "$command" in
api)
    # In a container loopback is nobody. A configuration file says for itself where to listen.
    if [ -z "${DRYDOCK_CONFIG_FILE:-}" ] && [ ! -e /etc/drydock/drydock.conf ]; then
        export OS_API__BIND_HOST="${OS_API__BIND_HOST:-0.0.0.0}"
    fi
    exec drydock-api "$@"
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
    # The API answers 204 as long as it can serve. The others answer nowhere: they are well while they run.
    grep -q drydock-api /proc/1/cmdline || exit 0
    exec python -c 'import sys, urllib.request as u; sys.exit(u.urlopen(sys.argv[1], timeout=4).status != 204)' \
        "${DRYDOCK_HEALTH_URL:-http://127.0.0.1:9000/api/v1.0/health}"
    ;;
*)
    exec "$command" "$@"
    ;;
esac
