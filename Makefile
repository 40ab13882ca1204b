# `make run` and `make test` need nothing but Python 3.11 or newer; `make` lists the others.

SHELL := bash
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.venv/node/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# The command that serves the site is written in one place, the Procfile.
web := $(shell sed -n 's/^web: *//p' Procfile)

# $(call setting,NAME,default): the command line and the environment win over .env, as they do in mysite/settings.py.
setting = $(or $($(1)),$(shell sed -n 's/^$(1)=//p' .env 2>/dev/null),$(2))
host = $(call setting,HOST,127.0.0.1)
port = $(call setting,PORT,8000)
workers = $(call setting,WEB_CONCURRENCY,1)

.PHONY: help run dev run3 test test-pages test-postgresql chaos soak fuzz bench check fmt schema messages assets graphiql docs \
	clients container-check up requirements clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set everything up and serve the site; PORT=8001 for another instance beside it
	@setup/ready.sh assets dotenv database
	@echo "Chat is at http://$(host):$(port)/chat/ and GraphQL at http://$(host):$(port)/graphql"
	@HOST=$(host) PORT=$(port) WEB_CONCURRENCY=$(workers) exec $(web)

# Restarts for templates and static files too: the new process is what has browsers reload.
watched := $(foreach folder,chat gqlchat mysite templates static,--reload-dir $(folder)) \
	$(foreach kind,html css js svg,--reload-include '*.$(kind)')

dev: ## serve the site while one works on it: restarts, and pages reload, when a file changes
	@setup/ready.sh development assets dotenv database
	@echo "Chat is at http://$(host):$(port)/chat/ and GraphQL at http://$(host):$(port)/graphql"
	@HOST=$(host) PORT=$(port) WEB_CONCURRENCY=1 DEBUG=true CHAT_BROWSER_RELOAD=true exec $(web) --reload $(watched)

# honcho would let .env win over the environment; the site reads it by itself.
run3: ## the same as three instances, on PORT and the two ports after it
	@setup/ready.sh development assets dotenv database
	@HOST=$(host) WEB_CONCURRENCY=$(workers) exec honcho start --env /dev/null --port $(port) --concurrency web=3 web

# The settings of the tests: neither .env nor the shell has a say in whether they pass.
test test-pages test-postgresql fuzz check: export DJANGO_SETTINGS_MODULE := mysite.test_settings

# Tests in parallel, unless some are asked for: each worker has a database and a Valkey of its own. Many tests wait for
# servers and browsers, so there are more workers than processors.
parallel := --numprocesses 4 --dist worksteal

# Tests that must hold on either database.
on_postgresql := tests/chat tests/gqlchat tests/test_crossing.py tests/test_private_rooms.py tests/test_identity.py \
	tests/test_backup.py

page_tests = $(shell find tests/static -name '*.test.js')

test: ## set everything up, check the code and run all tests; ARGS="tests/chat -k name" for some of them
	@setup/ready.sh development node assets browser servers
	@$(MAKE) --jobs 2 --output-sync check $(if $(ARGS),,test-pages test-postgresql)
	pytest $(or $(ARGS),$(parallel))

test-pages:
	node --test $(page_tests)

test-postgresql:
	python -m tests.postgres pytest -q -m "not sqlite" $(parallel) $(on_postgresql)

chaos: ## three servers under fire for two minutes, and what their clients lost; ARGS="--database postgresql --set-back"
	@setup/ready.sh development
	python -m tests.chaos $(ARGS)

soak: ## three servers in use for three minutes, and what they keep of it; ARGS="--minutes 30 --rate 50" to choose
	@setup/ready.sh development
	python -m tests.soak $(ARGS)

fuzz: ## ten thousand inputs that nobody would send in good faith; ARGS="--examples 200000 --seed 7" for more, and others
	@setup/ready.sh development assets
	pytest tests/fuzz --examples 10000 $(ARGS)

# Warnings are errors: of links and anchors that lead nowhere, and of pages that the navigation doesn't have.
sphinx := python -m sphinx --quiet --fresh-env --fail-on-warning -c docs -d var/docs-cache

check: ## what can be said about the code without running it
	@setup/ready.sh development node assets
	ruff check
	ruff format --check
	lint-imports --no-logo
	mypy
	biome check --error-on-warnings
	tsc
	python manage.py check --fail-level WARNING
	python manage.py makemigrations --check --dry-run
	python -m setup.schema | diff -u gqlchat/schema.graphql -
	$(sphinx) -b dummy . var/docs-check

bench: ## measure what hearing a message costs, here and elsewhere; QUICK=1 for a minute's worth
	@setup/ready.sh
	@cmp -s requirements-bench.txt .venv/requirements-bench.txt || { \
		echo "Installing what requirements-bench.txt lists"; \
		pip install -qq --disable-pip-version-check --no-input --requirement requirements-bench.txt && \
		cp requirements-bench.txt .venv/; }
	@python -m benchmarks $(if $(QUICK),--quick) $(ARGS)

fmt: ## put the code into the usual form
	@setup/ready.sh development node
	ruff check --fix
	ruff format
	biome check --write

schema: ## write the schema's snapshot
	@setup/ready.sh
	python -m setup.schema >gqlchat/schema.graphql.new
	@mv gqlchat/schema.graphql.new gqlchat/schema.graphql

messages: ## bring the catalogues of translations in step with the texts in the code
	@setup/ready.sh development
	python -m setup.messages

clients: ## generate the typed clients of examples/, when the schema or their operations have changed
	@setup/ready.sh development
	@python -m setup.clients

assets: ## install the files of the pages that aren't in the repository
	@setup/ready.sh assets

# CHECK=1 builds it elsewhere: the repository has what comes out.
graphiql: ## build GraphiQL from what setup/graphiql names; CHECK=1 to see whether static/graphiql/bundle is that
	@setup/ready.sh
	@python -m setup.node setup/graphiql
	node setup/graphiql/build.mjs $(if $(CHECK),$(CURDIR)/var/graphiql)
	$(if $(CHECK),diff --recursive --brief --exclude '*.gz' var/graphiql static/graphiql/bundle)

docs: ## build the documentation site into var/docs
	@setup/ready.sh development
	@python -m setup.docs.diagrams
	@$(sphinx) -b html . var/docs
	@echo "Open var/docs/index.html"

up: ## host the site in containers behind TLS; asks what it has to know, the first time. ENGINE=podman for Podman
	@deploy/up.sh $(ARGS)

container-check: ## run the steps of the Containerfile in a new Debian, as root, and the site there; no engine is needed
	@setup/ready.sh development
	@python -m tests.container

requirements: export CUSTOM_COMPILE_COMMAND := make requirements
requirements: ## pin what the *.in files ask for; ARGS=--upgrade for the newest of everything
	@setup/ready.sh development
	pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(ARGS) requirements.in
	pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(ARGS) requirements-tracing.in
	pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(ARGS) requirements-dev.in
	pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(ARGS) requirements-bench.in

clean: ## remove what was installed and cached; .env and var/ (the database) stay
	rm -rf .venv node_modules tests/node/node_modules examples/*/node_modules setup/graphiql/node_modules static/vendor .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
