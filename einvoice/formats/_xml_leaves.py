"""Text to a value of its term's kind, and the value into its place: the leaves of a table, compiled to closures."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from ..errors import Severity
from ..mapping import Leaf
from ..money import parse as parse_number
from ._xml_context import Context
from ._xml_empty import Raw

Take = Callable[[etree._Element, Any, Raw, Context], None]
Convert = Callable[[etree._Element, Any, Context], Any]
NUMBERS = ("amount", "price", "quantity", "percent")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def leaf_reader(leaf: Leaf, track: bool, attribute: str = "") -> Take:
    """Takes the text of *leaf*, or the element a raw lens wants, and puts what it means where the term stands.

    track  the element is kept beside the value, for whoever asks where it stands
    """
    if leaf.kind == "meta":
        lens, name = leaf.row.lens, leaf.steps[0]
        return lambda element, text, into, context: context.meta.__setitem__(name, lens.back(text) if lens else text)
    filler, convert, put = leaf.row.filler, converter(leaf), _putter(leaf, track, attribute)
    if track or len(leaf.steps) > 2 or leaf.also or leaf.many or leaf.absolute:

        def take(element: etree._Element, text: Any, into: Raw, context: Context) -> None:
            if text == filler:
                return
            value = convert(element, text, context) if convert else text
            if value is not None:
                put(element, value, text, into, context)

        return take
    return _straight(leaf, convert, put)


def _straight(leaf: Leaf, convert: Convert | None, put: Any) -> Take:
    """The same for a value that stands in the object at hand or one step below, as nearly all do."""
    filler, last = leaf.row.filler, leaf.steps[-1]
    above = leaf.steps[0] if len(leaf.steps) == 2 else ""

    def take(element: etree._Element, text: Any, into: Raw, context: Context) -> None:
        if text == filler:
            return
        value = convert(element, text, context) if convert else text
        if value is None:
            return
        target = into
        if above:
            target = into.get(above)  # type: ignore[assignment]
            if target is None:
                into[above] = {last: value}
                return
        if last in target:
            put(element, value, text, into, context)
        else:
            target[last] = value

    return take


def _putter(leaf: Leaf, track: bool, attribute: str) -> Callable[[etree._Element, Any, Any, Raw, Context], None]:
    last, path, also, many, absolute = leaf.steps[-1], leaf.steps[:-1], leaf.also, leaf.many, leaf.absolute
    also_last = also[-1] if also else ""
    beyond = bool(many or absolute or (leaf.row.lens and leaf.row.lens.whole))

    def put(element: etree._Element, value: Any, text: Any, into: Raw, context: Context) -> None:
        target = context.root if absolute else into
        for step in path:
            target = target.setdefault(step, {})
        beside: Any = None
        if also:
            value, second = value
            if second is not None:
                for step in also[:-1]:
                    target = target.setdefault(step, {})
                target[also_last] = second
                beside = target, also_last
        if track:
            place = (target, last) if value is not None else None
            context.taken.append((element, attribute, leaf, place, beside))
            context.beyond |= beyond
        if value is None:
            return
        if many:
            target.setdefault(last, []).append(value)
        elif last in target and target[last] != value:
            context.say("EINV-READ-02", f"{leaf.id} is stated twice with different values", element,
                        Severity.WARNING, term=leaf.id, found=text, fix="state it once")  # fmt: skip
        else:
            target[last] = value
        if track and context.places is not None:
            context.places[id(target), last] = element

    return put


def converter(leaf: Leaf) -> Convert | None:
    """From text to a value of the term's kind, None when the text is the value; what is wrong is said, and no value."""
    id_, lens = leaf.id, leaf.row.lens
    if lens:

        def by_lens(element: etree._Element, text: str, context: Context) -> Any:
            try:
                value = lens.back(text)
                if not lens.exact and value is not None and lens.to(value) != text:
                    context.say("EINV-READ-09", f"kept as {value}", element, Severity.INFO, term=id_, found=str(text))
                return value
            except ValueError as error:
                context.say("EINV-READ-04", str(error) or "not readable", element, term=id_, found=text,
                            fix="correct the value in the source")  # fmt: skip
                return None

        return by_lens
    if leaf.kind in NUMBERS:
        return _number(id_, leaf.row.signed)
    if leaf.kind == "date":
        return lambda element, text, context: _day(element, text, context, id_)
    if leaf.kind == "binary":
        return lambda element, text, context: _content(element, text, context, id_)
    if leaf.kind == "flag":
        return lambda element, text, context: _FLAGS.get(text.lower())
    return None


def _number(term: str, signed: bool) -> Convert:
    def number(element: etree._Element, text: str, context: Context) -> Decimal | None:
        value = context.numbers.get(text)
        if value is None:
            value = parse_number(text)
            if value is None:
                context.say("EINV-READ-03", f"{text[:40]!r} is not a plain decimal number", element, term=term,
                            found=text, fix="write digits and a point, such as 1234.50")  # fmt: skip
                return None
            context.numbers[text] = value
        return -value if signed and context.negate and value else value

    return number


def _day(element: etree._Element, text: str, context: Context, term: str) -> date | None:
    match = _DAY.fullmatch(text)
    try:
        value = date.fromisoformat(match.group(1)) if match else None
    except ValueError:
        value = None
    if value is None:
        context.say("EINV-READ-04", f"{text[:40]!r} is not a calendar date", element, term=term, found=text,
                    fix="write it as YYYY-MM-DD")  # fmt: skip
    elif match and match.group(2):
        context.say(
            "EINV-READ-09", "the time zone of a date is not kept", element, Severity.INFO, term=term, found=text
        )
    return value


def _content(element: etree._Element, text: str, context: Context, term: str) -> bytes | None:
    try:
        return a2b_base64("".join(text.split()), strict_mode=True)
    except (Base64Error, ValueError):
        context.say("EINV-READ-05", "the attachment is not valid base64", element, term=term, fix="attach it again")
        return None


def currency_check(leaf: Leaf) -> Take:
    """Says so where an amount is not in the currency that the document states for it."""
    which = leaf.row.money

    def check(element: etree._Element, value: str, into: Raw, context: Context) -> None:
        expected = context.tax_currency if which == "tax_currency" else context.currency
        if value != expected:
            stated = f"the amount is in {value!r}" if value else "the amount states no currency"
            message = f"{stated}, the document is in {expected!r}"
            context.say("EINV-READ-06", message, element, term=leaf.id, found=value, fix="state it in one currency")

    return check
