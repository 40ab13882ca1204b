"""Settings. Every environment variable of the site is read here, those of the database by `mysite.databases`, those of
the place for files by `mysite.files`, those of logins by `mysite.logins`, and nowhere else; `.env.example` lists
them."""

from pathlib import Path

from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key
from pythonjsonlogger.core import RESERVED_ATTRS
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mysite import notifications, valkey, workers
from mysite.databases import database_settings
from mysite.environment import Environment
from mysite.files import files_accel, files_settings
from mysite.logins import login_settings

BASE_DIR = Path(__file__).resolve().parent.parent
THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"]

env = Environment()
env.read_env(BASE_DIR / ".env", encoding="utf-8")  # what is set outside wins over the file

# The site

DEBUG = env.switch("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY:
    if not DEBUG:
        raise SystemExit(
            "SECRET_KEY is not set. Put a long random text into the environment or .env, or set DEBUG=true."
        )
    SECRET_KEY = get_random_secret_key()

ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=THIS_MACHINE)
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
FORWARDED_ALLOW_IPS = env.networks("FORWARDED_ALLOW_IPS", default=["127.0.0.1", "::1"], anybody=True)

CHAT_GUESTS = env.switch("CHAT_GUESTS", default=True)
CHAT_REGISTRATION = env.choice("CHAT_REGISTRATION", default="open", among=["open", "invitation", "closed"])
CHAT_SHOW_ORIGIN = env.switch("CHAT_SHOW_ORIGIN", default=False)
CHAT_GRAPHIQL = env.switch("CHAT_GRAPHIQL", default=DEBUG)
CHAT_INTROSPECTION = env.switch("CHAT_INTROSPECTION", default=DEBUG)
CHAT_LEGACY_GRAPHQL_WS = env.switch("CHAT_LEGACY_GRAPHQL_WS", default=True)
CHAT_MESSAGE_MAX = env.number("CHAT_MESSAGE_MAX", default=4000)  # characters
CHAT_BACKLOG_MAX = env.number("CHAT_BACKLOG_MAX", default=1000)  # events that wait for one listener
CHAT_BACKLOG_BYTES = env.number("CHAT_BACKLOG_BYTES", default=1_000_000)  # of their texts
CHAT_RECOVERY_MAX = env.number("CHAT_RECOVERY_MAX", default=500, least=0)  # messages that one who comes back is sent
CHAT_DRAIN_SECONDS = env.seconds("CHAT_DRAIN_SECONDS", default=0)  # from SIGTERM until sockets are closed
CHAT_LINK_PREVIEWS = env.switch("CHAT_LINK_PREVIEWS", default=True)
# Networks that the site may send requests to, for people's links and push services, though they aren't public.
CHAT_OUTGOING_NETWORKS = env.networks("CHAT_OUTGOING_NETWORKS", default=[])
CHAT_SEARCH_INDEXING = env.switch("CHAT_SEARCH_INDEXING", default=True)  # by this process, of what is said
CHAT_SESSION_CHECK = env.seconds("CHAT_SESSION_CHECK", default=5, least=0.1)  # from one look at the logins to the next

CHAT_WEBHOOKS = env.switch("CHAT_WEBHOOKS", default=True)  # outgoing ones
CHAT_WEBHOOK_TIMEOUT = env.seconds("CHAT_WEBHOOK_TIMEOUT", default=10, least=1)  # until a receiver has answered

# Limits

