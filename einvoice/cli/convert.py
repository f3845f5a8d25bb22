"""einvoice convert: any readable format to any other, with what the other could not carry."""

from __future__ import annotations

import json
import re
import sys
import uuid
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from .. import formats
from ..errors import ConfigError, EInvoiceError, Finding, InvalidInvoice, UnreadableDocument, fatal
from ..exchange import Document, Environment, Format, Identity, Read
from ..loss import losses
from . import _output as out
from ._home import invoices_of, now


def run(args: Namespace) -> int:
    formats.writing(args.to.partition(":")[0])
    format, into = formats.get(args.to), Path(args.output) if args.output else None
    if into is None or not into.is_dir():
        data, found = _converted(only(args), format)
        if into:
            write(into, data.data)
        else:
            sys.stdout.buffer.write(data.data)
        report = _Report(args)
        report.add(found)
        return report.end()
    return _many(args, format, into)


def _converted(read: Read, format: Format) -> tuple[Document, list[Finding]]:
    """The document, and all that was found in the source or lost on the way."""
    document = format.write(read.invoice, Identity(f"{uuid.uuid4()}@einvoice", now(), Environment.TEST))
    return document, [*read.findings, *document.losses, *losses(read.invoice, document, format)]


def _many(args: Namespace, format: Format, into: Path) -> int:
    """Every invoice of the file into a file of its own, named by its number. A bad one does not keep the others out."""
    code, report, taken = out.DONE, _Report(args), Counter[str]()
    for read in reads(args):
        number = read.invoice.number or "invoice"
        try:
            if read.problem is not None:
                raise read.problem
            document, found = _converted(read, format)
            plain = re.sub(r"[^A-Za-z0-9_-]+", "-", number).strip("-")[:80] or "invoice"
            taken[plain] += 1
            name = plain if taken[plain] == 1 else f"{plain}.{taken[plain]}"
            path = into / f"{name}{Path(document.name).suffix}"
            write(path, document.data)
            report.add(found, number)
            print(f"{args.file}: {number}: {path}", file=sys.stderr)
        except EInvoiceError as error:
            if isinstance(error, ConfigError):
                raise
            code = out.PERSON
            report.add(error.findings or [Finding("EINV-READ-00", error.message, place=error.where, fix=error.fix)])
    return max(code, report.end())


def write(path: Path, data: bytes) -> None:
    """Puts *data* into the file; ConfigError when that cannot be done."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"the file cannot be written: {error.strerror}", where=str(path),
                          fix="name a file in a directory that exists and may be written") from error  # fmt: skip


def reads(args: Namespace) -> Iterator[Read]:
    """The invoices of the file, with its name in what cannot be read."""
    path = Path(args.file)
    try:
        yield from invoices_of(path, args)
    except OSError as error:
        raise ConfigError(
            f"the file cannot be opened: {error.strerror}", where=str(path), fix="check the path"
        ) from error
    except UnreadableDocument as error:
        raise _named(error, path) from error


def _named(error: UnreadableDocument, path: Path) -> UnreadableDocument:
    where = ", ".join(dict.fromkeys(part for part in (str(path), error.where) if part))
    return UnreadableDocument(error.message, where=where, fix=error.fix, findings=error.findings)


def only(args: Namespace) -> Read:
    """The one invoice in the file; InvalidInvoice names how many there are when it is not one."""
    found, more = list(islice(stream := reads(args), 1)), sum(1 for _ in stream)
    if len(found) + more != 1:
        raise InvalidInvoice(f"{len(found) + more} invoices, one is wanted", where=args.file,
                             fix="split the file; convert takes many with -o DIRECTORY")  # fmt: skip
    if found[0].problem is not None:
        raise _named(found[0].problem, Path(args.file))
    return found[0]


class _Report:
    """What the other format could not carry, said as it comes and, where asked for, kept in a file."""

    def __init__(self, args: Namespace) -> None:
        self._args, self._found = args, list[dict[str, str]]()
        if args.loss:
            write(Path(args.loss), b"")  # refused before anything is said
        self._bad = False

    def add(self, found: Sequence[Finding], number: str = "") -> None:
        """*found*, of the invoice *number* where there are many."""
        self._bad = self._bad or bool(fatal(found))
        told = {"number": number} if number else {}
        self._found += [{**told, **one.as_dict()} for one in found]
        for one in found:
            if one.severity != "info" and not self._args.json:
                print(f"{one.severity.value}: {number}{': ' if number else ''}{one}", file=sys.stderr)

    def end(self) -> int:
        """The exit code."""
        if self._args.loss:
            write(Path(self._args.loss), "".join(json.dumps(one) + "\n" for one in self._found).encode())
        if self._args.json:
            print(json.dumps({"findings": self._found}), file=sys.stderr)
        return out.PERSON if self._bad else out.DONE
