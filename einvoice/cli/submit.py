"""einvoice submit: invoices into the ledger. The same content twice is one document."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

from ..errors import ConfigError, EInvoiceError, Finding, InvalidInvoice, fatal
from ..exchange import Environment, Read
from ..ledger import Ledger
from ..partners import House
from ..pipeline import identity_findings, submission
from . import _output as out
from ._home import Home, actor, invoices_of, now


def run(args: Namespace) -> int:
    if bool(args.replaces) != bool(args.reason):
        raise ConfigError("--replaces and --reason go together", fix="give both")
    home, code = Home(args), out.DONE
    houses = home.houses()
    with home.ledger(make=True) as ledger:
        for name in args.files:
            code = max(code, _file(Path(name), args, ledger, houses))
    return code


def _file(path: Path, args: Namespace, ledger: Ledger, houses: dict[str, House]) -> int:
    """Each invoice of the file on its own: one bad one does not keep the others out."""
    code = out.DONE
    try:
        for read, source in zip(invoices_of(path, args), sources(path), strict=False):
            code = max(code, _one(read, read.source or source, path, args, ledger, houses))
    except OSError as error:
        told = f"the file cannot be opened: {error.strerror}"
        return max(code, _refused(ConfigError(told, where=str(path), fix="check the path"), path, args))
    except EInvoiceError as error:
        return max(code, _refused(error, path, args))
    return code


def sources(path: Path) -> Iterator[bytes]:
    """The bytes each invoice of a file was read from: its own line of JSON Lines, else the whole file.

    Empty where they are more than is kept beside a document.
    """
    with path.open("rb") as stream:
        first = stream.readline(_KEEP + 1)
        if _stands_alone(first):
            for line in chain((first,), stream):
                if line.strip():
                    yield line if len(line) <= _KEEP else b""
            return
        whole = first + stream.read(_KEEP + 1 - len(first))
    yield from repeat(whole if len(whole) <= _KEEP else b"")


def _stands_alone(line: bytes) -> bool:
    """Whether the first line of a file is a JSON object: the file is JSON Lines then, or one object."""
    try:
        return line[:1] == b"{" and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _one(read: Read, source: bytes, path: Path, args: Namespace, ledger: Ledger, houses: dict[str, House]) -> int:
    try:
        if read.problem is not None:
            raise read.problem
        if missing := identity_findings(read.invoice):
            raise InvalidInvoice("not taken in: it does not say which document it is", findings=missing,
                                 fix="state what is missing and submit it again")  # fmt: skip
        found = ledger.submit(
            **submission(read.invoice, Environment(args.environment), houses), source=source,
            source_format=read.format, source_name=path.name, replaces=args.replaces, reason=args.reason,
            at=now(), actor=actor(), held=fatal(read.findings),
        )  # fmt: skip
    except EInvoiceError as error:
        return _refused(error, path, args)
    held = fatal(read.findings)
    _say(args, read, path, found.outcome, found.document_id, held)
    return out.PERSON if held and found.outcome != "same" else out.DONE


#: Sources up to this size are kept beside the content read from them.
_KEEP = 50 * 1024 * 1024


def _say(args: Namespace, read: Read, path: Path, outcome: str, document: int, held: list[Finding]) -> None:
    if args.json:
        out.emit({"file": str(path), "number": read.invoice.number, "document": document, "outcome": outcome,
                  "held": [one.as_dict() for one in held]})  # fmt: skip
        return
    word = {"new": "taken in", "same": "already there", "replaced": "taken in, the old content is superseded"}[outcome]
    print(f"{path}: {read.invoice.number}: {word} (document {document}){', held' if held else ''}")
    out.findings(held, "  ")


def _refused(error: EInvoiceError, path: Path, args: Namespace) -> int:
    if args.json:
        out.emit({"file": str(path), "outcome": "refused", **error.as_dict()})
    else:
        told = str(error) if str(path) in error.where else f"{path}: {error}"
        print(f"{told}")
        out.findings(error.findings, "  ")
    return out.code_of(error)
