"""One execution of a subscription for all who asked for the same.

The fields of an event depend on the event alone, but for a message's `currentUser`. So each event is executed once for
each distinct operation of this process (document, operation name, and the variables that the selection uses), with a
mark in the place of `currentUser`; every follower gets the result with its own id around it and its own name put where
the mark is.

`register` says which subscriptions are executed like that. Any app's can be (docs/extending.md).

An execution that serves many has no current_user: to touch the context in it is an error.
"""

import asyncio
import inspect
import json
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    InlineFragmentNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    execute_subscription_event,
    get_argument_values,
    get_operation_ast,
    get_variable_values,
    validate,
    visit,
)

from chat import log_context
from chat.delivery.recent_renderings import RecentRenderings
from chat.delivery.rendering_budget import RenderingBudget
from chat.domain.people import Person
from chat.domain.presence import LiveKind
from gqlchat.guards import complexity, documents
from gqlchat.schema.execution import Schema
from gqlchat.schema.executors import SharedExecutor
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.presence import RoomPresence, RoomTyping
from gqlchat.schema.requests import FollowRequest, to_follow, to_join, to_look

MARK = f"current_user-{secrets.token_hex(16)}"
MARKED = json.dumps(MARK)


class NoPerson:
    """The context of an execution that serves many."""

    def __getitem__(self, key: str) -> Any:
        raise LookupError(f"A shared subscription has no person, so there is no {key!r} to ask for")


class SharedOperation:
    """An operation of a document, executed once for each event."""

    def __init__(
        self,
        schema: Schema,
        document: DocumentNode,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        root: Callable[[Any], object],
    ) -> None:
        """`root` makes of an event the object from which the fields are resolved."""
        executor = SharedExecutor.build(
            schema.core,
            document,
            context_value=NoPerson(),
            raw_variable_values=variables,
            operation_name=operation_name,
        )
        # The document is valid, and the variables have been looked at.
        assert isinstance(executor, SharedExecutor), executor
        self._executor = executor
        self._schema = schema
        self._root = root
        self._recent: RecentRenderings[list[bytes]] = RecentRenderings()
        self._rendering: list[tuple[Any, asyncio.Task[list[bytes]]]] = []  # what takes time

    def render(self, event: Any) -> list[bytes] | None:
        """The payload as JSON, in pieces between which `currentUser` belongs.

        None where that takes time (`render_later`): a field has to be awaited, or this turn of the loop is full.
        """
        if pieces := self._recent.get(event):
            return pieces
        if self._task_for(event) or not RenderingBudget.here().spend():
            return None
        # No connection's context: the event is rendered for all who follow, and neither for the first nor the poster.
        result = log_context.detached().run(self._execute, event)
        if isinstance(result, list):
            return result
        self._start(event, result)
        return None

    async def render_later(self, event: Any) -> list[bytes]:
        """The same, however long it takes: once for all who wait for it, whichever of them go."""
        if pieces := self._recent.get(event):
            return pieces
        return await asyncio.shield(self._task_for(event) or self._start(event, self._execute_later(event)))

    def _task_for(self, event: Any) -> asyncio.Task[list[bytes]] | None:
        return next((task for rendered, task in self._rendering if rendered is event), None)

    def _start(self, event: Any, rendering: Coroutine[Any, Any, list[bytes]]) -> asyncio.Task[list[bytes]]:
        task = asyncio.create_task(rendering, context=log_context.detached())
        entry = (event, task)
        self._rendering.append(entry)
        task.add_done_callback(lambda _: self._rendering.remove(entry))
        return task

    async def _execute_later(self, event: Any) -> list[bytes]:
        await RenderingBudget.here().wait()
        result = self._execute(event)
        return result if isinstance(result, list) else await result

    def _execute(self, event: Any) -> list[bytes] | Coroutine[Any, Any, list[bytes]]:
        """A coroutine if a field has to be awaited."""
        result: Any = execute_subscription_event(self._executor.build_per_event_executor(self._root(event)))
        return self._keep_later(event, result) if inspect.isawaitable(result) else self._keep(event, result)

    async def _keep_later(self, event: Any, result: Awaitable[ExecutionResult]) -> list[bytes]:
        return self._keep(event, await result)

    def _keep(self, event: Any, result: ExecutionResult) -> list[bytes]:
        payload: dict[str, Any] = {"data": result.data}
        if result.errors:
            self._schema.process_errors(result.errors)
            payload["errors"] = [error.formatted for error in result.errors]
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        pieces = [piece.encode() for piece in text.split(MARKED)]
        self._recent.keep(event, pieces)
        return pieces


@dataclass(frozen=True, slots=True)
class Shareable:
    """A subscription whose events have the same fields for everybody who asks for the same.

    `request` reads a subscriber's arguments, by their names in GraphQL; it may raise ChatError. `root` makes of an
    event the object from which the fields are resolved. A field that asks its context for a person is an error.
    """

    request: Callable[[Person, dict[str, Any]], FollowRequest]
    root: Callable[[Any], object]


