"""The site's settings, with the app."""

from mysite.settings import *  # noqa: F403
from mysite.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.example_app"]
ASGI_APPLICATION = "tests.example_app.asgi.application"
