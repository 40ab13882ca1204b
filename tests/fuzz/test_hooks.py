"""Bodies of incoming webhooks, from Slack's to the absurd."""

from collections.abc import Callable

from hypothesis import strategies as st

from chat import hook_messages
from chat.errors import ChatError
from tests.fuzz.text import json_of, like, texts

parts = st.recursive(
    like({"type": st.sampled_from(["text", "link", "emoji"]), "text": texts, "url": texts, "name": texts}),
    lambda inner: like(
        {
            "type": st.sampled_from(["rich_text_list", "rich_text_preformatted", "rich_text_section"]),
            "elements": st.lists(inner, max_size=3),
        }
    ),
    max_leaves=6,
)
text_objects = like({"type": st.sampled_from(["mrkdwn", "plain_text"]), "text": texts})
blocks = st.lists(
    like(
        {
            "type": st.sampled_from(["section", "header", "context", "rich_text", "image", "markdown"]),
            "text": text_objects | texts,
            "fields": st.lists(text_objects, max_size=2),
            "elements": st.lists(parts | text_objects, max_size=3),
            "alt_text": texts,
        }
    ),
    max_size=3,
)
attachments = st.lists(like({"fallback": texts, "text": texts, "title": texts, "blocks": blocks}), max_size=2)
hooks = like({"text": texts, "username": texts, "blocks": blocks, "attachments": attachments})
types = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "text/plain; charset=latin-1", "/;=;,"]
)
bodies = json_of(hooks) | json_of(hooks).map(lambda text: f"payload={text}") | texts


def test_hook_is_read_or_refused_whatever_it_is(assail: Callable[..., None]) -> None:
    def strike(given: tuple[str, str]) -> None:
        type, body = given
        try:
            message = hook_messages.read(type, body.encode(errors="replace"))
        except ChatError:
            return
        assert isinstance(message.text, str)
        assert isinstance(message.username, str | None)

    assail(strike, 600, st.tuples(types, bodies))
