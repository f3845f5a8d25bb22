"""What a profile lets stand in for what an invoice leaves out. Nothing is made up, and each use is said.

A format whose schema demands more than other formats state derives its settings from :class:`Absent`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from .. import terms
from ..config import Strict
from ..errors import ConfigError, Finding, Severity
from ..model import AllowanceCharge, Invoice, Line, Tax
from ..money import plain
from ..totals import broken_down, completed

Say = Callable[[Finding], None]
#: The repeated group that gets a first occurrence: a means of payment says how, and demands no more.
_ADDED = "payment.means[]"


class AbsentTax(Strict):
    """The VAT of a line that states none."""

    category: str
    rate: Decimal = Decimal("0.00")
    nature: str = ""
    exemption_reason: str = ""

    def tax(self) -> Tax:
        more = {"nature": self.nature or None, "exemption_reason": self.exemption_reason or None}
        return Tax(scheme="VAT", category=self.category, rate=self.rate, **more)


class Absent(Strict):
    """Settings for what an invoice leaves out and the format demands. Each use is reported."""

    absent_totals: Literal["refuse", "compute"] = "refuse"
    """What becomes of totals and of the breakdown of taxes where the invoice leaves them out."""
    absent_tax: AbsentTax | None = None
    """The VAT of lines, allowances and charges that state none: { category = "O", nature = "N2.2" }."""
    absent_terms: dict[str, str] = Field(default_factory=dict)
    """By term, what is written where the invoice states none: { "BT-48" = "IT99999000021" }. In every occurrence of a
    repeated group; of these only the means of payment are added where there are none."""

    @field_validator("absent_terms")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        for id_ in value:
            if id_ not in terms.TERMS:
                raise ValueError(f"there is no term {id_!r}")
            if "taxes[]" in terms.term(id_).path:
                raise ValueError(f"{id_} is of a tax: set absent_tax")
        return value


def supplied(invoice: Invoice, settings: Absent, taxed: Callable[[Tax], bool]) -> tuple[Invoice, list[Finding]]:
    """*invoice* with what *settings* let stand in, and a finding (information) for each use.

    EINV-WRITE-02: computed from what is stated; EINV-WRITE-03: a value of the profile.

    taxed  True for a tax after which a line needs no other
    """
    found: list[Finding] = []
    for id_, text in settings.absent_terms.items():
        invoice = _with_term(invoice, id_, text, found.append)
    if settings.absent_tax is not None:
        invoice = _with_tax(invoice, settings.absent_tax.tax(), taxed, found.append)
    if settings.absent_totals == "compute":
        invoice, told = broken_down(invoice)
        invoice, more = completed(invoice)
        found += [*told, *more]
    return invoice, found


def _said(term: str, path: str, value: str) -> Finding:
    return Finding("EINV-WRITE-03", f"{term} is not stated; the value of the profile was written", Severity.INFO, term,
                   f"$.{path}", found=value)  # fmt: skip


def _with_term(invoice: Invoice, id_: str, text: str, say: Say) -> Invoice:
    path = terms.term(id_).path
    try:
        typed = _typed(path, text)
    except ValidationError as error:
        raise ConfigError(f"absent_terms: {text!r} is no value of {id_}", fix=str(error.errors()[0]["msg"])) from error
    filled: Invoice = _filled(invoice, path.split("."), typed, lambda at: say(_said(id_, at, text)))
    return filled


@cache
def _typed(path: str, text: str) -> Mapping[str, Any]:
    """For every group on *path*, and at last its leaf, an occurrence that states *text* and nothing else."""
    raw: Any = text
    for step in reversed(path.split(".")):
        raw = {step.removesuffix("[]"): [raw] if step.endswith("[]") else raw}
    part: Any = Invoice.model_validate(raw)
    made, at = {}, ""
    for step in path.split("."):
        part = getattr(part, step.removesuffix("[]"))
        part = part[0] if step.endswith("[]") else part
        at = f"{at}.{step}".removeprefix(".")
        made[at] = part
    return made


def _filled(part: Any, steps: list[str], made: Mapping[str, Any], put: Callable[[str], None], at: str = "",
            plan: str = "") -> Any:  # fmt: skip
    """*part* with the leaf at *steps* where it is absent; *part* itself where it is not."""
    name, many = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    held, plan = getattr(part, name), f"{plan}.{steps[0]}".removeprefix(".")
    here = f"{at}.{name}".removeprefix(".")
    if many and (held or (plan != _ADDED and len(steps) > 1)):
        if len(steps) == 1:
            return part
        new = tuple(_filled(one, steps[1:], made, put, f"{here}[{index}]", plan) for index, one in enumerate(held))
        return part if all(map(_is, new, held)) else part.model_copy(update={name: new})
    if not many and held is not None:
        if len(steps) == 1:
            return part
        inner = _filled(held, steps[1:], made, put, here, plan)
        return part if inner is held else part.model_copy(update={name: inner})
    put(".".join([f"{here}[0]" if many else here, *steps[1:]]).replace("[]", "[0]"))
    return part.model_copy(update={name: (made[plan],) if many else made[plan]})


def _is(one: object, other: object) -> bool:
    return one is other


def _with_tax(invoice: Invoice, tax: Tax, taxed: Callable[[Tax], bool], say: Say) -> Invoice:
    """*invoice* whose lines have *tax* where they state none, and its allowances and charges where they are taxed."""
    update: dict[str, Any] = {}
    for name in ("lines", "allowances", "charges"):
        parts = getattr(invoice, name)
        new = tuple(_taxed(part, tax, taxed, f"{name}[{index}]", say) for index, part in enumerate(parts))
        if not all(map(_is, new, parts)):
            update[name] = new
    return invoice.model_copy(update=update) if update else invoice


def _taxed(part: Line | AllowanceCharge, tax: Tax, taxed: Callable[[Tax], bool], at: str, say: Say) -> Any:
    if any(map(taxed, part.taxes)) or (isinstance(part, AllowanceCharge) and not part.taxes):
        return part
    say(_said("BG-30" if isinstance(part, Line) else "", f"{at}.taxes", " ".join(_shown(tax))))
    return part.model_copy(update={"taxes": (*part.taxes, tax)})


def _shown(tax: Tax) -> Iterator[str]:
    yield from (one for one in (tax.category, plain(tax.rate or Decimal(0)), tax.nature) if one)
