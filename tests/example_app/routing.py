from django.urls import path

from chat.connections.registration import registered
from tests.example_app.consumers import TodoConsumer

websocket_urlpatterns = [path("ws/todo/<path:name>/", registered(TodoConsumer.as_asgi(), door="todo"))]
