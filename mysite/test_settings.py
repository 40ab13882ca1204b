"""The settings under test: the project's defaults, whatever the developer's shell and `.env` say."""

import os
import secrets

# Every run has its own database and its own Valkey, and so has every worker of a run: none hears another's rooms.
RUN = os.environ.setdefault("CHAT_TEST_RUN", str(os.getpid()))
PLACE = f"var/tests/{RUN}{os.environ.get('PYTEST_XDIST_WORKER', '')}"

# Set in the environment, so that the processes which tests start are set up alike. TEST_DATABASE_URL and
# TEST_REDIS_URL name other servers for the tests to run on.
os.environ.update(
    PORT="8000",
    DEBUG="false",
    SECRET_KEY=secrets.token_urlsafe(50),
    ALLOWED_HOSTS="localhost,127.0.0.1,[::1]",
    CSRF_TRUSTED_ORIGINS="",
    FORWARDED_ALLOW_IPS="127.0.0.1,::1",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", ""),
    REDIS_URL=os.environ.get("TEST_REDIS_URL", ""),
    CHAT_VALKEY_DIR=f"{PLACE}/valkey",
    CHAT_DATABASE_CONNECTIONS="8",
    CHAT_PG_BIN="",
    CHAT_BROWSER_RELOAD="false",
    CHAT_GUESTS="true",
    CHAT_REGISTRATION="open",
    CHAT_LANGUAGE="en",
    CHAT_SHOW_ORIGIN="false",
    CHAT_GRAPHIQL="true",
    CHAT_INTROSPECTION="true",
    CHAT_LEGACY_GRAPHQL_WS="true",
    CHAT_MESSAGE_MAX="4000",
    CHAT_BACKLOG_MAX="1000",
    CHAT_BACKLOG_BYTES="1000000",
    CHAT_FILE_SIZE="",
    CHAT_FILES_PER_MESSAGE="",
    CHAT_FILES_PER_DAY="",
    CHAT_FILES_TOTAL="",
    CHAT_FILES_DIR=f"{PLACE}/files",
    CHAT_FILES_ACCEL="",
    CHAT_FILES_S3_BUCKET="",
    CHAT_FILES_S3_ENDPOINT="",
    CHAT_FILES_S3_REGION="",
    CHAT_FILES_S3_KEY="",
    CHAT_FILES_S3_SECRET="",
    CHAT_LIMITS="off",  # tests of limits set them
    CHAT_RATE_PERSON="20/10s",
    CHAT_RATE_ADDRESS="100/10s",
    CHAT_RATE_TOKEN="50/10s",
    CHAT_RATE_SEARCH="20/10s",
    CHAT_RATE_LOGIN="20/m",
    CHAT_RATE_ACCOUNT="10/10m",
    CHAT_RATE_MAILBOX="5/h",
    CHAT_RATE_LINKS="20/m",
    CHAT_RATE_LINK_HOST="60/m",
    CHAT_CONNECTIONS_PER_ADDRESS="200",
    CHAT_SUBSCRIPTIONS_PER_CONNECTION="20",
    CHAT_ROOMS_PER_SUBSCRIPTION="50",
    CHAT_FRAME_MAX="",
    CHAT_BODY_MAX="",
    CHAT_PICTURE_PIXELS="50000000",
    CHAT_PICTURE_MEMORY="512000000",
    CHAT_PICTURE_SECONDS="10",
    CHAT_QUERY_DEPTH="12",
    CHAT_QUERY_ALIASES="30",
    CHAT_QUERY_DIRECTIVES="8",
    CHAT_QUERY_NODES="3000",
    CHAT_QUERY_TOKENS="500",
    CHAT_INIT_TIMEOUT="10",
    CHAT_LINK_PREVIEWS="off",  # tests of previews set it, and have hosts of their own
    CHAT_OUTGOING_NETWORKS="",
    CHAT_SEARCH_INDEXING="off",  # tests of search index themselves; until then messages are found one by one
    CHAT_SESSION_CHECK="5",
    CHAT_PUSH="false",  # tests of notifications set it
    CHAT_WEBHOOKS="false",  # tests of webhooks set it
    CHAT_WEBHOOK_TIMEOUT="10",
    CHAT_WEBHOOKS_MAX="10",
    CHAT_SITE_URL="",
    CHAT_PUSH_CONTACT="",
    CHAT_DIGEST_AFTER="24",
    CHAT_EMAIL_FROM="",
    CHAT_PASSWORDS="true",
    CHAT_LOGIN_LINKS="false",  # tests of logins set it, and what follows
    CHAT_OIDC_ISSUER="",
    CHAT_OIDC_CLIENT_ID="",
    CHAT_OIDC_CLIENT_SECRET="",
    CHAT_OIDC_SCOPES="",
    CHAT_OIDC_NAME="",
    CHAT_OIDC_REGISTER="true",
    CHAT_OIDC_LINK_EMAIL="false",
    CHAT_OIDC_STAFF_GROUP="",
    EMAIL_URL=f"filemail:///{os.getcwd()}/{PLACE}/mail",
    CHAT_DRAIN_SECONDS="0",
    CHAT_HTTPS="false",
    CHAT_HSTS_SECONDS="86400",
    CHAT_HSTS_SUBDOMAINS="false",
    CHAT_HSTS_PRELOAD="false",
    CHAT_AUDIT_DAYS="365",
    OTEL_EXPORTER_OTLP_ENDPOINT="",
    CHAT_METRICS_ALLOW="127.0.0.1,::1",
    PROMETHEUS_MULTIPROC_DIR="",
    CHAT_LOG_FORMAT="text",
    LOG_LEVEL="INFO",
)

from mysite.settings import *  # noqa: E402, F403
from mysite.settings import BASE_DIR, DATABASES, INSTALLED_APPS, SILENCED_SYSTEM_CHECKS  # noqa: E402

(BASE_DIR / PLACE).mkdir(parents=True, exist_ok=True)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file: live servers run in processes of their own, and open it too.
    DATABASES["default"]["TEST"] = {"NAME": str(BASE_DIR / PLACE / "db.sqlite3")}
    # Data of tests need not outlive a loss of power. (Servers that they start have the site's own settings.)
    DATABASES["default"]["OPTIONS"]["init_command"] += "; PRAGMA synchronous=OFF"

INSTALLED_APPS = [*INSTALLED_APPS, "tests", "tests.example_app"]  # for its `flush`, and the app beside the chat
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "chat.W001"]  # limits are off, on purpose
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
