"""Pages of the chat."""

from django.urls import path

from chat import routing, views  # noqa: F401  # routing has the converter

app_name = "chat"
urlpatterns = [
    path("", views.index, name="index"),
    path("<any_text:room_name>/", views.room, name="room"),
]
