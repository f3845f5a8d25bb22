"""The register: what official files there are, by ``sources.toml``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ..config import Strict, load
from ..errors import ConfigError

PACKAGE = Path(__file__).parent.parent


class Edition(Strict):
    """One form in which the files are published, for instance with and without annotations.

    places  what stands before the file names below a directory of official files
    wheels  the same inside an installed package, whose name comes first
    files   sha256 by file name, every file that is loaded
    """

    name: str
    places: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    files: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]]


class Entry(Strict):
    """One schema of a publication: its id here, the file to begin with, the root element it is for (a schema alone).

    imports  listed files by the network address under which a schema imports them, or by the namespace where it
             does not say from where
    """

    id: str
    main: str
    root: str
    imports: dict[str, str] = Field(default_factory=dict)


class Publication(Strict):
    """Files that one publisher issues together."""

    title: str
    publisher: str
    version: str
    released: str = ""
    kind: Literal["xsd", "dtd", "schematron", "xslt", "xml"]
    licence: str
    get: tuple[str, ...]
    entries: tuple[Entry, ...]
    editions: tuple[Edition, ...]

    def files(self, edition: Edition, entry: Entry) -> Mapping[str, str]:
        """sha256 by name of what *entry* loads: everything but the first files of its siblings."""
        others = {other.main for other in self.entries} - {entry.main}
        return {name: digest for name, digest in edition.files.items() if name not in others}


class Sources(Strict):
    publications: tuple[Publication, ...]


def sources_file() -> Path:
    """sources.toml: inside the installed package, or in the checkout beside it."""
    for place in (PACKAGE / "_schemas", PACKAGE.parent / "schemas"):
        if (place / "sources.toml").is_file():
            return place / "sources.toml"
    raise ConfigError(
        "the list of official files is missing", where="sources.toml", fix="install einvoice-engine again"
    )


@cache
def sources() -> Sources:
    """The list, read once. Raises ConfigError with every problem of the file."""
    return load(sources_file(), Sources)


@cache
def entry(id: str) -> tuple[Publication, Entry]:
    """The schema called *id* and the publication it is in; ConfigError names the nearest known id."""
    known = {one.id: (publication, one) for publication in sources().publications for one in publication.entries}
    if id in known:
        return known[id]
    near = difflib.get_close_matches(id, known, 1)
    fix = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
    raise ConfigError(f"there is no official schema {id!r} in the list", fix=fix)


def for_root(tag: str) -> tuple[str, ...]:
    """Ids of the schemas for documents whose root element is *tag* (``{namespace}name``), newest first.

    >>> for_root("{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote")
    ('ubl-2.1-creditnote',)
    """
    return tuple(each.id for one in sources().publications for each in one.entries if each.root == tag)
