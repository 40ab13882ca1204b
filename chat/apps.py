from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from chat import checks  # noqa: F401  # registers system checks
        from chat.connections import login_watch  # noqa: F401  # registers receivers of what happens to users
        from chat.delivery import source
        from chat.delivery.rooms.source import RoomSource
        from chat.domain.rooms import Room
        from chat.storage import accounts, avatars, reactions, search_index  # noqa: F401  # register receivers of signals
        from chat.storage.forks import prepare_for_forks

        source.register(Room, RoomSource)
        prepare_for_forks()
