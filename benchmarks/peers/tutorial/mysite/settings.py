"""The settings at the end of Channels' tutorial and of Strawberry's Channels guide."""

import os

SECRET_KEY = "peer"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "daphne",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "chat",
]
ROOT_URLCONF = "mysite.urls"
ASGI_APPLICATION = "mysite.asgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": os.environ.get("LAYER", "channels_redis.core.RedisChannelLayer"),
        # The layer waits 5 s for Redis, and so does redis-py: with the tutorial's settings idle sockets soon die.
        "CONFIG": {"hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": 30}]},
    }
}
USE_TZ = True
