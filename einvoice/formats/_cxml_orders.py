"""cXML OrderRequest: the order, its change (``type="update"``) and its withdrawal (``type="delete"``)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from lxml import etree

from ..errors import UnreadableDocument
from ..mapping import Const, Field, Group, Lens, Map, Row
from ..orders import Order
from ._cxml_answers import ORDER, environment_of
from ._cxml_table import DAY
from ._orders import instant, order_of
from ._xml import parse, place
from ._xml_read import Context, TreeReader

_HEADER = f"{ORDER}/OrderRequestHeader"
#: ItemOut operation: the buyer deletes or blocks one line of an updated order.
_WITHDRAWN = Lens(lambda kind: kind, lambda text: "delete" if text in ("delete", "block") else None, exact=True)


def _detail(name: str) -> tuple[Row, ...]:
    return (
        Field("BT-146", f"{name}/UnitPrice/Money"),
        Field("BT-130", f"{name}/UnitOfMeasure"),
        Field("BT-149", f"{name}/PriceBasisQuantity/@quantity"),
        Field("BT-150", f"{name}/PriceBasisQuantity/UnitOfMeasure"),
        Field("EX-96", f"{name}/ManufacturerPartID"),
    )


_ROWS: tuple[Row, ...] = (
    *(Group(f"Header/{side}/Credential", (Field("scheme", "@domain"), Field("value", "Identity")), term, many=True)
      for side, term in (("From", "buyer.network_ids[]"), ("To", "seller.network_ids[]"))),
    Field("BT-13", f"{_HEADER}/@orderID"), Field("EX-12", f"{_HEADER}/@orderDate", lens=DAY),
    Field("BT-44", f"{_HEADER}/BillTo/Address/Name"),
    Group(f"{ORDER}/ItemOut", (
        Field("BT-132", "@lineNumber"), Field("BT-129", "@quantity"), Field("kind", "@operation", lens=_WITHDRAWN),
        Field("BT-155", "ItemID/SupplierPartID"), Field("BT-156", "ItemID/BuyerPartID"),
        Group("ItemID/IdReference", (Const("@domain", "EAN-13"), Field("BT-157", "@identifier"))),
        *_detail("ItemDetail"), *_detail("BlanketItemDetail"),
    ), "BG-25", many=True),
)  # fmt: skip


def _begin(context: Context) -> None:
    """One currency for the order: that of its total, else of its first price."""
    money = context.element.find(f"{_HEADER}/Total/Money")
    if money is None:
        money = next(context.element.iter("Money"), None)
    context.currency = money.get("currency") if money is not None else None


@cache
def _reader() -> TreeReader:
    return TreeReader(Map("cXML", _ROWS, money="currency"), "cxml", _begin)


def orders(data: bytes) -> Iterator[Order]:
    """The order in *data*, none where it holds another request.

    UnreadableDocument where a value of the order cannot be read, or its type is none that is known.
    """
    root = parse(data, doctype=True)
    header = root.find(_HEADER)
    if header is None:
        return
    operation = header.get("type") or "new"
    if operation not in ("new", "update", "delete"):
        raise UnreadableDocument(f"the type of the order is {operation[:20]!r}", where=place(header, "type"),
                                 fix="send new, update or delete")  # fmt: skip
    version = header.get("orderVersion") or ""
    context = _reader().values(root)
    _unbounded(context, root)
    yield order_of(
        context, operation=operation, environment=environment_of(root), place=_named(header),
        issued_at=instant(root.get("timestamp") or header.get("orderDate") or ""),
        payload_id=root.get("payloadID") or None,
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None,
    )  # fmt: skip


def _unbounded(context: Context, root: etree._Element) -> None:
    """A blanket line is bounded by amounts, if at all; its quantity is a formality of the DTD, and no limit."""
    for line, element in zip(context.root.get("lines", []), root.iterfind(f"{ORDER}/ItemOut"), strict=False):
        if element.find("BlanketItemDetail") is not None or element.get("unlimitedDelivery") == "yes":
            line.pop("quantity", None)


def _named(header: etree._Element) -> str:
    return f"order {header.get('orderID') or '?'}"
