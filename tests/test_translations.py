"""The catalogues of translations have all texts of the site, translated whole, and are compiled."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from string import Formatter

import pytest
from babel.messages import Catalog, Message
from django.conf import settings
from django.template.base import Lexer, TokenType

from chat import errors
from setup import messages
from setup.messages import ROOT

CATALOGUES = [path for domain in messages.SOURCES for path in messages.po_files(domain)]
# In English for everybody: the page of a library that is in English.
NOT_TRANSLATED = {"graphiql.html"}
# Names, and words that are the same in all languages.
NAMES = {"Chat", "GraphQL", "Tab", "K", "R"}
SPOKEN_ATTRIBUTES = re.compile(r'\b(?:aria-label|alt|placeholder|title)="([^"]*)"')

each_catalogue = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")


def keys(catalog: Catalog) -> set[object]:
    return {(message.context, message.id) for message in catalog if message.id}


def test_each_language_of_the_site_has_catalogues() -> None:
    others = {code for code, _ in settings.LANGUAGES} - {"en"}
    assert {path.parent.parent.name for path in CATALOGUES} == others


@each_catalogue
def test_catalogue_has_the_texts_of_the_code(path: Path) -> None:
    assert keys(messages.read(path)) == keys(messages.texts(path.stem)), "run: make messages"


@each_catalogue
def test_catalogue_has_no_text_without_a_translation(path: Path) -> None:
    assert messages.untranslated(messages.read(path)) == []


@each_catalogue
def test_compiled_catalogue_is_in_step(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == messages.compiled(messages.read(path)), "run: make messages"


def places(text: str) -> set[str]:
    """The places for values in a text: `{name}` and `%(name)s`."""
    return {name for _, name, _, _ in Formatter().parse(text) if name} | set(re.findall(r"%\(\w+\)s", text))


def tags(text: str) -> list[str]:
    return sorted(re.findall(r"<[^>]+>", text))


def mistakes(message: Message) -> Iterator[str]:
    texts = (message.id,) if isinstance(message.id, str) else message.id
    for text, form in product(texts[-1:], messages.strings(message)[-1:]):
        if places(text) != places(form) or tags(text) != tags(form):
            yield f"{form!r} has not the places and tags of {text!r}"
    for form in messages.strings(message):
        if not places(form) <= places(texts[-1]):
            yield f"{form!r} has places that {texts[-1]!r} has not"
        if "'" in form or '"' in re.sub(r"<[^>]+>", "", form):
            yield f"{form!r} has straight quotation marks"


@each_catalogue
def test_translations_have_the_places_and_tags_of_their_texts(path: Path) -> None:
    assert [mistake for message in messages.read(path) if message.string for mistake in mistakes(message)] == []


def is_error(call: ast.expr) -> bool:
    name = call.id if isinstance(call, ast.Name) else call.attr if isinstance(call, ast.Attribute) else ""
    found = getattr(errors, name, None)
    return isinstance(found, type) and issubclass(found, errors.ChatError)


def bare_texts(path: Path) -> Iterator[str]:
    """The texts of errors that are written without a mark for translation."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and is_error(node.func) and node.args:
            text = node.args[0]
            if isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and isinstance(text.value, str)):
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


def test_texts_of_errors_are_marked_for_translation() -> None:
    paths = [path for area in ("chat", "gqlchat", "mysite") for path in (ROOT / area).rglob("*.py")]
    masked = {"chat/errors.py"}  # the id of an error that is masked
    found = [text for path in paths if str(path.relative_to(ROOT)) not in masked for text in bare_texts(path)]
    assert found == []


def words_in(text: str) -> list[str]:
    """The words between tags and in attributes that are shown or read out, without markup and entities."""
    shown = " ".join([re.sub(r"<[^>]*>", " ", text), *SPOKEN_ATTRIBUTES.findall(text)])
    return [word for word in re.findall(r"[^\W\d_]+", re.sub(r"&\w+;", " ", shown)) if word not in NAMES]


def untranslated_words(path: Path) -> list[str]:
    """The words of a template that stand outside of its tags for translation."""
    bare, passed_over = [], False
    for token in Lexer(path.read_text()).tokenize():
        tag = token.contents if token.token_type is TokenType.BLOCK else ""
        if tag.startswith(("blocktranslate", "comment", "block page_class")):
            passed_over = True
        elif tag.startswith("end"):
            passed_over = False
        elif not passed_over:
            bare.append(token.contents if token.token_type is TokenType.TEXT else "0")  # for whatever will stand there
    return words_in("".join(bare))


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if path.name not in NOT_TRANSLATED and path.parent.name != "admin"  # pages of the admin are in English
    ],
    ids=lambda path: path.name,
)
def test_template_has_no_words_outside_of_its_translations(path: Path) -> None:
    assert untranslated_words(path) == []


@pytest.mark.parametrize("language", sorted({path.parent.parent.name for path in CATALOGUES}))
def test_text_of_pages_and_scripts_has_one_translation(language: str) -> None:
    pages, scripts = (
        {key: message.string for message in messages.read(path) if (key := message.id)}
        for path in CATALOGUES
        if path.parent.parent.name == language
    )
    both = pages.keys() & scripts.keys()
    assert {key: pages[key] for key in both} == {key: scripts[key] for key in both}
