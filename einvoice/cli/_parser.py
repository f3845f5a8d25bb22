"""What can be typed. Nothing is imported here but argparse: ``einvoice --help`` must not wait."""

from __future__ import annotations

import argparse
import os

_EPILOG = """\
Everything is kept under one directory: --home DIR, or EINVOICE_HOME, or ./einvoice-home.
It holds house/ (seller entities, law-override.toml) and ledger.sqlite, unless EINVOICE_LEDGER names a database.
"""
_STATES = "NUMBER, or failed, unknown, overdue, held, rejected, waiting, delivered; or interchanges, answers, numbers"


class _Parser(argparse.ArgumentParser):
    """Wrong words end with exit code 2 and one line that says what next."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="einvoice",
        description="Gets each invoice to its customer the way network, contract and country demand, and proves it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--home", default=os.environ.get("EINVOICE_HOME", "einvoice-home"), help="where everything is kept"
    )
    top.add_argument("--version", action="version", version="einvoice 0.1.0")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for add in (_check, _convert, _show, _decide, _profile, _submit, _dispatch, _status, _actions, _partner, _receive,
                _orders, _template, _serve, _worker, _schemas, _sandbox, _demo):  # fmt: skip
        add(commands)
    return top


Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(commands: Commands, name: str, module: str, help: str) -> argparse.ArgumentParser:  # type: ignore[valid-type]
    found: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)  # type: ignore[attr-defined]
    found.set_defaults(module=module)
    return found


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="for programs: JSON on standard output")


def _files(command: argparse.ArgumentParser, many: bool = True) -> None:
    nargs = "+" if many else None
    command.add_argument("files" if many else "file", nargs=nargs, metavar="FILE",
                         help="an invoice in any readable format; the format is detected")  # fmt: skip
    _reading(command)


def _reading(command: argparse.ArgumentParser) -> None:
    command.add_argument("--columns", metavar="MAP.toml", help="how a CSV, Excel or IDoc file is to be read")
    command.add_argument("--lines", metavar="FILE.csv", help="the lines of a CSV file that has the invoices alone")


def _on(command: argparse.ArgumentParser) -> None:
    command.add_argument("--on", metavar="DATE", help="as if it were this day (YYYY-MM-DD)")


def _environment(command: argparse.ArgumentParser) -> None:
    command.add_argument("--environment", choices=("test", "production"),
                         default=os.environ.get("EINVOICE_ENVIRONMENT", "test"),
                         help="test and production never meet (default: EINVOICE_ENVIRONMENT, else test)")  # fmt: skip


def _reason(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", required=True, type=_said, help="why; kept in the timeline")


def _said(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why: it is kept in the timeline")
    return text


def _check(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "check", "check", "findings on invoices; exit 1 when any is fatal")
    one.add_argument("files", nargs="*", metavar="FILE", help="an invoice in any readable format")
    _reading(one)
    _on(one)
    one.add_argument("--rules", metavar="NAME,..", help="rule packs; default: those of its specification, and einvoice")
    one.add_argument("--language", choices=("en", "de", "fr", "it"), default="en", help="of the rules' texts")
    one.add_argument("--official", action="store_true", help="the verdict of the official schema and rules too")
    one.add_argument("--official-sets", metavar="NAME,..", help="the same by these official rule sets")
    one.add_argument(
        "--orders",
        action="append",
        default=[],
        metavar="FILE",
        help="hold it against the orders in this file; default: those of the ledger, where there is one",
    )
    _environment(one)
    one.add_argument("--country", metavar="FILE.toml", help="check a country rule file instead")
    one.add_argument("--network", metavar="FILE.toml", help="check a network preset instead")
    _json(one)


def _convert(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "convert", "convert", "any readable format to any other, with a loss report")
    _files(one, many=False)
    one.add_argument("--to", required=True, metavar="FORMAT", help="json, ubl, cii, cxml, x12:005010, fatturapa ...")
    one.add_argument("-o", "--output", metavar="OUT", help="a file, or a directory for many (default: standard output)")
    one.add_argument("--loss", metavar="FILE", help="write the loss report there as JSON lines")
    _json(one)


def _show(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "show", "show", "an invoice for a person to read")
    _files(one, many=False)
    _json(one)


def _decide(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "decide", "decide", "which law, format, signature and channel, and why")
    _files(one, many=False)
    _on(one)
    _environment(one)
    _json(one)


def _profile(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "profile", "profile", "customers' network profiles")
    verbs = one.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Parser)
    for verb, help in (
        ("check", "problems of profile files, and what the law makes of them until their end"),
        ("add", "store profile files as new versions (drafts)"),
    ):
        found = verbs.add_parser(verb, help=help, description=help)
        found.add_argument("files", nargs="+", metavar="FILE.toml")
        _on(found)
        _json(found)
    for verb, help in (("live", "put the newest version into force"), ("suspend", "take it out of force"),
                       ("show", "one profile as stored"), ("history", "its versions")):  # fmt: skip
        found = verbs.add_parser(verb, help=help, description=help)
        found.add_argument("profile", metavar="PROFILE")
        if verb in ("live", "suspend"):
            found.add_argument("--reason", default="", help="why; kept in the history")
        _json(found)
    _json(verbs.add_parser("list", help="all profiles", description="all profiles"))


def _submit(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "submit", "submit", "into the ledger; the same content twice is one document")
    _files(one)
    one.add_argument("--replaces", metavar="NUMBER", help="the number whose held or rejected content this replaces")
    one.add_argument("--reason", default="", help="why it is replaced")
    _environment(one)
    _json(one)


def _dispatch(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "dispatch", "dispatch", "the run: sends everything due, prints the statement")
    one.add_argument("--business-date", metavar="D", help="the day the run is of (default: today)")
    one.add_argument("--dry-run", action="store_true", help="decide, check and render; send and store nothing")
    one.add_argument("--only", default="", metavar="PROFILE", help="only documents of this profile")
    one.add_argument("--patience", default="0", metavar="SECONDS", help="wait this long for what becomes due soon")
    one.add_argument("--extract", metavar="FILE.csv",
                     help="the ERP's list (number,total,currency): differences are listed both ways")  # fmt: skip
    _json(one)


def _status(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "status", "status", "where documents stand")
    one.add_argument("what", nargs="?", default="", metavar="WHAT", help=_STATES)
    one.add_argument("--invariants", action="store_true", help="check the whole ledger; exit 4 when it is not sound")
    _json(one)


def _actions(commands: Commands) -> None:  # type: ignore[valid-type]
    for verb, help in (
        ("hold", "keep a document back"),
        ("release", "let a held document go"),
        ("resend", "send it again: the same bytes under the same identity, or new ones where the partner refused it"),
        ("suppress", "never send it"),
        ("cancel", "withdraw it"),
        ("rerender", "make new bytes under the current profile"),
    ):
        one = _command(commands, verb, "act", help)
        one.add_argument("number", metavar="NUMBER")
        _reason(one)
        _json(one)


def _partner(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "partner", "partner", "pause or reopen the way to a partner")
    verbs = one.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Parser)
    for verb, help in (("pause", "hold everything of this profile"), ("reopen", "let it go again")):
        found = verbs.add_parser(verb, help=help, description=help)
        found.add_argument("profile", metavar="PROFILE")
        _reason(found)
        _json(found)


def _receive(commands: Commands) -> None:  # type: ignore[valid-type]
    _json(_command(commands, "receive", "receive", "collect acknowledgements and inbound documents"))


def _orders(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "orders", "orders", "buyers' orders, that invoices are held against")
    verbs = one.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Parser)
    add = verbs.add_parser("add", help="keep orders from files", description="keep orders from files")
    add.add_argument("files", nargs="+", metavar="FILE", help="cXML OrderRequest, X12 850, EDIFACT ORDERS")
    _environment(add)
    show = verbs.add_parser("show", help="one order and its changes", description="one order and its changes")
    show.add_argument("number", metavar="NUMBER", help="as invoices name it; with /RELEASE for a call-off")
    found = verbs.add_parser("list", help="every order that counts", description="every order that counts")
    for verb in (add, show, found):
        _json(verb)


def _template(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "template", "template", "a table to fill in: titles and an invoice, or the column map")
    one.add_argument("kind", choices=("csv", "xlsx", "columns"))
    one.add_argument("-o", "--output", metavar="FILE", help="default: standard output")


def _serve(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "serve", "serve", "answer partners: stores what they push, business work comes later")
    one.add_argument("--inbound", action="store_true", required=True, help="the inbound endpoint")
    one.add_argument("--settings", metavar="FILE.toml", help="[door] and [accounts]; default HOME/inbound.toml")


def _worker(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "worker", "worker", "claims, sends, sweeps and receives until it is stopped")
    one.add_argument("--idle", default="1", metavar="SECONDS", help="rest this long while nothing is due")


def _schemas(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "schemas", "schemas", "official files: which, from where, hash right")
    one.add_argument("verb", choices=("list", "verify"))
    _json(one)


def _sandbox(commands: Commands) -> None:  # type: ignore[valid-type]
    _command(commands, "sandbox", "", "the other side, on this machine: an Ariba network to test against")


def _demo(commands: Commands) -> None:  # type: ignore[valid-type]
    one = _command(commands, "demo", "demo", "a sandbox network, invoices, a run, acknowledgements, the statement")
    one.add_argument("--keep", action="store_true", help="leave the sandbox running until Enter")
    one.add_argument("--dir", metavar="DIR", help="where to keep everything (default: a temporary directory)")