CHAT_FILE_SIZE = env.number("CHAT_FILE_SIZE", default=25_000_000, most=2_147_483_647)  # bytes of a file; a GraphQL Int
CHAT_FILES_PER_MESSAGE = env.number("CHAT_FILES_PER_MESSAGE", default=10)
CHAT_FILES_PER_DAY = env.number("CHAT_FILES_PER_DAY", default=500_000_000)  # bytes that a person uploads
CHAT_FILES_TOTAL = env.number("CHAT_FILES_TOTAL", default=20_000_000_000)  # bytes of all files that are kept
CHAT_LIMITS = env.switch("CHAT_LIMITS", default=True)  # of rates and connections; what follows them always holds
CHAT_RATE_PERSON = env.rate("CHAT_RATE_PERSON", default="20/10s")  # messages
CHAT_RATE_ADDRESS = env.rate("CHAT_RATE_ADDRESS", default="100/10s")
CHAT_RATE_TOKEN = env.rate("CHAT_RATE_TOKEN", default="50/10s")  # messages by a token, beside its person's own
CHAT_RATE_SEARCH = env.rate("CHAT_RATE_SEARCH", default="20/10s")  # searches of a person
CHAT_RATE_LOGIN = env.rate("CHAT_RATE_LOGIN", default="20/m")  # logins tried and accounts made, for each address
CHAT_RATE_ACCOUNT = env.rate("CHAT_RATE_ACCOUNT", default="10/10m")  # passwords tried, for each account
CHAT_RATE_MAILBOX = env.rate("CHAT_RATE_MAILBOX", default="5/h")  # e-mails to each address that somebody typed
CHAT_RATE_LINKS = env.rate("CHAT_RATE_LINKS", default="20/m")  # pages that the site asks for, for each person's links
CHAT_RATE_LINK_HOST = env.rate("CHAT_RATE_LINK_HOST", default="60/m")  # and from each host
CHAT_WEBHOOKS_MAX = env.number("CHAT_WEBHOOKS_MAX", default=10, least=0)  # of each room, and of each bot of the site
CHAT_CONNECTIONS_PER_ADDRESS = env.number("CHAT_CONNECTIONS_PER_ADDRESS", default=200)  # to one process
CHAT_SUBSCRIPTIONS_PER_CONNECTION = env.number("CHAT_SUBSCRIPTIONS_PER_CONNECTION", default=20)
CHAT_ROOMS_PER_SUBSCRIPTION = env.number("CHAT_ROOMS_PER_SUBSCRIPTION", default=50)
# Bytes of the longest message and what comes with it: JSON may spell a character in twelve.
CHAT_REQUEST_BYTES = 16_000 + 12 * CHAT_MESSAGE_MAX
CHAT_FRAME_MAX = env.number("CHAT_FRAME_MAX", default=CHAT_REQUEST_BYTES)  # bytes
CHAT_BODY_MAX = env.number("CHAT_BODY_MAX", default=CHAT_REQUEST_BYTES)  # bytes
# Bytes that the server reads of a frame. Longer ones close the connection, those in between are answered by an error.
WEBSOCKET_MAX_SIZE = 4 * max(CHAT_FRAME_MAX, CHAT_REQUEST_BYTES)
CHAT_PICTURE_PIXELS = env.number("CHAT_PICTURE_PIXELS", default=50_000_000)
CHAT_PICTURE_MEMORY = env.number("CHAT_PICTURE_MEMORY", default=512_000_000, least=100_000_000)  # bytes of the process
CHAT_PICTURE_SECONDS = env.seconds("CHAT_PICTURE_SECONDS", default=10, least=0.5)  # for one picture
CHAT_QUERY_DEPTH = env.number("CHAT_QUERY_DEPTH", default=12)  # fields within fields
CHAT_QUERY_ALIASES = env.number("CHAT_QUERY_ALIASES", default=30, least=0)
CHAT_QUERY_DIRECTIVES = env.number("CHAT_QUERY_DIRECTIVES", default=8, least=0)
CHAT_QUERY_NODES = env.number("CHAT_QUERY_NODES", default=3000)  # rooms, messages, members, bans
CHAT_QUERY_TOKENS = env.number("CHAT_QUERY_TOKENS", default=500)
CHAT_INIT_TIMEOUT = env.number("CHAT_INIT_TIMEOUT", default=10)  # seconds

# How it is put together

INSTALLED_APPS = [
    "daphne",  # before staticfiles: its runserver serves WebSockets too
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "channels",
    "chat",
    "gqlchat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "mysite.admin_language.admin_in_english",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "chat.token_pages.TokenUser",
    "django.contrib.messages.middleware.MessageMiddleware",
    "chat.user_pages.no_store",
    "chat.connections.login_watch.hint_at_session_end",
    "chat.login_throttle.LoginLimit",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# Browsers reload a page when the server has started anew, as it does under `make dev` when a file changes.
CHAT_BROWSER_RELOAD = env.switch("CHAT_BROWSER_RELOAD", default=False)
if DEBUG and CHAT_BROWSER_RELOAD:
    INSTALLED_APPS.append("django_browser_reload")
    MIDDLEWARE.append("django_browser_reload.middleware.BrowserReloadMiddleware")

ROOT_URLCONF = "mysite.urls"
ASGI_APPLICATION = "mysite.asgi.application"
LOGIN_REDIRECT_URL = "chat:index"
LOGOUT_REDIRECT_URL = "chat:index"
CSRF_FAILURE_VIEW = "chat.account_views.csrf_failure"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chat.domain.people.context",
                "gqlchat.context_processors.graphiql",
            ]
        },
    }
]

