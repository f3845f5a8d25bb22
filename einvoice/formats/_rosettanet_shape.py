"""What the rows of PIP 3C3 cannot say: who is known by what, partners by role, units, who sends and receives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any

from ..codes.crosswalks import Crosswalk
from ..errors import Finding, Severity
from ..model import Identifier, Invoice, Item, Line, Party
from ..money import parse as parse_number
from ..money import plain
from ._edi import delivered
from ._view import View
from ._xml_read import Context, Raw

#: Partner by ProcessRoleIdentifier; SHT is the delivery.
ROLES = {"BIT": "bill_to", "RMT": "remit_to", "SHF": "ship_from", "SLD": "sold_to", "TTR": "payee"}
#: How a scheme of ours is called here, and the other way round; other schemes are an authority of their own.
_KINDS = {"0060": "duns", "DUNS": "duns", "DUNS+4": "duns4", "0088": "gln"}
_SCHEMES = {"duns": "0060", "duns4": "DUNS+4", "gln": "0088"}
_SHAPES = {"duns": r"[0-9]{9}", "duns4": r"[0-9]{9}[0-9a-zA-Z]{1,4}", "gln": r"[0-9]{13}"}
#: Authorities that stand for a field of the party.
_FIELDS = {"VAT": "vat_id", "TAX": "tax_id"}
#: Authority of an entry that only carries the name of a party without any number.
_NAMED = ("NONE", "-")
_GTIN = re.compile(r"\d{8}|\d{12,14}", re.ASCII)
#: Name of a product that has neither name nor number.
UNNAMED = "-"
_CHARGED = (None, "charged")
_REASONS = {"FC": "freight", "HD": "handling", "95": "discount"}


# --- going out --------------------------------------------------------------------------------------------------------


class Shaped:
    """One invoice made ready: what the rows take, the ``@name`` values, the findings; those of the lines are there once
    the document is written."""

    def __init__(self, invoice: Invoice, settings: Any, units: Crosswalk) -> None:
        self.invoice, self.units = invoice, units
        self.findings: list[Finding] = []
        self.meta: dict[str, str] = {
            "count": str(len(invoice.lines)),
            "rebill": "true" if invoice.type_code == "384" else "false",
        }
        if notes := "\n\n".join(note.text for note in invoice.notes if note.text):
            self.meta["comments"] = notes
        for role, party in (("sender", invoice.seller), ("receiver", invoice.buyer)):
            self._addressed(role, getattr(settings, role), party)
        self.findings += _nowhere(invoice)
        self.body = View(invoice.__dict__ | {
            "seller": _partner(invoice.seller),
            "buyer": _partner(invoice.buyer),
            "allowances": [_role(one) for one in invoice.allowances],
            "charges": [_role(one) for one in invoice.charges],
            "lines": map(self._line, invoice.lines, count()) if invoice.lines else (),
        })  # fmt: skip

    def _addressed(self, role: str, named: Any, party: Party | None) -> None:
        """Sender or receiver: as the settings name it, else by a network id or a number of the party."""
        if named is not None:
            pairs = [(named.kind, named.id)]
            name = named.name
        else:
            ids = (
                (*party.network_ids, *party.identifiers, *((party.legal_id,) if party.legal_id else ()))
                if party
                else ()
            )
            pairs = [(_KINDS[one.scheme], one.value) for one in ids if one.scheme in _KINDS and one.value]
            name = (party.name or "") if party else ""
        pairs = [(kind, value) for kind, value in pairs if re.fullmatch(_SHAPES[kind], value, re.ASCII)]
        other = next((one for one in party.network_ids if one.value), None) if party else None
        if pairs:
            self.meta[f"{role}_{pairs[0][0]}"] = pairs[0][1]
        elif other is not None:
            self.meta |= {f"{role}_authority": other.scheme or "ID", f"{role}_other": other.value or ""}
        else:
            self.findings.append(Finding(
                "EINV-ROSETTANET-01", f"no DUNS, DUNS+4 or GLN of the {role}", path=f"$.{_SIDES[role]}.network_ids",
                fix=f"name it in the profile (format.{role}) or in the invoice"))  # fmt: skip
            return
        if name:
            self.meta[f"{role}_name"] = name

    def _line(self, line: Line, index: int) -> Any:
        item = line.item
        update: dict[str, Any] = {
            "gross_amount": line.gross_amount if line.gross_amount is not None else line.net_amount,
            "by_gtin": False,
            "gtin_too": False,
        }
        if line.allowances or line.charges:
            update |= {name: [_role(one) for one in getattr(line, name)] for name in ("allowances", "charges")}
        if line.unit:
            known = self.units.to(line.unit) or self.units.to(f"X{line.unit}")
            update["unit"] = known or line.unit
            if known is None:
                self.findings.append(Finding(
                    "EINV-ROSETTANET-02", f"{line.unit} has no equivalent among the RosettaNet units", term="BT-130",
                    path=f"$.lines[{index}].unit", found=line.unit,
                    fix="agree on a code with the partner and set it under units"))  # fmt: skip
        price = line.price
        if price and price.net is not None and price.base_quantity not in (None, Decimal(0), Decimal(1)):
            each = (price.net / price.base_quantity).normalize()
            update["price"] = SimpleNamespace(net=Decimal(plain(each)))
        if item is not None:
            gtin = item.standard_id.value if item.standard_id and item.standard_id.scheme in (None, "0160") else None
            own = item.seller_id or item.buyer_id or item.manufacturer_id
            changed: dict[str, Any] = {}
            if gtin and not own and _GTIN.fullmatch(gtin):
                update["by_gtin"] = True
                changed["standard_id"] = SimpleNamespace(value=gtin.zfill(14))
            else:
                update["gtin_too"] = bool(gtin)
            if len(item.batches) > 1:
                changed["batches"] = item.batches[:1]
            if item.name is None and not (own or gtin):
                changed["name"] = UNNAMED
            if changed:
                update["item"] = View(item.__dict__ | changed)
        else:
            update["item"] = Item(name=UNNAMED)
        return View(line.__dict__ | update)


_SIDES = {"sender": "seller", "receiver": "buyer"}
_COUNTRIES = {"seller": "BT-40", "buyer": "BT-55", "delivery": "BT-80"}


def _nowhere(invoice: Invoice) -> Iterator[Finding]:
    """Addresses without the country that each must have."""
    for name in ("seller", "buyer", "delivery", *ROLES.values()):
        one = getattr(invoice, name)
        if one is not None and one.address is not None and not one.address.country:
            yield Finding("EINV-WRITE-01", "the format cannot do without the country of an address",
                          term=_COUNTRIES.get(name, ""), path=f"$.{name}.address.country",
                          fix="state it in the source, or set absent_terms in the profile")  # fmt: skip


def _role(one: Any) -> Any:
    """An allowance or charge with the role that its reason code stands for."""
    role = one.role or _REASONS.get(one.reason_code or "")
    return one if role == one.role else View(one.__dict__ | {"role": role})


def _partner(party: Party | None) -> Any:
    """*party* with everything it is known by as entries, the name in the first of them."""
    if party is None:
        return None
    entries = [SimpleNamespace(scheme=scheme, id=value, jurisdiction=None) for scheme, value in _numbers(party)]
    if not entries and party.name:
        entries = [SimpleNamespace(scheme=_NAMED[0], id=_NAMED[1], jurisdiction=None)]
    if entries:
        entries[0].jurisdiction = party.name
    return View(party.__dict__ | {"tax_registrations": entries})


def _numbers(party: Party) -> Iterator[tuple[str, str]]:
    for one in party.identifiers:
        if one.value:
            yield _kind(one)
    if party.legal_id and party.legal_id.value:
        scheme, value = _kind(party.legal_id)
        yield (scheme, value) if scheme in _SCHEMES else (f"LEGAL {party.legal_id.scheme or ''}".strip(), value)
    if party.vat_id:
        yield "VAT", party.vat_id
    if party.tax_id:
        yield "TAX", party.tax_id
    for registration in party.tax_registrations:
        if registration.id:
            yield f"TAX {registration.scheme or ''}".strip(), registration.id


def _kind(one: Identifier) -> tuple[str, str]:
    value = one.value or ""
    kind = _KINDS.get(one.scheme or "", "")
    fits = kind and re.fullmatch(_SHAPES[kind], value, re.ASCII)
    return (kind if fits else one.scheme or "ID"), value


def _partners(body: Any) -> list[Any]:
    found = [("SHT", delivered(body)), *((code, getattr(body, name)) for code, name in ROLES.items())]
    views = [SimpleNamespace(operation=code, seller=_partner(party)) for code, party in found if party]
    others = [one for one in body.other_parties if re.fullmatch(r"[A-Z]{3}", one.role or "")]
    return views + [SimpleNamespace(operation=one.role, seller=_partner(one.party)) for one in others]


# --- coming in --------------------------------------------------------------------------------------------------------


def _partner_back(part: Raw, context: Context) -> None:
    code, party = str(part.get("operation", "")), part.get("seller", {})
    _known(party)
    root = context.root
    if code == "SHT":
        to = root.setdefault("delivery", {})
        ids = party.pop("identifiers", [])
        if "legal_id" in party:
            ids.append(party.pop("legal_id"))
        if ids:
            to["location"] = ids[0]
        for name in ("name", "address", "contact"):
            if name in party:
                to[name] = party.pop(name)
        if party or ids[1:]:
            context.say("EINV-READ-01", "the delivery has one identifier and no registrations", context.element,
                        Severity.WARNING, found=", ".join(party), fix="see whether the receiver needs it")  # fmt: skip
        if not to:
            del root["delivery"]
    elif code in ROLES and ROLES[code] not in root:
        root[ROLES[code]] = party
    else:
        root.setdefault("other_parties", []).append({"role": code, "party": party})


def _known(party: Raw) -> None:
    """The entries of a partner back to name, identifiers and registrations."""
    entries = party.pop("tax_registrations", [])
    for entry in entries:
        scheme, value = entry.get("scheme", ""), entry.get("id")
        if "jurisdiction" in entry:
            party.setdefault("name", entry["jurisdiction"])
        if value is None or (scheme, value) == _NAMED:
            continue
        head, _, rest = scheme.partition(" ")
        if scheme in _FIELDS and _FIELDS[scheme] not in party:
            party[_FIELDS[scheme]] = value
        elif head == "LEGAL" and "legal_id" not in party:
            party["legal_id"] = {"value": value, **({"scheme": rest} if rest else {})}
        elif head == "TAX" and rest:
            party.setdefault("tax_registrations", []).append({"scheme": rest, "id": value})
        else:
            stated = {"value": value} if scheme == "ID" else {"value": value, "scheme": _SCHEMES.get(scheme, scheme)}
            party.setdefault("identifiers", []).append(stated)


def _after(context: Context) -> None:
    root, meta = context.root, context.meta
    if context.currency:
        root["currency"] = context.currency
    if meta.get("rebill") in ("true", "1") and root.get("type_code") == "380":
        root["type_code"] = "384"
    if comments := meta.get("comments"):
        root["notes"] = [{"text": comments}]
    for role, side in _SIDES.items():
        _known(root.get(side, {}))
        _sent_by(context, side, role)
    for line in root.get("lines", []):
        _line(line)
    _reasons(root.get("tax_breakdown", []))
    for tax in root.get("tax_breakdown", []):
        _category(tax)
    totals = root.get("totals", {})
    if "gross" in totals:
        totals["due"] = totals["gross"]
    count = meta.get("count")
    if count is not None and parse_number(count) != len(root.get("lines", [])):
        context.say("EINV-ROSETTANET-03", f"TotalNumberOfItems says {count[:20]}, the invoice has "
                    f"{len(root.get('lines', []))} lines", context.element, Severity.WARNING, found=count,
                    fix="ask the sender for the whole invoice")  # fmt: skip


def _sent_by(context: Context, side: str, role: str) -> None:
    """Who sent or receives, where that is not said of seller or buyer anyway."""
    root, meta = context.root, context.meta
    party = root.setdefault(side, {})
    stated = [(meta.get(f"{role}_{kind}"), scheme) for kind, scheme in _SCHEMES.items()]
    stated.append((meta.get(f"{role}_other"), meta.get(f"{role}_authority", "ID")))
    for value, scheme in stated:
        if value and {"value": value, "scheme": scheme} not in party.get("identifiers", []):
            known = "DUNS" if scheme == "0060" else scheme
            party.setdefault("network_ids", []).append({"value": value, "scheme": known})
    if not party:
        del root[side]
    name = meta.get(f"{role}_name")
    at = context.element.find(
        f"{{*}}DocumentHeader/{{*}}{role.capitalize()}/{{*}}PartnerIdentification/{{*}}PartnerName"
    )
    if name and name != party.get("name") and at is not None:
        context.say("EINV-READ-08", "the name of who sends or receives has no business term", at, Severity.INFO,
                    found=name, clause="PIP 3C3: partners are known by their number")  # fmt: skip


def _line(line: Raw) -> None:
    if line.get("gross_amount") == line.get("net_amount"):
        line.pop("gross_amount", None)
    elif "net_amount" not in line and "gross_amount" in line:
        line["net_amount"] = line.pop("gross_amount")
    item = line.get("item", {})
    if "standard_id" in item:
        item["standard_id"] = {"value": item["standard_id"]["value"], "scheme": "0160"}
    _reasons(line.get("taxes", []))
    for tax in line.get("taxes", []):
        _category(tax)


def _category(tax: Raw) -> None:
    if tax.get("scheme") == "VAT" and tax.get("rate"):
        tax.setdefault("category", "S")


def _reasons(taxes: list[Raw]) -> None:
    """A phrase belongs to the one tax without rate; where there is none it stays a row of its own."""
    phrases = [tax for tax in taxes if set(tax) == {"exemption_reason"}]
    free = [tax for tax in taxes if "amount" in tax and not tax.get("rate")]
    if len(phrases) == 1 and len(free) == 1:
        free[0] |= phrases[0]
        taxes.remove(phrases[0])


# --- hooks ------------------------------------------------------------------------------------------------------------


def _has(element: str) -> Callable[[Any, Context], bool]:
    return lambda node, context: any(str(child.tag).endswith(f"}}{element}") for child in node)


def _taxed(tax: Any) -> bool:
    return tax.amount is not None and tax.effect in _CHARGED


HOOKS: Mapping[str, Callable[..., Any]] = {
    "after": _after,
    "partners": _partners,
    "partners_back": _partner_back,
    "is_duns": lambda one, body: one.scheme == "duns",
    "is_duns4": lambda one, body: one.scheme == "duns4",
    "is_gln": lambda one, body: one.scheme == "gln",
    "is_other": lambda one, body: one.scheme not in _SCHEMES,
    "has_duns": _has("DUNS"),
    "has_duns4": _has("DUNSPlus4"),
    "has_gln": _has("GLN"),
    "national": lambda tax, body: _taxed(tax) and tax.scheme in (None, "VAT"),
    "local": lambda tax, body: _taxed(tax) and tax.scheme not in (None, "VAT"),
    "reasoned": lambda tax, body: tax.exemption_reason is not None,
    "unidentified": lambda line, body: not (line.by_gtin or line.gtin_too) and not (
        line.item and (line.item.seller_id or line.item.buyer_id or line.item.manufacturer_id)),
    "by_gtin": lambda line, body: line.by_gtin,
    "gtin_too": lambda line, body: line.gtin_too,
    "first_preceding": lambda one, body: one is body.preceding[0],
    "has_terms": lambda body, invoice: bool(
        body.payment and (body.payment.net_days is not None or body.payment.discounts)),
    "to_account": lambda means, body: bool(means.account and (means.account.id or means.account.bic)),
}  # fmt: skip
