"""einvoice check: findings on invoices, or on a country or network rule file."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, EInvoiceError, Finding, fatal
from ..exchange import Environment, Read
from ..ledger import Ledger
from ..model import Invoice
from ..orders import Order
from ..pipeline import kept_orders, packs_for
from ..totals import differences
from . import _output as out
from ._home import Home, day, invoices_of, now
from .orders import read_orders

if TYPE_CHECKING:
    from ..official import Verdict


def run(args: Namespace) -> int:
    if args.country or args.network:
        return _rule_file(args)
    day(args.on, now().date())  # refused here once, not for each invoice
    if not args.files:
        raise ConfigError("no file to check", fix="name one or more invoices, or --country FILE.toml")
    code = out.DONE
    with _orders_for(args) as known:
        for name in args.files:
            code = max(code, _file(Path(name), args, known))
    return code


#: The orders to hold an invoice against; None where there are none to expect.
Known = Callable[[Invoice], Sequence[Order] | None]


@contextmanager
def _orders_for(args: Namespace) -> Iterator[Known]:
    """Those of the files named, else of the ledger. A ledger that is not there is not made."""
    if args.orders:
        given = [order for name in args.orders for order in read_orders(Path(name))]
        yield lambda invoice: given
        return
    home = Home(args)
    if not home.has_ledger():
        yield lambda invoice: None
        return
    with home.ledger() as ledger:
        yield partial(_kept, ledger, Environment(args.environment))


def _kept(ledger: Ledger, environment: Environment, invoice: Invoice) -> Sequence[Order] | None:
    return kept_orders(ledger, invoice, environment)


def _file(path: Path, args: Namespace, known: Known) -> int:
    code = out.DONE
    second = _official(path, args) if args.official or args.official_sets else None
    if second is not None and second.status != "valid":
        code = out.PERSON
    for label, number, found in _read(path, args, known):
        bad = fatal(found)
        code = max(code, out.PERSON if bad else out.DONE)
        if args.json:
            said = {"official": second.as_dict()} if second else {}
            out.emit({"file": label, "number": number, "valid": not bad,
                      "findings": [one.as_dict() for one in found], **said})  # fmt: skip
            continue
        out.findings(found, label)
        word = out.colour(f"{len(bad)} fatal", "31") if bad else out.colour("no fatal finding", "32")
        print(f"{label}: {number or 'no number'}: {word}, {len(found) - len(bad)} other")
    if second is not None and not args.json:
        out.findings(list(second.findings), str(path))
        word = out.colour(second.status, "32" if second.status == "valid" else "31")
        print(f"official: {word}, {second.release or 'no official rules ran'}")
    return code


def _official(path: Path, args: Namespace) -> Verdict:
    """The official verdict on the file. Only the XML formats have official rules: others are never called valid."""
    from .. import official

    try:
        data = path.read_bytes()
    except OSError as error:
        why, fix = f"the file cannot be opened: {error.strerror}", "check the path"
    else:
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            named = tuple(args.official_sets.split(",")) if args.official_sets else ()
            return official.verdict(data, sets=named, on=day(args.on, now().date()))
        why, fix = "official rules are for XML documents", "convert it to the format it is sent in, and check that"
    finding = Finding("EINV-OFFICIAL-02", f"not validated: {why}", place=str(path), fix=fix)
    return official.Verdict("not validated", (finding,))


def _read(path: Path, args: Namespace, known: Known) -> Iterator[tuple[str, str, list[Finding]]]:
    """(file, invoice number, findings) of each invoice; a file that cannot be read is one fatal finding."""
    try:
        for read in invoices_of(path, args):
            if read.problem is not None:
                yield str(path), "", _problem(read.problem)
            else:
                yield str(path), read.invoice.number or "", _findings(read, args, known)
    except OSError as error:
        told = f"the file cannot be opened: {error.strerror}"
        yield str(path), "", [Finding("EINV-READ-00", told, place=str(path), fix="check the path")]
    except EInvoiceError as error:
        if isinstance(error, ConfigError):
            raise
        yield str(path), "", _problem(error)


def _problem(error: EInvoiceError) -> list[Finding]:
    found = [one if one.fix else replace(one, fix=error.fix) for one in error.findings]
    return found or [Finding("EINV-READ-00", error.message, place=error.where, fix=error.fix)]


def _findings(read: Read, args: Namespace, known: Known) -> list[Finding]:
    from .. import rules

    found = [*read.findings, *differences(read.invoice), *_rules(read, args)]
    if (kept := known(read.invoice)) is not None:
        found += rules.against_orders(read.invoice, kept, language=args.language)
    return [one if one.place or not one.path else one.at(read.locate(one.path)) for one in found]


def _rules(read: Read, args: Namespace) -> list[Finding]:
    """The rule packs named, else our own and those for the specification that the invoice says it follows."""
    from .. import rules

    today = now().date()
    on = day(args.on, read.invoice.issue_date or today)
    stated = read.invoice.specification or ""
    names = tuple(args.rules.split(",")) if args.rules else packs_for(read.format, stated, on)
    return rules.check(
        read.invoice, names, on=on, today=day(args.on, today), read_findings=read.findings, syntax=read.format,
        locate=read.locate, language=args.language,
    )  # fmt: skip


def _rule_file(args: Namespace) -> int:
    from .. import countries, networks

    path, on = Path(args.country or args.network), day(args.on, now().date())
    if args.country:
        found = [*countries.check_file(countries.load_country(path), countries.laws(), on=on)]
    else:
        found = networks.check_network(networks.load_network(path), on)
    if args.json:
        out.emit({"file": str(path), "valid": not fatal(found), "findings": [one.as_dict() for one in found]})
    else:
        out.findings(found, str(path))
        print(f"{path}: {'no problem' if not found else f'{len(found)} findings'}")
    return out.PERSON if fatal(found) else out.DONE
