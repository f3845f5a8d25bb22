"""einvoice convert: any readable format to any other, with what the other could not carry."""

from __future__ import annotations

import json
import sys
import uuid
from argparse import Namespace
from pathlib import Path

from .. import formats
from ..errors import ConfigError, Finding, InvalidInvoice, UnreadableDocument, fatal
from ..exchange import Environment, Identity, Read
from ..loss import losses
from . import _output as out
from ._home import now


def run(args: Namespace) -> int:
    format = formats.get(args.to)
    read = only(Path(args.file))
    ids = Identity(f"{uuid.uuid4()}@einvoice", now(), Environment.TEST)
    document = format.write(read.invoice, ids)
    found = [*read.findings, *document.losses, *losses(read.invoice, document, format)]
    if args.output:
        write(Path(args.output), document.data)
    else:
        sys.stdout.buffer.write(document.data)
    if args.loss:
        write(Path(args.loss), "".join(json.dumps(one.as_dict()) + "\n" for one in found).encode())
    _report(found, args)
    return out.PERSON if fatal(found) else out.DONE


def write(path: Path, data: bytes) -> None:
    """Puts *data* into the file; ConfigError when that cannot be done."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"the file cannot be written: {error.strerror}", where=str(path),
                          fix="name a file in a directory that exists and may be written") from error  # fmt: skip


def only(path: Path) -> Read:
    """The one invoice in *path*; InvalidInvoice names how many there are when it is not one."""
    try:
        reads = list(formats.read_file(path))
        if len(reads) == 1 and reads[0].problem is not None:
            raise reads[0].problem
    except OSError as error:
        raise ConfigError(
            f"the file cannot be opened: {error.strerror}", where=str(path), fix="check the path"
        ) from error
    except UnreadableDocument as error:
        where = ", ".join(dict.fromkeys(part for part in (str(path), error.where) if part))
        raise UnreadableDocument(error.message, where=where, fix=error.fix, findings=error.findings) from error
    if len(reads) != 1:
        raise InvalidInvoice(f"{len(reads)} invoices, one is wanted", where=str(path), fix="split the file")
    return reads[0]


def _report(found: list[Finding], args: Namespace) -> None:
    if args.json:
        print(json.dumps({"findings": [one.as_dict() for one in found]}), file=sys.stderr)
        return
    for one in found:
        if one.severity != "info":
            print(f"{one.severity.value}: {one}", file=sys.stderr)
