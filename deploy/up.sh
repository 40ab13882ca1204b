#!/bin/sh
# Host the site in containers, behind TLS: `make up`. The first time it asks what it has to know, and writes .env; later it
# starts what has changed. With ENGINE=podman, Podman does what Docker does.
#
# What follows on the command line goes to `manage.py setup`, as in: deploy/up.sh --no-input --domain chat.example.org
set -eu
cd "$(dirname "$0")/.."
engine=${ENGINE:-docker}
# Scripts have no terminal, which `run` has to be told of where there is one, and `exec` where there is none.
if [ -t 0 ]; then run=--tty exec=; else run= exec=-T; fi

"$engine" build --file Containerfile --tag chat .
if ! grep -qs '^SITE_DOMAIN=.' .env; then
    "$engine" run --rm --interactive $run --user root --network none --volume "$PWD:/srv/host:z" chat \
        python manage.py setup --compose /srv/host/.env "$@"
fi
# Goes on when the database is migrated, the site is ready and Caddy is started.
"$engine" compose up --detach
"$engine" compose exec $exec ${CHAT_SETUP_PASSWORD:+--env "CHAT_SETUP_PASSWORD=$CHAT_SETUP_PASSWORD"} site python manage.py setup --account "$@"
