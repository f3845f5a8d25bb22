"""einvoice check: findings on invoices, or on a country or network rule file."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from .. import formats
from ..errors import ConfigError, EInvoiceError, Finding, fatal
from ..exchange import Read
from ..totals import differences
from . import _output as out
from ._home import day, now


def run(args: Namespace) -> int:
    if args.country or args.network:
        return _rule_file(args)
    if not args.files:
        raise ConfigError("no file to check", fix="name one or more invoices, or --country FILE.toml")
    code = out.DONE
    for name in args.files:
        code = max(code, _file(Path(name), args))
    return code


def _file(path: Path, args: Namespace) -> int:
    code = out.DONE
    for label, number, found in _read(path, args):
        bad = fatal(found)
        code = max(code, out.PERSON if bad else out.DONE)
        if args.json:
            out.emit({"file": label, "number": number, "valid": not bad, "findings": [one.as_dict() for one in found]})
            continue
        out.findings(found, label)
        word = out.colour(f"{len(bad)} fatal", "31") if bad else out.colour("no fatal finding", "32")
        print(f"{label}: {number or 'no number'}: {word}, {len(found) - len(bad)} other")
    return code


def _read(path: Path, args: Namespace) -> Iterator[tuple[str, str, list[Finding]]]:
    """(file, invoice number, findings) of each invoice; a file that cannot be read is one fatal finding."""
    try:
        for read in formats.read_file(path):
            if read.problem is not None:
                yield str(path), "", _problem(read.problem)
            else:
                yield str(path), read.invoice.number or "", _findings(read, args)
    except OSError as error:
        yield str(path), "", [Finding("EINV-READ-00", f"the file cannot be opened: {error.strerror}", place=str(path))]
    except EInvoiceError as error:
        if isinstance(error, ConfigError):
            raise
        yield str(path), "", _problem(error)


def _problem(error: EInvoiceError) -> list[Finding]:
    return list(error.findings) or [Finding("EINV-READ-00", error.message, place=error.where, fix=error.fix)]


def _findings(read: Read, args: Namespace) -> list[Finding]:
    module = formats.module(read.format)
    found = [*read.findings, *differences(read.invoice), *_rules(read, module, args)]
    located = [one if one.place or not one.path else one.at(read.locate(one.path)) for one in found]
    return located


def _rules(read: Read, module: object, args: Namespace) -> list[Finding]:
    from .. import rules

    names = tuple(args.rules.split(",")) if args.rules else getattr(module, "RULES", ())
    return rules.check(read.invoice, names, on=day(args.on, now().date()), read_findings=read.findings) if names else []


def _rule_file(args: Namespace) -> int:
    from .. import countries, networks

    path = Path(args.country or args.network)
    if args.country:
        found = [*countries.check_file(countries.load_country(path), countries.laws(), on=day(args.on, now().date()))]
    else:
        networks.load_network(path)
        found = []
    if args.json:
        out.emit({"file": str(path), "valid": not fatal(found), "findings": [one.as_dict() for one in found]})
    else:
        out.findings(found, str(path))
        print(f"{path}: {'no problem' if not found else f'{len(found)} findings'}")
    return out.PERSON if fatal(found) else out.DONE
