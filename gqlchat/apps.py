from django.apps import AppConfig


class GraphQLChatConfig(AppConfig):
    name = "gqlchat"

    def ready(self) -> None:
        from gqlchat import checks  # noqa: F401  # registers them
