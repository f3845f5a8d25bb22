"""einvoice profile: what finance uploads about a customer, checked, stored and put into force."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from ..errors import ConfigError, EInvoiceError, Finding, fatal
from ..exchange import Environment
from ..ledger import Ledger, ProfileVersion
from ..partners import Entry, Profile, lint, load_profile, overlaps, preview
from . import _output as out
from ._home import Home, actor, day, entries, known, now


def run(args: Namespace) -> int:
    return _VERBS[args.verb](args, Home(args))


def _check(args: Namespace, home: Home) -> int:
    settings, on = home.settings(), day(args.on, now().date())
    code = out.DONE
    for name in args.files:
        profile, found = _loaded(Path(name))
        if profile is not None:
            found = [*found, *lint(profile, settings.laws, settings.houses, on=on)]
        stretches = (
            preview(profile, settings.laws, settings.houses.get(profile.profile.seller_entity), on, settings.overrides)
            if profile is not None and not profile.routing.catch_all
            else []
        )
        code = max(code, out.PERSON if fatal(found) else out.DONE)
        if args.json:
            out.emit({"file": name, "valid": not fatal(found), "findings": [one.as_dict() for one in found],
                      "preview": [str(one) for one in stretches]})  # fmt: skip
            continue
        out.findings(found, name)
        for stretch in stretches:
            print(f"{name}: {stretch}")
        print(f"{name}: {'good' if not fatal(found) else 'not usable'}")
    return code


def _loaded(path: Path) -> tuple[Profile | None, list[Finding]]:
    try:
        return load_profile(path), []
    except ConfigError as error:
        return None, list(error.findings) or [Finding("EINV-PROF-00", error.message, place=error.where, fix=error.fix)]


def _add(args: Namespace, home: Home) -> int:
    code = out.DONE
    with home.ledger(make=True) as ledger:
        for name in args.files:
            try:
                profile = load_profile(Path(name))
                text = Path(name).read_text("utf-8")
                version = ledger.add_profile(
                    profile.id, Environment(profile.environment), text, hashlib.sha256(text.encode()).hexdigest(),
                    at=now(), actor=actor(),
                )  # fmt: skip
            except EInvoiceError as error:
                code = max(code, out.failed(error, args))
                continue
            _say(args, {"profile": profile.id, "version": version}, f"{profile.id} version {version} stored")
    return code


def _live(args: Namespace, home: Home) -> int:
    with home.ledger() as ledger:
        version = _newest(ledger, args.profile)
        if version.environment is not Environment.TEST:
            raise ConfigError(
                f"{args.profile} is for production, which a second person approves", where="profile live",
                fix="approval comes with the finance console; test profiles go live here",
            )  # fmt: skip
        _no_rival(ledger, version)
        ledger.set_profile_state(version.id, version.version, "live", at=now(), actor=actor(), reason=args.reason)
    _say(args, {"profile": version.id, "version": version.version, "state": "live"},
         f"{version.id} version {version.version} is live")  # fmt: skip
    return out.DONE


def _no_rival(ledger: Ledger, version: ProfileVersion) -> None:
    others = [entry for entry in entries(ledger) if entry.state == "live" and entry.profile.id != version.id]
    mine = Entry(load_profile(version.toml, version.id), version.version, "live")
    rivals = sorted({one.name for pair in overlaps([*others, mine]) for one in pair if mine in pair and one != mine})
    if rivals:
        raise ConfigError(f"{version.id} would take the same documents as {', '.join(rivals)}",
                          where="routing", fix="narrow one of them, or suspend it first")  # fmt: skip


def _suspend(args: Namespace, home: Home) -> int:
    with home.ledger() as ledger:
        live = [one for one in known(ledger, args.profile) if one.state == "live"]
        if not live:
            raise ConfigError(f"no version of {args.profile} is live", fix="see: einvoice profile list")
        ledger.set_profile_state(
            args.profile, live[0].version, "suspended", at=now(), actor=actor(), reason=args.reason
        )
    _say(args, {"profile": args.profile, "state": "suspended"}, f"{args.profile} is suspended")
    return out.DONE


def _list(args: Namespace, home: Home) -> int:
    with home.ledger() as ledger:
        found = ledger.profiles()
    rows = [(one.id, one.version, one.environment, one.state, f"{one.at:%Y-%m-%d %H:%M}", one.actor) for one in found]
    heads = ("profile", "version", "environment", "state", "since", "by")
    if args.json:
        out.emit([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        out.table(rows, heads)
    return out.DONE


def _show(args: Namespace, home: Home) -> int:
    with home.ledger() as ledger:
        version = _newest(ledger, args.profile)
    if args.json:
        out.emit({"profile": version.id, "version": version.version, "state": version.state, "toml": version.toml})
    else:
        print(f"# {version.id} version {version.version}, {version.state}, {version.environment}")
        print(version.toml, end="")
    return out.DONE


def _history(args: Namespace, home: Home) -> int:
    with home.ledger() as ledger:
        found = known(ledger, args.profile)
    rows = [(one.version, one.state, f"{one.at:%Y-%m-%d %H:%M}", one.actor, one.digest[:12]) for one in found]
    if args.json:
        out.emit([dict(zip(("version", "state", "since", "by", "digest"), row, strict=True)) for row in rows])
    else:
        out.table(rows, ("version", "state", "since", "by", "digest"))
    return out.DONE


def _newest(ledger: Ledger, profile_id: str) -> ProfileVersion:
    return max(known(ledger, profile_id), key=lambda one: one.version)


def _say(args: Namespace, value: dict[str, object], text: str) -> None:
    if args.json:
        out.emit(value)
    else:
        print(text)


_VERBS = {"check": _check, "add": _add, "live": _live, "suspend": _suspend, "list": _list, "show": _show,
          "history": _history}  # fmt: skip
