"""Undocumented parts of Strawberry, graphql-core and Channels that this site relies on.

An upgrade that moves any of it fails here first, and the table says which of our files to look at.
"""

import inspect
from datetime import timedelta
from typing import Any

import pytest
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from graphql import ExecutionResult, Executor, GraphQLSchema, execute_subscription_event, parse
from graphql.execution.collect_fields import FieldDetails
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.channels import GraphQLHTTPConsumer, GraphQLWSConsumer
from strawberry.channels.handlers.http_handler import ChannelsRequest, ChannelsRequestAdapter, ChannelsResponse
from strawberry.channels.handlers.ws_handler import ChannelsWebSocketAdapter
from strawberry.dataloader import DataLoader
from strawberry.extensions import AddValidationRules, SchemaExtension, ValidationCache
from strawberry.http import GraphQLRequestData
from strawberry.http.temporal_response import TemporalResponse
from strawberry.schema import Schema as StrawberrySchema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_ws.handlers import BaseGraphQLWSHandler
from strawberry.types.execution import ExecutionContext, PreExecutionError

from gqlchat.schema.executors import OwnExecutor
from mysite.graphql import schema

TRANSPORT, LEGACY = BaseGraphQLTransportWSHandler, BaseGraphQLWSHandler
# Methods that we call or override, with the parameters that we give or take by name or place.
METHODS = [
    # gqlchat/schema/execution.py
    (StrawberrySchema.execute, "query variable_values context_value root_value operation_name allowed_operation_types"),
    (StrawberrySchema.stream, "query variable_values context_value root_value operation_name operation_extensions"),
    (StrawberrySchema.process_errors, "errors execution_context"),
    (PreExecutionError, "data errors"),
    # gqlchat/schema/loaders.py
    (DataLoader, "load_fn max_batch_size cache"),
    # gqlchat/guards/documents.py
    (CannotGetOperationTypeError, "operation_name"),
    (CannotGetOperationTypeError.as_http_error_reason, ""),
    (InvalidOperationTypeError.as_http_error_reason, "method"),
    # gqlchat/guards/extensions.py
    (SchemaExtension.on_parse, ""),
    (ValidationCache.on_validate, ""),
    (AddValidationRules, "validation_rules"),
    # gqlchat/schema/executors.py
    (Executor.collect_subfields, "return_type field_details_list"),
    (Executor.gather_async_work, "values"),
    (Executor.track_async_work, "values"),
    (GraphQLResolveInfoHelpers, "gather track"),
    # gqlchat/transport/sharing.py
    (Executor.build, "schema document root_value context_value raw_variable_values operation_name"),
    (Executor.build_per_event_executor, "payload"),
    (execute_subscription_event, "executor"),
    # gqlchat/transport/consumers.py
    (ChannelsRequest, "consumer body"),
    (ChannelsRequestAdapter, "request"),
    (ChannelsResponse, "content status content_type headers"),
    (TemporalResponse, "status_code headers"),
    (GraphQLRequestData, "query variables operation_name extensions"),
    (GraphQLHTTPConsumer.run, "request"),
    (GraphQLHTTPConsumer.get_sub_response, "request"),
    (GraphQLHTTPConsumer.create_response, "response_data sub_response"),
    (GraphQLHTTPConsumer.should_render_graphql_ide, "request"),
    (GraphQLHTTPConsumer.parse_http_body, "request"),
    (GraphQLHTTPConsumer.render_graphql_ide, "request"),
    (GraphQLWSConsumer, "schema keep_alive keep_alive_interval subscription_protocols connection_init_wait_timeout"),
    (GraphQLWSConsumer.run, "request"),
    (GraphQLWSConsumer.pick_websocket_subprotocol, "request"),
    (GraphQLWSConsumer.get_websocket_headers, "request"),
    # gqlchat/transport/protocols.py and following.py
    (ChannelsWebSocketAdapter.send_json, "message"),
    (ChannelsWebSocketAdapter.close, "code reason"),
    (TRANSPORT.handle, ""),
    (TRANSPORT.handle_message, "message"),
    (TRANSPORT.handle_invalid_message, "error_message"),
    (TRANSPORT.run_operation, "operation"),
    (TRANSPORT.cleanup_operation, "operation_id"),
    (TRANSPORT.send_message, "message"),
    (TRANSPORT.shutdown, ""),
    (TRANSPORT._get_pre_execution_close_reason, "error"),
    (LEGACY.handle, ""),
    (LEGACY.handle_message, "message"),
    (LEGACY.handle_async_results, "operation_id query operation_name variables"),
    (LEGACY.cleanup_operation, "operation_id"),
    (LEGACY.cleanup, ""),
    (LEGACY.send_message, "message"),
    # chat/connections/socket_consumer.py
    (AsyncWebsocketConsumer.__call__, "scope receive send"),
    (get_handler_name, "message"),
]


