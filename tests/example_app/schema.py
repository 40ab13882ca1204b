"""The GraphQL door, in the site's schema."""

from collections.abc import AsyncGenerator
from typing import Any

import strawberry

from chat.delivery.entries import StartOver
from chat.delivery.hub import Hub
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.storage.history import check_position
from gqlchat.schema import context, roots
from gqlchat.schema.errors import Problem, errors_in
from gqlchat.schema.requests import FollowRequest
from gqlchat.transport import sharing
from gqlchat.transport.sharing import Shareable
from mysite import graphql
from tests.example_app import actions, lists


@strawberry.input(description="A list, and how far you have heard it.")
class TodoPosition:
    name: str
    after: int | None = None
    after_id: strawberry.ID | None = None


@strawberry.type(description="An entry of a list. Of kind `start_over`: what you missed can't be brought any more.")
class TodoEntry:
    list_name: str
    kind: str
    offset: int
    id: strawberry.ID | None
    text: str | None = None
    by: str | None = None
    target: int | None = None

    @classmethod
    def of(cls, entry: lists.TodoEntry | StartOver) -> "TodoEntry":
        id = strawberry.ID(entry.id) if entry.id else None
        shown = cls(list_name=entry.log.name, kind=str(entry.kind), offset=entry.offset, id=id)
        if not isinstance(entry, StartOver):
            shown.text, shown.by, shown.target = entry.text, entry.by, entry.target
        return shown


@strawberry.type
class TodoPayload:
    entry: TodoEntry | None = None
    error: Problem | None = None


@strawberry.type
class TodoMutation:
    @strawberry.mutation(description="Adds something to a list.")
    @errors_in(TodoPayload)
    async def add_todo(self, info: strawberry.Info, name: str, text: str, client_id: str | None = None) -> TodoPayload:
        person = context.person(info)
        entry = await actions.add(lists.TodoList(name), text, person=person, client_id=client_id)
        return TodoPayload(entry=TodoEntry.of(entry))


@strawberry.type
class TodoSubscription:
    @strawberry.subscription(description="The entries of lists after your positions there, then all that comes.")
    async def todo_entries(self, info: strawberry.Info, todos: list[TodoPosition]) -> AsyncGenerator[TodoEntry, None]:
        given = [{"name": one.name, "after": one.after, "afterId": one.after_id} for one in todos]
        request = to_follow(context.person(info), {"todos": given})
        async with Hub.here().listen(request.logs, request.after, request.person) as listener:
            async for entry in listener:
                yield TodoEntry.of(entry)


def to_follow(person: Person, arguments: dict[str, Any]) -> FollowRequest:
    """The request of a subscriber of `todoEntries`. Raises InvalidPosition, LoginRequired or InsufficientScope."""
    actions.admit(person, Scope.READ)
    todos = arguments["todos"]
    positions = {
        lists.TodoList(one["name"]): check_position(one["after"], one.get("afterId"))
        for one in todos
        if one.get("after") is not None
    }
    return FollowRequest(logs=[lists.TodoList(one["name"]) for one in todos], after=positions, person=person)


sharing.register("todoEntries", Shareable(to_follow, TodoEntry.of))


@strawberry.type
class Mutation(roots.Mutation, TodoMutation):
    pass


@strawberry.type
class Subscription(roots.Subscription, TodoSubscription):
    pass


schema = graphql.build(mutation=Mutation, subscription=Subscription)
