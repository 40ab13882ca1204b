#!/bin/sh
# Host the site in containers, behind TLS: `make up`. The first time it asks what it has to know, and writes .env; later it
# starts what has changed. With ENGINE=podman, Podman does what Docker does.
#
# What follows on the command line goes to `manage.py setup`, as in: deploy/up.sh --no-input --domain chat.example.org
set -eu
cd "$(dirname "$0")/.."
engine=${ENGINE:-docker}
ready='import urllib.request; urllib.request.urlopen("http://127.0.0.1:8000/readyz", timeout=9)'
# Scripts have no terminal, which `run` has to be told of where there is one, and `exec` where there is none.
if [ -t 0 ]; then run=--tty exec=; else run= exec=-T; fi

"$engine" build --file Containerfile --tag chat .
if ! grep -qs '^SITE_DOMAIN=.' .env; then
    "$engine" run --rm --interactive $run --user root --network none --volume "$PWD:/srv/host:z" chat \
        python manage.py setup --compose /srv/host/.env "$@"
fi
# The release step, by the new image, while the instances of the last release go on; then they are replaced.
"$engine" compose run --rm -T release </dev/null
"$engine" compose up --detach --no-deps database valkey site caddy
# `up --wait` would do, but podman-compose doesn't have it.
tries=0
until "$engine" compose exec -T site python -c "$ready" </dev/null >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 45 ]; then
        "$engine" compose logs --tail 20 site >&2
        echo "The site doesn't get ready; above is the end of its log." >&2
        exit 1
    fi
    sleep 2
done
# A Caddy that goes on reads its file again only if it's told to.
"$engine" compose exec -T caddy caddy reload --config /etc/caddy/Caddyfile </dev/null
"$engine" compose exec $exec ${CHAT_SETUP_PASSWORD:+--env "CHAT_SETUP_PASSWORD=$CHAT_SETUP_PASSWORD"} site python manage.py setup --account "$@"
