#!/bin/sh
# The chassis of one BMC of ipmi_sim: chassis_control.sh DIRECTORY get NAME... | set NAME VALUE...; a file for each NAME.
directory=$1 verb=$2
shift 2
while [ $# -gt 0 ]; do
    case $verb in
    get)
        value=0
        [ "$1" != boot ] || value=default
        [ ! -e "$directory/$1" ] || read -r value <"$directory/$1"
        echo "$1:$value"
        shift
        ;;
    set)
        # With a file "stuck", changes of power are accepted and not made.
        [ "$1" = power ] && [ -e "$directory/stuck" ] || echo "$2" >"$directory/$1"
        # Soft-off: the operating system ends at once.
        [ "$1" != shutdown ] || echo 0 >"$directory/power"
        shift 2
        ;;
    *) exit 1 ;;
    esac
done
