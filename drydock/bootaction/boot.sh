#!/bin/sh
# First boot: fetch this machine's boot actions, put them in place, start them. Safe to run again.
# Needs tar and either curl or GNU wget. The key is only ever in files that root alone can read.
set -u
umask 077

. "${DRYDOCK_BOOT_ENV:-/etc/drydock/boot.env}"

attempts=${DRYDOCK_BOOT_ATTEMPTS:-60}
work=$(mktemp -d "${TMPDIR:-/run}/drydock-boot.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

say() {
    echo "drydock-boot: $*" >&2
}

# printf is part of the shell: the key does not show up in the list of processes.
printf 'header = "X-Bootaction-Key: %s"\n' "$DRYDOCK_BOOTACTION_KEY" > "$work/curlrc"
printf 'header = X-Bootaction-Key: %s\n' "$DRYDOCK_BOOTACTION_KEY" > "$work/wgetrc"

download() {
    if command -v curl > /dev/null 2>&1; then
        curl --config "$work/curlrc" --noproxy '*' --silent --show-error --fail \
            --connect-timeout 20 --max-time 300 --output "$2" "$1"
    else
        wget --config="$work/wgetrc" --no-proxy --no-verbose --tries=1 --timeout=300 --output-document="$2" "$1"
    fi
}

fetch() {
    attempt=1
    pause=1
    until download "$DRYDOCK_BOOTDATA_URL/$1" "$work/$1.tar.gz" && tar -tPzf "$work/$1.tar.gz" > "$work/$1.list"; do
        if [ "$attempt" -ge "$attempts" ]; then
            say "no $1 after $attempt attempts"
            return 1
        fi
        say "attempt $attempt for $1 failed, the next one in ${pause}s"
        sleep "$pause"
        attempt=$((attempt + 1))
        pause=$((pause * 2))
        [ "$pause" -le 60 ] || pause=60
    done
}

# Both first: a machine has all of its boot actions or none.
fetch units && fetch files || exit 1
# Directories that tar has to make are for everybody; the files have modes of their own.
umask 022
for kind in files units; do
    if ! tar --owner=root -xpPzf "$work/$kind.tar.gz"; then
        say "cannot unpack $kind"
        exit 1
    fi
done

status=0
running=false
if [ -d /run/systemd/system ]; then
    running=true
    systemctl daemon-reload
fi
while read -r path; do
    unit=${path##*/}
    if systemctl enable -- "$unit"; then
        # While an installer runs in a chroot there is no systemd to start anything; the first boot will.
        if $running; then
            systemctl start --no-block -- "$unit" || status=1
        fi
    else
        say "cannot enable $unit"
        status=1
    fi
done < "$work/units.list"
exit "$status"
