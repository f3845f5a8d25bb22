"""einvoice orders add, list, show: what buyers ordered, for invoices to be held against."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from .. import formats
from ..errors import ConfigError, EInvoiceError
from ..exchange import Environment
from ..ledger import OrderView
from ..money import plain
from ..orders import Order
from ..pipeline import order_fact
from . import _output as out
from ._home import Home, now


def run(args: Namespace) -> int:
    home = Home(args)
    if args.verb == "add":
        return _add(home, args)
    with home.ledger() as ledger:
        views = ledger.orders(args.number, history=True) if args.verb == "show" else _all(home, args)
    if args.verb == "show" and not views:
        raise ConfigError(f"no order {args.number}", fix="see: einvoice orders list")
    if args.json:
        for view in views:
            out.emit(_row(view))
    elif args.verb == "list":
        out.table([(v.fact.number, v.fact.buyer[:40], v.fact.order_date or "", v.fact.operation, v.fact.currency,
                    v.fact.environment) for v in views], ("order", "buyer", "date", "", "", ""))  # fmt: skip
    else:
        for view in views:
            _print(view)
    return out.DONE


def _all(home: Home, args: Namespace) -> list[OrderView]:
    found: list[OrderView] = []
    with home.ledger() as ledger:
        while page := ledger.orders(after=found[-1].id if found else 0):
            found += page
    return found


def read_orders(path: Path) -> list[Order]:
    """Every order in the file; ConfigError when it cannot be opened or holds none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the file cannot be opened: {error.strerror}", where=str(path), fix="check the path"
        ) from error
    found = formats.orders(data) if data else []
    if not found:
        raise ConfigError("there is no order in the file", where=str(path),
                          fix="give a cXML OrderRequest, an X12 850 or an EDIFACT ORDERS")  # fmt: skip
    return found


def _add(home: Home, args: Namespace) -> int:
    """Each file on its own: one that cannot be read does not keep the others out."""
    code = out.DONE
    with home.ledger(make=True) as ledger:
        for name in args.files:
            try:
                facts = [order_fact(one, Environment(args.environment)) for one in read_orders(Path(name))]
                said = [ledger.keep_order(fact, at=now(), source_name=Path(name).name) for fact in facts]
            except EInvoiceError as error:
                code = max(code, _refused(error, name, args))
                continue
            for fact, words in zip(facts, said, strict=True):
                if args.json:
                    out.emit({"file": name, "number": fact.number, "environment": fact.environment, "outcome": words})
                else:
                    print(f"{name}: {words} ({fact.environment})")
    return code


def _refused(error: EInvoiceError, name: str, args: Namespace) -> int:
    if args.json:
        out.emit({"file": name, "outcome": "refused", **error.as_dict()})
    else:
        print(f"{name}: {error}")
        out.findings(error.findings, "  ")
    return out.code_of(error)


def _row(view: OrderView) -> dict[str, object]:
    fact = view.fact
    content = Order.model_validate_json(fact.content).model_dump(mode="json", exclude_none=True)
    return {
        "number": fact.number, "revision": view.revision, "counts": view.alive, "environment": fact.environment,
        "seller": fact.seller, "buyer": fact.buyer, "received_at": view.received_at.isoformat(),
        "source": view.source_name, "order": content,
    }  # fmt: skip


def _print(view: OrderView) -> None:
    order, mark = Order.model_validate_json(view.fact.content), "" if view.alive else ", replaced"
    print(f"order {order.reference} of {order.date or 'no date'}, {order.operation} (revision {view.revision}{mark})")
    print(f"  {view.fact.environment}, {order.currency or 'no currency'}, received {view.received_at:%Y-%m-%d %H:%M}")
    print(f"  buyer {order.buyer_name or ''} {view.fact.buyer}; seller {order.seller_name or ''} {view.fact.seller}")
    rows = []
    for line in order.lines:
        parts = line.seller_id or line.buyer_id or line.standard_id or line.manufacturer_id or ""
        amounts = [plain(value) if value is not None else "" for value in (line.quantity, line.price)]
        rows.append((line.number or "", parts, amounts[0], line.unit or "", amounts[1],
                     "deleted" if line.withdrawn else ""))  # fmt: skip
    out.table(rows, ("line", "item", "quantity", "unit", "price", ""))
