
# What this machine is made of, by the kernel's own files. $DRYDOCK_SYS: where they are, /sys.
sys=${DRYDOCK_SYS:-/sys}
# Seconds for the request that sends it.
facts_patience=30

# text_of FILE: its first line as JSON, null without.
text_of() {
    line=
    if [ -r "$1" ]; then line=$(sed 's/^ *//; s/ *$//; q' "$1" 2> /dev/null | json_text); fi
    if [ -n "$line" ]; then printf '"%s"' "$line"; else printf null; fi
}

# number_of FILE [FACTOR]: null for what is no number, such as the speed -1 of a NIC without a link.
number_of() {
    number=
    if [ -r "$1" ]; then number=$(sed q "$1" 2> /dev/null); fi
    case $number in
        '' | *[!0-9]*) printf null ;;
        *) printf '%s' "$((number * ${2:-1}))" ;;
    esac
}

# device_of DIRECTORY: the directory of its device, empty without one.
device_of() {
    (cd -P "$1/device" 2> /dev/null && pwd -P) || true
}

# address_of DEVICE: its place on a bus: 2:0.0.0 for 2:0:0:0 of SCSI, else that of the last PCI device on the way.
address_of() {
    address=$(printf '%s\n' "$1" | sed -n \
        -e 's|.*/\([0-9]*\):\([0-9]*\):\([0-9]*\):\([0-9]*\)$|\1:\2.\3.\4|p; t' \
        -e 's|$|/|; s|.*/\([0-9a-f]\{4,\}:[0-9a-f]\{2\}:[0-9a-f]\{2\}\.[0-7]\)/.*|\1|p')
    if [ -n "$address" ]; then printf '"%s"' "$address"; else printf null; fi
}

# serial_of DISK DEVICE: of NVMe, of virtio, of SCSI: page 0x80, which has four bytes before it.
serial_of() {
    for file in "$2/serial" "$1/serial"; do
        if [ -r "$file" ]; then
            text_of "$file"
            return
        fi
    done
    if [ -r "$2/vpd_pg80" ]; then
        tail -c +5 "$2/vpd_pg80" 2> /dev/null | tr -d '\000' > "$work/serial"
        text_of "$work/serial"
    else
        printf null
    fi
}

disks() {
    separator=
    for disk in "$sys"/block/*; do
        device=$(device_of "$disk")
        case ${disk##*/} in
            sr* | fd*) continue ;;
        esac
        [ -n "$device" ] || continue
        case $(number_of "$disk/queue/rotational") in
            0) rotational=false ;;
            1) rotational=true ;;
            *) rotational=null ;;
        esac
        printf '%s{"name": "%s", "serial": %s, "size_bytes": %s, "bus_address": %s, "rotational": %s}' "$separator" \
            "$(printf '%s' "${disk##*/}" | json_text)" "$(serial_of "$disk" "$device")" "$(number_of "$disk/size" 512)" \
            "$(address_of "$device")" "$rotational"
        separator=', '
    done
}

nics() {
    separator=
    for nic in "$sys"/class/net/*; do
        device=$(device_of "$nic")
        [ -n "$device" ] || continue
        # The members of a bond show the bond's MAC.
        mac=$nic/address
        if [ -r "$nic/bonding_slave/perm_hwaddr" ]; then mac=$nic/bonding_slave/perm_hwaddr; fi
        [ "$(text_of "$mac")" != null ] || continue
        printf '%s{"mac": %s, "name": "%s", "bus_address": %s, "speed_mbit": %s}' "$separator" "$(text_of "$mac")" \
            "$(printf '%s' "${nic##*/}" | json_text)" "$(address_of "$device")" "$(number_of "$nic/speed")"
        separator=', '
    done
}

hardware_facts() {
    arch=null processors=null
    if have uname; then arch="\"$(uname -m)\""; fi
    if have nproc; then processors=$(nproc); fi
    printf '{"vendor": %s, "product": %s, "serial": %s, "bios_version": %s, "arch": %s, "cpu_count": %s, ' \
        "$(text_of "$sys/class/dmi/id/sys_vendor")" "$(text_of "$sys/class/dmi/id/product_name")" \
        "$(text_of "$sys/class/dmi/id/product_serial")" "$(text_of "$sys/class/dmi/id/bios_version")" \
        "$arch" "$processors"
    printf '"disks": [%s], "nics": [%s]}' "$(disks)" "$(nics)"
}

# Best effort: a machine is deployed without them too.
post_facts() {
    {
        printf '{"generator": "hardware-facts", "format": "application/json", "element": "'
        hardware_facts | json_text
        printf '"}'
    } > "$work/facts"
    # No unit is started before: an answer that does not come must not hold up the boot.
    usual=$patience
    [ "$patience" -le "$facts_patience" ] || patience=$facts_patience
    request "$DRYDOCK_BOOTDATA_URL/builddata" "$work/answer" "$work/facts"
    patience=$usual
    [ "$status" = 201 ] || log "the facts of the hardware were not taken: HTTP status $status"
}
