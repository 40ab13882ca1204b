#!/bin/sh
# Look for the servers that tests/test_deploy.py and tests/test_caddy.py put around the site, and for what examples/shell
# needs. Install Debian's where that harms nobody: as root, and where no systemd would start them. Never fails: without
# the servers, their tests say so and are skipped.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH:/usr/sbin"

may_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! [ -d /run/systemd/system ]
}

install_servers() {
    wanted=
    command -v nginx >/dev/null || wanted="nginx-light"
    command -v redis-server >/dev/null || command -v valkey-server >/dev/null || wanted="$wanted redis-server"
    for program in openssl curl jq; do
        command -v "$program" >/dev/null || wanted="$wanted $program"
    done
    if [ -n "$wanted" ] && may_install; then
        echo "Installing Debian's $wanted for the tests of deploy/ and examples/"
        # shellcheck disable=SC2086
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
            apt-get -qq install --yes --no-install-recommends $wanted; } >/dev/null 2>&1 ||
            echo "They can't be installed: some tests are skipped"
    fi
}

# unpack PROGRAM PACKAGE: one program out of Debian's package. Prometheus would bring 300 MB, and Caddy would start itself;
# unpacking takes no root and starts nothing.
unpack() {
    if command -v "$1" >/dev/null || ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        return
    fi
    echo "Unpacking $1 from Debian's $2 for the tests of deploy/"
    scratch=$(mktemp -d)
    if (
        cd "$scratch"
        { apt-get -qq download "$2" || { apt-get -qq update && apt-get -qq download "$2"; }; } &&
            dpkg-deb --extract "$2"_*.deb .
    ) >/dev/null 2>&1; then
        cp "$scratch/usr/bin/$1" .venv/bin/
    else
        echo "It can't be downloaded: some tests are skipped"
    fi
    rm -rf "$scratch"
}

install_servers
unpack promtool prometheus
unpack caddy caddy
exit 0
