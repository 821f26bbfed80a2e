#!/bin/sh
# Make .venv: the service in editable form, with the tools. Safe to interrupt and to repeat.
# PYTHON=... chooses the interpreter; otherwise the newest of those that are tested.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/.stamp
unfinished=.venv/.unfinished

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Drydock needs Python 3.11, 3.12 or 3.13${PYTHON:+; $PYTHON is not one}." >&2
    exit 1
}

# Debian and Ubuntu keep what venv needs in a package of its own.
ensure_venv_module() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get install -y -qq "$package" >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq "$package" >/dev/null; }
        return
    fi
    echo "$1 cannot make virtual environments: install $package (sudo apt-get install $package) and try again." >&2
    exit 1
}

rm -f "$stamp"
# An interrupted pip can leave packages that look installed and are not whole: start anew then.
if [ -e "$unfinished" ] || ! .venv/bin/pip --version >/dev/null 2>&1; then
    python=$(find_python)
    ensure_venv_module "$python"
    echo "Setting up .venv with $("$python" --version) (about a minute, once)"
    "$python" -m venv --clear .venv
fi
touch "$unfinished"
install=".venv/bin/python -m pip install -qq --disable-pip-version-check"
$install -r requirements-dev.txt
$install --no-deps --editable .
rm "$unfinished"
touch "$stamp"
