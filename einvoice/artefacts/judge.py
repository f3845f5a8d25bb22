"""What an official schema says of a document. Schemas are compiled once per process, from the compared bytes."""

from __future__ import annotations

import io
import posixpath
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Literal

from lxml import etree

from ..errors import ConfigError, Finding
from .files import base_of, how_to_get, read, release
from .register import entry as entry_of
from .words import findings_of

Status = Literal["valid", "invalid", "not run"]
#: Above this size libxml2 may refuse a document for its size alone, which says nothing about its validity.
_LARGE = 9 * 1024 * 1024
#: How one schema file names another.
_IMPORTS = tuple(f"{{http://www.w3.org/2001/XMLSchema}}{word}" for word in ("import", "include", "redefine"))


def compile_xsd(
    main: str, files: Mapping[str, bytes], imports: Mapping[str, str] = MappingProxyType({})
) -> etree.XMLSchema:
    """The schema that begins with *main*; whatever it imports must be in *files*, by name relative to one base.

    *imports* names the file of what a schema imports by network address, or by its namespace alone.

    libxml2 reads a private copy of these bytes. A resolver would need no copy, but libxml2's loader is one for all
    threads: a document parsed in another thread takes it away while the schema is being read (lxml 6.1, measured).
    """
    try:
        with TemporaryDirectory(prefix="einvoice-schema-") as folder:
            for name, data in _imported(main, files, imports).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            return etree.XMLSchema(file=str(Path(folder, main)))
    except etree.LxmlError as error:
        raise ConfigError(f"the schema does not compile: {error}", where=main, fix="report it") from error
    except OSError as error:
        raise ConfigError(f"no private copy of the schema could be made: {error.strerror}", where=main,
                          fix="make room in the directory for temporary files (TMPDIR)") from error  # fmt: skip


def _imported(main: str, files: Mapping[str, bytes], imports: Mapping[str, str]) -> dict[str, bytes]:
    """The bytes of *main* and of all that it imports, by name. ConfigError names what is not in *files*.

    In these copies the name of a listed file stands where the schema has a network address, or nothing.
    """
    found: dict[str, bytes] = {}
    missing, waiting = [], [main]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in files:
            missing.append(name)
            continue
        found[name] = files[name]
        root = etree.fromstring(found[name], _parser())
        for element in root.iter(*_IMPORTS):
            where = element.get("schemaLocation")
            if known := imports.get(where or element.get("namespace") or ""):
                where = posixpath.relpath(known, posixpath.dirname(name) or ".")
                element.set("schemaLocation", where)
                found[name] = etree.tostring(root)
            if where:
                waiting.append(posixpath.normpath(posixpath.join(posixpath.dirname(name), where)))
    if missing:
        raise ConfigError(f"the schema imports a file that is not in the list: {', '.join(sorted(missing))}",
                          where=main, fix="add it with tools/update_sources.py")  # fmt: skip
    return found


def _parser() -> etree.XMLParser:
    """No DTD, no entity, no network: for schemas and documents alike."""
    return etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)


@dataclass(frozen=True, slots=True)
class Judge:
    """A compiled schema. Its error log is one for all callers, hence the lock."""

    schema: etree.XMLSchema | etree.DTD
    kind: str
    name: str
    valid: Verdict
    lock: threading.Lock = field(default_factory=threading.Lock)


@cache
def judge(id: str) -> Judge:
    """The compiled schema *id*. ConfigError where its files are missing or not as published."""
    publication, entry = entry_of(id)
    if publication.kind not in ("xsd", "dtd"):
        raise ConfigError(f"is of kind {publication.kind}, not a schema", where=id, fix="name an XML Schema or a DTD")
    base = base_of(publication, entry)
    if base is None:
        raise ConfigError(
            f"{publication.title} {publication.version} is not installed", where=id, fix=how_to_get(publication)
        )
    edition, data = read(publication, entry, base)
    schema: etree.XMLSchema | etree.DTD
    if publication.kind == "xsd":
        schema = compile_xsd(entry.main, data, entry.imports)
    else:
        schema = etree.DTD(io.BytesIO(data[entry.main]))
    name, said = f"{publication.title} {publication.version}", release(publication, entry, edition)
    return Judge(schema, publication.kind, name, Verdict("valid", release=said))


def xsd(id: str) -> etree.XMLSchema:
    """The compiled schema *id*, one per process. ConfigError where its files are missing, wrong, or a DTD."""
    schema = judge(id).schema
    if not isinstance(schema, etree.XMLSchema):
        raise ConfigError("is a DTD", where=id, fix="ask dtd() for it")
    return schema


def dtd(id: str) -> etree.DTD:
    """The compiled DTD *id*, one per process. ConfigError where its file is missing, wrong, or a schema."""
    schema = judge(id).schema
    if not isinstance(schema, etree.DTD):
        raise ConfigError("is an XML Schema", where=id, fix="ask xsd() for it")
    return schema


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a schema says of a document. ``release`` says which files spoke; empty when none did."""

    status: Status
    findings: tuple[Finding, ...] = ()
    release: str = ""


def validate(id: str, document: etree._Element | bytes) -> Verdict:
    """The verdict of schema *id* on *document*, each fault with its path and line.

    libxml2 names every fault but those after an element out of place, under the same parent: these show next time.
    A verdict that could not be had is "not run" and says why. Raises ConfigError only for an unknown *id*.
    Validating a root costs what lxml costs; give the root that is already parsed.
    """
    try:
        court = judge(id)
        root = _parsed(document, court.kind) if isinstance(document, bytes) else document
        with court.lock:
            if court.schema.validate(root):
                return court.valid
            log: Any = court.schema.error_log
            entries = list(log)
    except etree.XMLSyntaxError as error:
        return _unparsable(error, len(document))
    except (ConfigError, etree.LxmlError) as error:
        entry_of(id)  # an unknown id is the caller's mistake
        return _not_run(error)
    return Verdict("invalid", findings_of(entries, root, court.name), court.valid.release)


def _parsed(data: bytes, kind: str) -> etree._Element:
    """The root of *data*; the same care as for any document: no DTD, no entity, no network."""
    root = etree.fromstring(data, _parser())
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and (kind == "xsd" or any(declared.iterentities()) or any(declared.iterelements())):
        raise ConfigError("the document has a DOCTYPE that declares what it means, which is not trusted",
                          where="line 1", fix="remove the DOCTYPE or its internal subset")  # fmt: skip
    return root


def _unparsable(error: etree.XMLSyntaxError, size: int) -> Verdict:
    line, column = error.position
    finding = Finding("EINV-SCHEMA-02", f"not well-formed XML: {error.msg}", place=f"line {line}, column {column}",
                      fix="export the document again")  # fmt: skip
    return Verdict("not run" if size > _LARGE else "invalid", (finding,))


def _not_run(error: Exception) -> Verdict:
    message, where, fix = (getattr(error, name, "") for name in ("message", "where", "fix"))
    first = Finding("EINV-SCHEMA-04", f"not checked: {message or error}", place=where, fix=fix or "check it by hand")
    return Verdict("not run", (first, *getattr(error, "findings", ())))