_shareable: dict[str, Shareable] = {}


def register(field: str, shareable: Shareable) -> None:
    """Has subscribers of that field of `Subscription` share executions. To be called as a schema is put together."""
    _shareable[field] = shareable


@dataclass(frozen=True, slots=True)
class Shared:
    """One subscriber's request, and the operation that it shares with others."""

    operation: SharedOperation
    request: FollowRequest


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of a subscription that depends on its document alone, from which each subscriber's request is read."""

    document: DocumentNode
    shareable: Shareable
    variable_definitions: tuple[VariableDefinitionNode, ...]
    field: FieldNode
    definition: GraphQLField
    selection_variables: frozenset[str]


def share(
    schema: Schema, query: str, variables: dict[str, Any] | None, operation_name: str | None, person: Person
) -> Shared | None:
    """The shared operation for a subscriber; None for whatever has to be executed on its own, or is wrong.

    Raises ChatError for a request that can't be met.
    """
    operation_name = operation_name or None  # an empty name is none
    plan = _plan(schema, query, operation_name) if len(query) <= documents.CACHED_LENGTH else None
    if plan is None:
        return None
    values = get_variable_values(schema.core, plan.variable_definitions, variables or {})
    if isinstance(values, list):
        return None
    request = plan.shareable.request(person, get_argument_values(plan.definition, plan.field, values))
    selected = {name: value for name, value in (variables or {}).items() if name in plan.selection_variables}
    key = (query, operation_name, json.dumps(selected, sort_keys=True) if selected else "{}", schema)
    operation = _operations.get(key)
    if operation is None:
        operation = _operations[key] = SharedOperation(
            schema, plan.document, variables, operation_name, plan.shareable.root
        )
    return Shared(operation, request)


_operations: WeakValueDictionary[tuple[str, str | None, str, Schema], SharedOperation] = WeakValueDictionary()


@lru_cache(maxsize=256)
def _plan(schema: Schema, query: str, operation_name: str | None) -> Plan | None:
    """None for a document that is not valid, and for an operation that is not one that is shared."""
    try:
        document = documents.read(query)
    except GraphQLError:
        return None
    operation = get_operation_ast(document, operation_name)
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        return None
    if complexity.problem_with(document, None) or validate(schema.core, document):
        return None
    match list(_selected(operation.selection_set, document)):
        case [FieldNode(name=name, directives=directives) as field] if name.value in _shareable and not directives:
            return Plan(
                document=document,
                shareable=_shareable[name.value],
                variable_definitions=tuple(operation.variable_definitions or ()),
                field=field,
                definition=schema.core.subscription_type.fields[name.value],  # type: ignore[union-attr]
                selection_variables=frozenset(_variables_of(field, document)),
            )
    return None


def _selected(selections: SelectionSetNode, document: DocumentNode) -> Iterator[SelectionNode]:
    """The selections at the root, in fragments too; of fragments with a directive, the fragment itself."""
    for one in selections.selections:
        match one:
            case InlineFragmentNode(selection_set=inner) if not one.directives:
                yield from _selected(inner, document)
            case FragmentSpreadNode(name=name) if not one.directives:
                for fragment in _fragments(document):
                    if fragment.name.value == name.value:
                        yield from _selected(fragment.selection_set, document)
            case _:
                yield one


def _fragments(document: DocumentNode) -> list[FragmentDefinitionNode]:
    return [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]


def _variables_of(field: FieldNode, document: DocumentNode) -> set[str]:
    """The variables that what is selected of a field depends on; of the fragments, all."""
    names: set[str] = set()

    class Names(Visitor):
        def enter_variable(self, node: VariableNode, *_: Any) -> None:
            names.add(node.name.value)

    for node in [field.selection_set, *_fragments(document)]:
        if node:
            visit(node, Names())
    return names


def _join(person: Person, arguments: dict[str, Any]) -> FollowRequest:
    rooms = [room["roomName"] for room in arguments["rooms"]]
    positions = _positions(arguments.get("positions") or [])
    return to_join(person, rooms, arguments["user"], positions, arguments.get("kinds"))


def _follow(person: Person, arguments: dict[str, Any]) -> FollowRequest:
    return to_follow(person, _positions(arguments["rooms"]), arguments.get("kinds"))


def _positions(given: list[dict[str, Any]]) -> list[tuple[str, int | None, str | None]]:
    return [(one["roomName"], one.get("after"), one.get("afterId")) for one in given]


def _look(kind: LiveKind) -> Callable[[Person, dict[str, Any]], FollowRequest]:
    return lambda person, arguments: to_look(person, arguments["roomName"], kind)


register("joinChatRooms", Shareable(_join, lambda event: ChatRoomMessage.of(event, MARK)))
register("roomMessages", Shareable(_follow, lambda event: ChatRoomMessage.of(event, MARK)))
register("roomPresence", Shareable(_look(LiveKind.PRESENCE), RoomPresence.of))
register("roomTyping", Shareable(_look(LiveKind.TYPING), RoomTyping.of))
