"""Where the files are, and whether they are the published ones: the sha256 of each is compared before use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError, Finding
from .register import PACKAGE, Edition, Entry, Publication, sources_file
from .register import entry as entry_of


def _directories() -> Iterator[Path]:
    if named := os.environ.get("EINVOICE_SCHEMAS"):
        if not Path(named).is_dir():
            raise ConfigError(f"{named} is not a directory", where="EINVOICE_SCHEMAS",
                              fix="name the directory of the official files, or unset it")  # fmt: skip
        yield Path(named)
    if reference := os.environ.get("EINVOICE_REFERENCE"):
        yield Path(reference)
    elif sources_file().parent.name == "schemas":
        yield PACKAGE.parent.parent / "shared" / "reference"


def _bases(publication: Publication) -> Iterator[str]:
    """Every text that, put before a file name, may be where the files of *publication* are."""
    for directory in _directories():
        for edition in publication.editions:
            yield from (f"{directory}/{place}" for place in edition.places)
    for edition in publication.editions:
        for wheel in edition.wheels:
            package, _, rest = wheel.partition("/")
            spec = find_spec(package)  # of a top-level package: found, not imported
            for location in (spec and spec.submodule_search_locations) or ():
                yield f"{location}/{rest}"


def base_of(publication: Publication, entry: Entry) -> str | None:
    """What stands before the file names where *entry* is found first; None where it is nowhere."""
    return next((base for base in _bases(publication) if Path(base + entry.main).is_file()), None)


def read(publication: Publication, entry: Entry, base: str) -> tuple[Edition, dict[str, bytes]]:
    """The edition found at *base* and its bytes. ConfigError names each file that is not as published."""
    nearest: list[Finding] | None = None
    for edition in publication.editions:
        wanted = publication.files(edition, entry)
        data = {name: _bytes(base + name) for name in wanted if Path(base + name).is_file()}
        faults = [fault for name in wanted for fault in _faults(base + name, data.get(name), wanted[name])]
        if not faults:
            return edition, data
        nearest = faults if nearest is None or len(faults) < len(nearest) else nearest
    raise ConfigError(f"not the published files of {publication.title} {publication.version}", where=base + entry.main,
                      fix=how_to_get(publication), findings=nearest or ())  # fmt: skip


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=path, fix="check its permissions") from error


def digest(data: bytes) -> str:
    """sha256 of *data* in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _faults(path: str, data: bytes | None, expected: str) -> Iterator[Finding]:
    found = "no such file" if data is None else digest(data)
    if found != expected:
        message = "the file is missing" if data is None else f"sha256 is {found}, published is {expected}"
        yield Finding("EINV-SCHEMA-03", message, place=path, found=found, expected=expected,
                      fix="put the published file there, unchanged")  # fmt: skip


def how_to_get(publication: Publication) -> str:
    """What to do where the files of *publication* are missing or wrong."""
    return f"get the files ({' or '.join(publication.get)}) and name their directory in EINVOICE_SCHEMAS"


@cache
def verified(id: str, base: str) -> str:
    """The release in words, once the files at *base* have been compared; ConfigError when they differ."""
    publication, entry = entry_of(id)
    edition, _ = read(publication, entry, base)
    return release(publication, entry, edition)


def release(publication: Publication, entry: Entry, edition: Edition) -> str:
    """What was used, for the record: title, version, edition and one digest over the digests of all files."""
    lines = "".join(f"{one}  {name}\n" for name, one in sorted(publication.files(edition, entry).items()))
    of_all = digest(lines.encode())[:16]
    return f"{publication.title} {publication.version} ({publication.publisher}, {edition.name}, sha256 {of_all})"


def find(id: str) -> Path | None:
    """The first file of schema *id* where it is installed, compared once per process; None where it is nowhere.

    Raises ConfigError for an unknown id, and for files that are not as published, each with found and expected.
    """
    publication, entry = entry_of(id)
    base = base_of(publication, entry)
    if base is None:
        return None
    verified(id, base)
    return Path(base + entry.main)
