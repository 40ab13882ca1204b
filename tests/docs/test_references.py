"""The references that the documentation site makes from the code. Whether links lead anywhere, `make check` says."""

from setup.docs import commands_reference, graphql_reference, metrics_reference, settings_reference


def test_settings_reference_has_default_form_and_text_of_each_variable() -> None:
    made = settings_reference.markdown()
    assert "### `CHAT_FRAME_MAX`, `CHAT_BODY_MAX`\n\n- `CHAT_FRAME_MAX=64000`: a whole number, 1 or more\n" in made
    assert "- `LOG_LEVEL=INFO`: `DEBUG` or `INFO` or `WARNING` or `ERROR` or `CRITICAL`\n" in made
    assert "to browsers.\n\nDefault: as `DEBUG`.\n" in made


def test_graphql_reference_has_arguments_defaults_and_examples_of_an_operation() -> None:
    made = graphql_reference.markdown()
    _, _, rooms = made.partition("### myRooms\n")
    rooms, _, _ = rooms.partition("\n### ")
    assert (
        "- `first` [Int](#type-Int)!: How many at most: 1 to 100, or else the error `invalid_page`. Default: `50`.\n"
        in rooms
    )
    assert "Returns [RoomConnection](#type-RoomConnection)!." in rooms
    assert "(protocol.md#ones-own-rooms-in-graphql)" in rooms


def test_graphql_reference_links_an_example_to_the_heading_above_it() -> None:
    page = "## One\n\n```graphql\n{ me { name } }\n```\n\n### It's two\n\n```graphql\n{ me { id } }\n```\n"
    assert graphql_reference.examples_of(page) == {"me": ["One", "It's two"]}
    assert graphql_reference.anchor("It's two") == "its-two"


def test_commands_reference_has_our_commands_and_their_arguments_without_those_of_all() -> None:
    made = commands_reference.markdown()
    _, _, say = made.partition("## say\n")
    assert "usage: manage.py say [--as NAME] room message\n" in say
    assert "## setup\n\nSets the site up" in made
    assert "## migrate" not in made


def test_metrics_reference_has_the_names_that_prometheus_sees() -> None:
    made = metrics_reference.markdown().splitlines()
    assert "- `chat_events_total`, a counter: Events given to listeners here." in made
    assert "- `chat_connections{door}`, a gauge: Open WebSockets and event streams." in made
