#!/bin/sh
# Create .venv with $PYTHON or the newest Python the site is made for. One that works stays as it is.
set -eu
cd "$(dirname "$0")/.."

# The second condition tells a checkout that was moved or copied: the programs in its .venv call the old place's Python.
if .venv/bin/python -c "" 2>/dev/null && grep -qF "$(pwd -P)/.venv" .venv/bin/activate; then
    exit
fi

# python3 comes last: it may be newer than what the pinned packages have been built for.
for python in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3} none; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        break
    fi
done
if [ "$python" = none ]; then
    echo "Python 3.11 or newer is needed and none was found${PYTHON:+ as $PYTHON}. Name one: make run PYTHON=/path/to/python" >&2
    exit 1
fi

# Debian keeps a part of venv in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python{}.{}-venv".format(*sys.version_info))')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "$python cannot make virtual environments here. On Debian and Ubuntu: sudo apt install $package" >&2
        exit 1
    fi
    echo "Installing Debian's $package"
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$package"; } >/dev/null
fi

echo "Creating .venv with $("$python" --version)"
"$python" -m venv --clear .venv
