from django.apps import AppConfig


class TodoConfig(AppConfig):
    name = "tests.example_app"
    label = "todo"

    def ready(self) -> None:
        from chat.delivery import source
        from tests.example_app.lists import TodoList
        from tests.example_app.source import TodoSource

        source.register(TodoList, TodoSource)
