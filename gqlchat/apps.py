from django.apps import AppConfig


class GraphQLChatConfig(AppConfig):
    name = "gqlchat"
