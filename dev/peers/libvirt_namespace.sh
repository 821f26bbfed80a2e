#!/bin/sh
# libvirt_namespace.sh PACKAGES STATE [OPTION...]: libvirtd of the tree PACKAGES, with its state below STATE.
# Runs as the first process of a mount and a PID namespace of its own (libvirt_daemon.py): what is mounted here is seen
# by nothing else, and libvirtd, its helpers and its machines end with this process.
set -eu
packages=$1 state=$2
shift 2

# The packages' files are laid over the system's: libvirt has the paths of its data and helpers compiled in.
upper=$state/upper
mkdir -p "$upper" "$state/dev"
mount -t tmpfs -o mode=755 upper "$upper"
for top in usr etc var; do
    [ -d "$packages/$top" ] || mkdir -p "$upper/none/$top"
    lower=$packages/$top
    [ -d "$lower" ] || lower=$upper/none/$top
    mkdir "$upper/$top" "$upper/$top.work"
    mount -t overlay -o "lowerdir=$lower:/$top,upperdir=$upper/$top,workdir=$upper/$top.work" overlay "/$top"
done
for directory in etc/libvirt var/lib/libvirt var/cache/libvirt var/log/libvirt run; do
    mkdir -p "/$directory" "$state/$directory"
    mount --bind "$state/$directory" "/$directory"
done

# libvirtd reads this name before its configuration gives another one.
grep -q '^libvirt-qemu:' /etc/passwd || echo 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin' >>/etc/passwd
grep -q '^libvirt-qemu:' /etc/group || echo 'libvirt-qemu:x:64055:' >>/etc/group

# A /dev without kvm: one that opens need not run anything, and libvirt would probe it again and again.
devices=$state/dev
mount -t tmpfs -o mode=755,nosuid dev "$devices"
for device in /dev/*; do
    name=${device##*/}
    case $name in
    kvm) ;;
    pts | shm | mqueue | hugepages)
        mkdir "$devices/$name"
        mount --rbind "$device" "$devices/$name"
        ;;
    *) cp -a "$device" "$devices/$name" 2>/dev/null || : ;;
    esac
done
mount --move "$devices" /dev

# Not by LD_LIBRARY_PATH: libvirt starts its helper that saves a machine's memory without it.
find "$packages" -name '*.so*' -path '*-linux-gnu/*' -printf '%h\n' | sort -u >/etc/ld.so.conf.d/00-packages.conf
ldconfig
libvirtd -f "$state/etc/libvirt/libvirtd.conf" "$@" &
# Not exec: the first process of a PID namespace has to reap what libvirtd leaves to it.
wait $!
