from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from chat import checks  # noqa: F401  # registers system checks
        from chat.connections import login_watch  # noqa: F401  # registers receivers of what happens to users
        from chat.storage import accounts, avatars, reactions, search_index  # noqa: F401  # register receivers of signals
        from chat.storage.forks import prepare_for_forks

        prepare_for_forks()
