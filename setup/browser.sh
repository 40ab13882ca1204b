#!/bin/sh
# Look for the browser that the tests drive, and install Debian's where that is possible. Never fails: without one,
# the browser tests say so themselves and all others run.
set -u

found() {
    for name in "$@"; do
        command -v "$name" >/dev/null && return
    done
    return 1
}

if found chromium chromium-browser google-chrome google-chrome-stable && found chromedriver; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Debian's Chromium for the browser tests"
    if apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install --yes --no-install-recommends chromium chromium-driver fonts-noto-color-emoji; then
        exit 0
    fi >/dev/null 2>&1
fi
echo "No Chromium with chromedriver on the PATH: the browser tests use what Selenium finds"