@pytest.mark.parametrize(("function", "parameters"), METHODS, ids=lambda value: getattr(value, "__qualname__", ""))
def test_undocumented_method_exists_with_the_parameters_we_use(function: Any, parameters: str) -> None:
    found = [name for name in inspect.signature(function).parameters if name not in {"self", "cls"}]
    assert found[: len(parameters.split())] == parameters.split()


def handler(kind: Any, **more: Any) -> Any:
    common = {"view": None, "websocket": None, "context": {}, "root_value": None, "schema": schema}
    return kind(**common, **more)


def test_transport_handler_has_operations_and_connection_acknowledged() -> None:
    found = handler(TRANSPORT, connection_init_wait_timeout=timedelta(seconds=1))
    assert found.operations == {}
    assert (found.connection_acknowledged, found.connection_timed_out) == (False, False)
    operation = Operation(found, "1", "{ __typename }", None, None)
    for name in ["id", "query", "variables", "operation_name", "task", "completed", "handler"]:
        setattr(operation, name, getattr(operation, name))


def test_legacy_handler_has_tasks_and_subscribes_through_its_schema() -> None:
    found = handler(LEGACY, keep_alive=False, keep_alive_interval=None)
    assert (found.tasks, found.subscriptions) == ({}, {})
    assert found.connection_acknowledged is False
    assert found.schema is schema
    assert "self.schema.subscribe" in inspect.getsource(LEGACY.handle_async_results)


def test_websocket_consumer_has_the_attributes_we_replace() -> None:
    consumer = GraphQLWSConsumer(schema)
    assert consumer.message_queue.empty()
    for name in ["listen_queues", "_group_refs", "_group_lock"]:
        assert name in vars(consumer)
    assert isinstance(GraphQLWSConsumer.websocket_subprotocols, property)
    for name in ["graphql_transport_ws_handler_class", "graphql_ws_handler_class", "websocket_adapter_class"]:
        assert hasattr(GraphQLWSConsumer, name)


def test_strawberry_schema_holds_the_schema_of_graphql_core() -> None:
    assert isinstance(schema._schema, GraphQLSchema)
    assert schema.core is schema._schema


def test_field_details_hold_a_node_of_the_document_and_what_else_tells_them_apart() -> None:
    assert FieldDetails._fields == ("node", "defer_usage", "fragment_variable_values")


def test_strawberry_schema_runs_operations_by_the_executor_it_is_given() -> None:
    assert schema.execution_context_class is OwnExecutor
    assert issubclass(StrawberryGraphQLCoreExecutionContext, Executor)


async def test_graphql_core_executes_one_event_of_a_subscription() -> None:
    document = parse('subscription { roomMessages(rooms: [{roomName: "room1"}]) { __typename } }')
    executor = Executor.build(schema._schema, document)
    assert isinstance(executor, Executor)
    result = execute_subscription_event(executor.build_per_event_executor(None))
    assert isinstance(result, ExecutionResult)


def test_execution_context_has_the_fields_our_extensions_read() -> None:
    fields = inspect.signature(ExecutionContext).parameters
    assert {"query", "variables", "context", "graphql_document", "parse_options", "pre_execution_errors"} <= {*fields}
