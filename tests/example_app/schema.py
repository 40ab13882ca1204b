"""The GraphQL door, in the site's schema."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

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

NAME = f"The list's name: 1 to {lists.NAME_MAX} characters, or else the error `invalid_name`."
TEXT = f"The thing to do: 1 to {actions.TEXT_MAX} characters, or else the error `invalid_entry`."
CLIENT_ID = "An id that you make: sent again by the same one, the entry is added once."

Name = Annotated[str, strawberry.argument(description=NAME)]
Text = Annotated[str, strawberry.argument(description=TEXT)]
ClientId = Annotated[str | None, strawberry.argument(description=CLIENT_ID)]


@strawberry.input(description="A list, and how far you have heard it.")
class TodoPosition:
    name: str = strawberry.field(description=NAME)
    after: int | None = strawberry.field(default=None, description="The offset of the last entry that you have.")
    after_id: strawberry.ID | None = strawberry.field(default=None, description="The `id` of that entry.")


Todos = Annotated[list[TodoPosition], strawberry.argument(description="The lists; without `after`, from now on.")]


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


@strawberry.type(description="A thing that is to be done.")
class TodoThing:
    offset: int
    text: str


@strawberry.type(description="A list as a whole, and the position from which `todoEntries` goes on.")
class TodoContents:
    things: list[TodoThing]
    offset: int
    id: strawberry.ID | None


@strawberry.type
class TodoQuery:
    @strawberry.field(description="What is to be done. Read it at first, and after `start_over`.")
    async def todo_list(self, info: strawberry.Info, name: Name) -> TodoContents:
        contents = await actions.show(lists.find(name), person=context.person(info))
        things = [TodoThing(offset=offset, text=text) for offset, text in contents.things.items()]
        id = contents.position.id
        return TodoContents(things=things, offset=contents.position.offset, id=strawberry.ID(id) if id else None)


@strawberry.type
class TodoPayload:
    entry: TodoEntry | None = None
    error: Problem | None = None


@strawberry.type
class TodoMutation:
    @strawberry.mutation(description="Adds something to a list.")
    @errors_in(TodoPayload)
    async def add_todo(self, info: strawberry.Info, name: Name, text: Text, client_id: ClientId = None) -> TodoPayload:
        person = context.person(info)
        entry = await actions.add(lists.find(name), text, person=person, client_id=client_id)
        return TodoPayload(entry=TodoEntry.of(entry))


@strawberry.type
class TodoSubscription:
    @strawberry.subscription(description="The entries of lists after your positions there, then all that comes.")
    async def todo_entries(self, info: strawberry.Info, todos: Todos) -> AsyncGenerator[TodoEntry, None]:
        given = [{"name": one.name, "after": one.after, "afterId": one.after_id} for one in todos]
        request = to_follow(context.person(info), {"todos": given})
        async with Hub.here().listen(request.logs, request.after, request.person) as listener:
            async for entry in listener:
                yield TodoEntry.of(entry)


def to_follow(person: Person, arguments: dict[str, Any]) -> FollowRequest:
    """The request of a subscriber of `todoEntries`.

    Raises InvalidName, InvalidPosition, LoginRequired or InsufficientScope.
    """
    actions.admit(person, Scope.READ)
    todos = [(lists.find(one["name"]), one.get("after"), one.get("afterId")) for one in arguments["todos"]]
    positions = {todo: check_position(after, id) for todo, after, id in todos if after is not None}
    return FollowRequest(logs=[todo for todo, _, _ in todos], after=positions, person=person)


sharing.register("todoEntries", Shareable(to_follow, TodoEntry.of))


@strawberry.type
class Query(roots.Query, TodoQuery):
    pass


@strawberry.type
class Mutation(roots.Mutation, TodoMutation):
    pass


@strawberry.type
class Subscription(roots.Subscription, TodoSubscription):
    pass


schema = graphql.build(query=Query, mutation=Mutation, subscription=Subscription)
