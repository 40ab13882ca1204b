"""Pages of the chat."""

from django.urls import path

from chat import link_views, routing, views, web_app  # noqa: F401  # routing has the converter

app_name = "chat"
urlpatterns = [
    path("", views.index, name="index"),
    # Without a slash at the end, these aren't rooms.
    path("manifest.webmanifest", web_app.manifest, name="manifest"),
    path("service-worker.js", web_app.service_worker, name="service_worker"),
    path("offline.html", web_app.offline, name="offline"),
    path("share-target", web_app.share_target, name="share_target"),
    path("links/<id>/picture", link_views.link_picture, name="link_picture"),
    path("<any_text:room_name>/", views.room, name="room"),
]