FORM_RENDERER = "mysite.forms.FormRenderer"

# Where it keeps things

(BASE_DIR / "var").mkdir(exist_ok=True)

_database = database_settings(env, BASE_DIR / "var")
DATABASES = {"default": _database.database}
CHAT_DATABASE_LANES, CHAT_LANE_OPTIONS = _database.lanes, _database.lane_options
CHAT_PG_BIN = env.str("CHAT_PG_BIN", default="")  # the folder of PostgreSQL's programs, for backups
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URLS = env.redis_urls("REDIS_URL")
CHAT_VALKEY_DIR = BASE_DIR / env.str("CHAT_VALKEY_DIR", default="var/valkey")
# Nobody waits long for Redis: what it doesn't bring comes from the database.
REDIS_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)}  # seconds; tries
if REDIS_URLS:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "mysite.channel_layer.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": url, **REDIS_OPTIONS} for url in REDIS_URLS]},
        }
    }
else:
    REDIS_URLS = [valkey.url(CHAT_VALKEY_DIR)]
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "mysite.valkey.ValkeyChannelLayer",
            "CONFIG": {"directory": CHAT_VALKEY_DIR, "connection": REDIS_OPTIONS},
        }
    }

# Static files are served by the site itself, straight from where they are; collectstatic is for a web server in front.
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_MAX_AGE = 0  # browsers ask whether a file has changed: after a deploy no page mixes old and new modules
SERVESTATIC_MIMETYPES = {".ttf": "font/ttf", ".graphql": "application/graphql"}

# Files that people attach to messages: in a folder that no URL leads to, or in a bucket of S3.
CHAT_FILES_DIR = BASE_DIR / env.str("CHAT_FILES_DIR", default="var/files")
CHAT_FILES_ACCEL = files_accel(env)
_files = files_settings(env, CHAT_FILES_DIR)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "chat_files": _files.storage,
}

# Security

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# A site that names a host other than this machine is on the internet: HTTPS only, unless told otherwise.
CHAT_HTTPS = env.switch("CHAT_HTTPS", default=not DEBUG and not set(ALLOWED_HOSTS) <= {*THIS_MACHINE, "*"})
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CHAT_HTTPS
# A browser remembers HSTS for so long, whatever the site then becomes, and with it all subdomains if they are included:
# only the one who runs the site knows whether that is right for them.
SECURE_HSTS_SECONDS = env.number("CHAT_HSTS_SECONDS", default=86_400, least=0) * CHAT_HTTPS
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.switch("CHAT_HSTS_SUBDOMAINS", default=False) and CHAT_HTTPS
SECURE_HSTS_PRELOAD = env.switch("CHAT_HSTS_PRELOAD", default=False) and CHAT_HTTPS
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # `check --deploy` asks for both
X_FRAME_OPTIONS = "DENY"

# Pages run, show and talk to what comes from this site, and nothing that stands in the page itself.
# Safari before 16 doesn't count the site's own WebSockets to it, and wants them named.
FILES = [SELF, *([_files.origin] if _files.origin else [])]
NAMED_HOSTS = [host for host in ALLOWED_HOSTS if host not in {*THIS_MACHINE, "*"}]
SOCKETS = [f"wss://{'*' if host.startswith('.') else ''}{host}" for host in NAMED_HOSTS if CHAT_HTTPS]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [*FILES, "data:"],
        "media-src": FILES,
        "font-src": [SELF],
        "connect-src": [SELF, *SOCKETS],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Logs and metrics

# For which the audit log is kept; 0 is for ever.
CHAT_AUDIT_DAYS = env.number("CHAT_AUDIT_DAYS", default=365, least=0, most=36_500)

