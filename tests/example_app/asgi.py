"""The site with to-do lists: its doors, and those of the app."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.example_app.settings")

from mysite.asgi import routed, served  # loads the apps, which the imports below need
from tests.example_app.routing import websocket_urlpatterns
from tests.example_app.schema import schema

application = served(routed(schema, websocket_urlpatterns))
