#!/bin/sh
# Look for the servers that tests/test_deploy.py puts around the site, and install Debian's where that harms nobody: as
# root, and where no systemd would start them. Never fails: without them, these tests say so and are skipped.
set -u
PATH="$PATH:/usr/sbin"

wanted=
command -v nginx >/dev/null || wanted="nginx-light"
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || wanted="$wanted redis-server"
command -v openssl >/dev/null || wanted="$wanted openssl"

if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! [ -d /run/systemd/system ]; then
    echo "Installing Debian's $wanted for the tests of deploy/"
    # shellcheck disable=SC2086
    if apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install --yes --no-install-recommends $wanted; then
        exit 0
    fi >/dev/null 2>&1
    echo "They can't be installed: some tests are skipped"
fi
exit 0
