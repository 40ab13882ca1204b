"""Bring the catalogues of translations in step with the texts in the code: `make messages`.

It finds the texts as Django's `makemessages` does, but by Babel: GNU gettext needn't be there. New texts come into the
catalogues without a translation, those that are gone leave them, and what is there is compiled for Django.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import django
from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
SOURCES = {
    "django": ("chat/**/*.py", "gqlchat/**/*.py", "mysite/**/*.py", "templates/**/*.html", "templates/**/*.txt"),
    "djangojs": ("static/*.js", "static/chat/**/*.js"),
}
"""The files of each catalogue: texts of Python and templates, and texts of the pages' scripts."""
METHODS = {".py": "python", ".html": "python", ".txt": "python", ".js": "javascript"}
PLURAL, CONTEXT, PLURAL_IN_CONTEXT = (1, 2), ((1, "c"), 2), ((1, "c"), 2, 3)  # the arguments that are texts
FUNCTIONS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), PLURAL),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), CONTEXT),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), PLURAL_IN_CONTEXT),
}


def po_files(domain: str) -> list[Path]:
    """The catalogue of each language."""
    return [folder / "LC_MESSAGES" / f"{domain}.po" for folder in sorted(LOCALE.iterdir())]


def texts(domain: str) -> Catalog:
    """All texts of the code, without translations."""
    found = Catalog()
    for path in _sources(domain):
        for _, text, comments, context in extract(
            METHODS[path.suffix], BytesIO(_source(path)), keywords=FUNCTIONS, comment_tags=["Translators:"]
        ):
            found.add(text, locations=[(str(path.relative_to(ROOT)), 0)], auto_comments=comments, context=context)
    return found


def _sources(domain: str) -> Iterator[Path]:
    for pattern in SOURCES[domain]:
        yield from sorted(ROOT.glob(pattern))


def _source(path: Path) -> bytes:
    """The file's content. A template is turned into calls, which have to begin their lines to be Python."""
    text = path.read_text()
    if "templates" in path.parts:
        text = "\n".join(line.lstrip() for line in templatize(text, origin=str(path)).splitlines())
    return text.encode()


def new(path: Path) -> Catalog:
    comment = "# Texts of the site. `make messages` brings them in step with the code."
    language, now = path.parent.parent.name, datetime.now(UTC)
    return Catalog(language, path.stem, comment, project="chat", version="1", fuzzy=False, revision_date=now)


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, domain=path.stem)


def write(catalog: Catalog, path: Path) -> None:
    """Writes the catalogue, and beside it the one that Django reads."""
    with path.open("wb") as file:
        write_po(file, catalog, width=100, include_lineno=False, ignore_obsolete=True)
    path.with_suffix(".mo").write_bytes(compiled(catalog))


def compiled(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main() -> None:
    for domain in SOURCES:
        found = texts(domain)
        for path in po_files(domain):
            catalog = read(path) if path.exists() else new(path)
            catalog.update(found, no_fuzzy_matching=True, update_creation_date=False)
            write(catalog, path)
            print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {len(untranslated(catalog))} to be translated")


def untranslated(catalog: Catalog) -> list[str]:
    """The texts of a catalogue that have no translation, or not all forms of one, or one that nobody has looked at."""
    return [str(message.id) for message in catalog if message.id and (message.fuzzy or not all(strings(message)))]


def strings(message: Message) -> tuple[str, ...]:
    """The translation; of a text that depends on a number, each of its forms."""
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.test_settings")
    django.setup()  # for the templates' syntax
    main()