# Where `manage.py chat_status` looks; the server is told by the Procfile.
PORT = env.number("PORT", default=8000, least=0, most=65_535)
env.number("WEB_CONCURRENCY", default=1)  # uvicorn reads it itself, and takes anything for 1 that is less
# Where traces go. `mysite.tracing` and OpenTelemetry read it, and the other OTEL_ variables, from the environment.
OTEL_EXPORTER_OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT", default="", schemes=["http", "https"])
# Addresses and networks (10.0.0.0/8) that may read /metrics.
CHAT_METRICS_ALLOW = env.networks("CHAT_METRICS_ALLOW", default=["127.0.0.1", "::1"])
# Where several processes behind one port count together; prometheus_client looks into the environment for it.
CHAT_METRICS_FOLDER = env.folder("PROMETHEUS_MULTIPROC_DIR") or str(workers.folder(BASE_DIR / "var" / "metrics") or "")
env.ENVIRON.pop("PROMETHEUS_MULTIPROC_DIR", None)  # where it is set at all, even to nothing, files are written
if CHAT_METRICS_FOLDER:
    env.ENVIRON["PROMETHEUS_MULTIPROC_DIR"] = CHAT_METRICS_FOLDER

# Messages that reach people elsewhere: notifications, and digests by e-mail

CHAT_PUSH = env.switch("CHAT_PUSH", default=True)
CHAT_SITE_URL = notifications.site_url(env, NAMED_HOSTS, PORT, https=CHAT_HTTPS)
CHAT_PUSH_CONTACT = notifications.push_contact(env, CHAT_SITE_URL)
CHAT_DIGEST_AFTER = env.seconds("CHAT_DIGEST_AFTER", default=24, least=0, most=87_600)  # hours that a message is unread
vars().update(notifications.mail_settings(env, BASE_DIR / "var" / "mail", CHAT_SITE_URL))

# Logins

_logins = login_settings(env)
AUTHENTICATION_BACKENDS = _logins.backends
CHAT_PASSWORDS: bool = _logins.passwords
CHAT_LOGIN_LINKS: bool = _logins.links
CHAT_OIDC_ISSUER: str = _logins.issuer
CHAT_OIDC_CLIENT_ID: str = _logins.client_id
CHAT_OIDC_CLIENT_SECRET: str = _logins.client_secret
CHAT_OIDC_SCOPES: str = _logins.scopes
CHAT_OIDC_NAME: str = _logins.name
CHAT_OIDC_REGISTER: bool = _logins.register
CHAT_OIDC_LINK_EMAIL: bool = _logins.link_email
CHAT_OIDC_STAFF_GROUP: str = _logins.staff_group

# Time, language, logs

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each by its own name: its readers look for that
# The one for readers of none of these, and of what is stored once for all: docs/adr/0054.
LANGUAGE_CODE = env.choice("CHAT_LANGUAGE", default="en", among=[code for code, _ in LANGUAGES])
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # seconds; the cookie is all that keeps a reader's choice
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = CHAT_HTTPS

CHAT_LOG_FORMAT = env.choice("CHAT_LOG_FORMAT", default="text" if DEBUG else "json", among=["text", "json"])
LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", among=["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "connection": {"()": "chat.log_context.ConnectionFilter"},
        "clients_fault": {"()": "mysite.request_log.ClientsFault"},
        "servers_own": {"()": "mysite.request_log.ServersOwn"},
        "without_tokens": {"()": "mysite.request_log.WithoutTokens"},
    },
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name}{connection_tag}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": ["levelname", "name", "message"],
            "rename_fields": {"levelname": "level", "name": "logger", "exc_info": "traceback"},
            "timestamp": "time",
            # The request that Django adds has its query string; the others say again what the message says.
            "reserved_attrs": [*RESERVED_ATTRS, "connection_tag", "request", "server_time", "color_message"],
        },
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": CHAT_LOG_FORMAT,
            "filters": ["connection", "clients_fault", "without_tokens"],
            "level": LOG_LEVEL,
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # While Redis is away it logs each failed read with a traceback; chat.delivery.layer says so once.
        "channels_redis": {"level": "CRITICAL"},
        # Says what makes the codes of logins worth anything.
        "authlib": {"level": "INFO"},
        # Statements have people's words in them.
        "django.db.backends": {"level": "INFO"},
        # Django and the servers bring handlers of their own. Requests are mysite.request_log's to log.
        "django": {"handlers": [], "propagate": True},
        "django.channels.server": {"handlers": [], "propagate": False},
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.error": {"filters": ["servers_own"]},
        "uvicorn.error.websocket": {"level": "WARNING"},
        "uvicorn.access": {"handlers": [], "propagate": False},
    },
}

env.refuse_unknown("CHAT_")
