#!/bin/sh
# Make this checkout ready: a virtual environment with the site's requirements, then the steps named as arguments.
# Each step looks first whether there is anything to do, so that a second time takes a moment.
set -eu
cd "$(dirname "$0")/.."

say() {
    printf '%s\n' "$*"
}

# Two set-ups at once would install into each other.
wait_for_my_turn() {
    mkdir -p var
    exec 9>var/setup.lock
    if command -v flock >/dev/null && ! flock --nonblock 9; then
        say "Waiting for another set-up to end"
        flock 9
    fi
}

# A copy of the list stays in the virtual environment, to be compared with next time.
install_listed_in() {
    if ! cmp -s "$1" ".venv/$1"; then
        say "Installing what $1 lists"
        .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --requirement "$1"
        cp "$1" ".venv/$1"
    fi
}

development() {
    install_listed_in requirements-dev.txt
}

node() {
    .venv/bin/python -m setup.node
}

assets() {
    .venv/bin/python -m setup.assets
}

browser() {
    setup/browser.sh
}

servers() {
    setup/servers.sh
}

# Where nothing is set yet, the site is for development: errors are shown, and sessions outlive a restart.
dotenv() {
    if ! grep -qs '^[^#]' .env; then
        say "Writing .env with DEBUG=true and a SECRET_KEY of its own"
        (
            umask 077
            { ! [ -e .env ] || cat .env; } >.env.new
            .venv/bin/python -c 'import secrets; print(f"DEBUG=true\nSECRET_KEY={secrets.token_urlsafe(50)}")' >>.env.new
            mv .env.new .env
        )
    fi
}

database() {
    .venv/bin/python manage.py migrate --no-input --verbosity 0
}

wait_for_my_turn
setup/venv.sh
install_listed_in requirements.txt
for step in "$@"; do
    "$step"
done
