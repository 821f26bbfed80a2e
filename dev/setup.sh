#!/bin/sh
# Make the virtual environment VENV (.venv): the service in editable form, with the tools. Safe to interrupt and to repeat.
# PYTHON=... chooses the interpreter: an environment of another one is made anew. Without it, the one that is there stays;
# a new one gets the newest interpreter of those that are tested.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
stamp=$venv/.stamp

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
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
        echo "Installing $package, which $1 needs"
        apt-get install -y -qq "$package" >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq "$package" >/dev/null; }
        return
    fi
    echo "$1 cannot make virtual environments: install $package (sudo apt-get install $package) and try again." >&2
    exit 1
}

# The interpreter of the environment, what it was filled from, and the checkout that is installed in it.
state() {
    "$1" -c 'import sys; print(sys.base_prefix, sys.version)'
    cat setup.py requirements.txt requirements-drivers.txt requirements-dev.txt | cksum
    pwd
}

python=${PYTHON:-$venv/bin/python}
if [ -e "$stamp" ] && [ "$(state "$python" 2>/dev/null)" = "$(cat "$stamp")" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi
if [ -z "${PYTHON:-}" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    # As setup began with: python of a virtual environment leads to its own.
    python=$("$venv/bin/python" -c 'import sys; print(sys._base_executable)')
else
    python=$(find_python)
fi
ensure_venv_module "$python"
rm -f "$stamp"
echo "Setting up $venv with $("$python" --version) (about a minute, once)"
"$python" -m dev.virtualenv "$venv"
state "$venv/bin/python" >"$stamp"
