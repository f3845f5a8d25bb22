"""What FatturaPA states, as the model says it: the hooks that run while its rows are read, and after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ..codes.crosswalks import crosswalk
from ..money import parse
from ._fatturapa_related import settle
from ._fatturapa_table import TRANSMISSION
from ._fatturapa_words import FREE_CODE, KINDS, MIMES, ROOM, SELF_BILLED, STANDARD, WITHOUT_POSTCODE
from ._xml_read import Context

Raw = dict[str, Any]
_ZERO = Decimal(0)
_DELIVERED = "DatiTrasporto/DataOraConsegna"
_MIDNIGHT = "T00:00:00"
_ADDRESSES = ("seller", "buyer", "tax_representative", "issuer")


def after(words: Mapping[str, str], context: Context) -> None:
    """Turns raw values into those of the model, once a document is read. *words*: leaf of the item by CodiceTipo."""
    root = context.root
    _parties(context)
    _document_type(context)
    _recipient(context)
    _notes(root)
    _breakdown(root)
    _charges(root)
    for line in root.get("lines", ()):
        _line(line, words)
    _split_payment(root)
    _withholding(root)
    _schemes(root)
    settle(root)
    _payments(context)
    for one in root.get("attachments", ()):
        if "mime" in one:
            one["mime"] = _MIME.get(one["mime"], one["mime"])
    _delivery(context)
    kept = [{"name": name, "value": value} for name, value in context.meta.items() if name not in TRANSMISSION]
    if kept:
        root["extensions"] = kept


# --- parties and types ------------------------------------------------------------------------------------------------


def _parties(context: Context) -> None:
    root = context.root
    for part in context.parts:
        if part["at"] != "payments":
            party = _party(part["seller"])
            root.setdefault("other_parties", []).append({"role": part["at"], "party": party})
    for role in _ADDRESSES:
        if role in root:
            _party(root[role], keep=role == "seller")


def _party(party: Raw, keep: bool = False) -> Raw:
    """A person's name in one; codice fiscale as BT-32 of the seller, else as an identifier; the register in one."""
    if "family_name" in party:
        party.setdefault("name", " ".join(part for part in (party.get("given_name"), party["family_name"]) if part))
    if not keep and "tax_id" in party:
        party.setdefault("identifiers", []).append({"value": party.pop("tax_id"), "scheme": "0210"})
    if "legal_id" in party:
        office, number = party["legal_id"].pop("scheme", ""), party["legal_id"].get("value", "")
        party["legal_id"]["value"] = f"{office}-{number}"
    address = party.get("address", {})
    if address.get("postcode") == WITHOUT_POSTCODE and address.get("country") != "IT":
        del address["postcode"]
    return party


def _document_type(context: Context) -> None:
    root = context.root
    stated = root.get("type_code")
    codes = crosswalk("fatturapa_documents")
    issued_by = context.meta.get("SoggettoEmittente")
    if stated is None:
        return
    if issued_by == "CC" and stated in SELF_BILLED.values():
        root["type_code"] = next(ours for ours, theirs in SELF_BILLED.items() if theirs == stated)
        del context.meta["SoggettoEmittente"]
        return
    if issued_by == "TZ" and "issuer" in root:
        del context.meta["SoggettoEmittente"]
    ours = codes.back(stated)
    if ours is None:
        context.say("EINV-READ-04", f"{stated!r} is not a TipoDocumento that is known here", context.element,
                    term="BT-3", found=stated, fix="see whether it is an invoice")  # fmt: skip
    else:
        root["type_code"] = ours
    if ours is None or codes.to(ours) != stated:
        root["national_type"] = stated
    if ours is None:
        del root["type_code"]


def _recipient(context: Context) -> None:
    """Where SdI delivers: CodiceDestinatario (0205, of a public office 0201), or the certified mailbox (EM)."""
    meta, root = context.meta, context.root
    code, mailbox = meta.get("recipient"), meta.get("pec")
    buyer = root.get("buyer")
    if buyer is None or code is None:
        return
    if code != unknown_recipient(buyer.get("address", {}).get("country")) or (mailbox and code != "0000000"):
        buyer["endpoint"] = {"value": code, "scheme": "0201" if len(code) == 6 else "0205"}
        if mailbox:
            meta["PECDestinatario"] = mailbox
    elif mailbox:
        buyer["endpoint"] = {"value": mailbox, "scheme": "EM"}


def unknown_recipient(country: str | None) -> str:
    """CodiceDestinatario where the buyer has none: seven zeros in Italy, seven X abroad."""
    return "0000000" if country in (None, "IT") else "XXXXXXX"


def _notes(root: Raw) -> None:
    """A Causale of 200 characters, all it holds, runs on in the next."""
    whole: list[Raw] = []
    full = False
    for note in root.get("notes", ()):
        text = note["text"]
        if full:
            whole[-1]["text"] += text
        else:
            whole.append(note)
        full = len(text) == ROOM
    if whole:
        root["notes"] = whole


def _delivery(context: Context) -> None:
    """BT-72 is the day of DataOraConsegna; a time of day stays beside it."""
    stated = context.meta.get(_DELIVERED, "")
    try:
        day = date.fromisoformat(stated[:10])
    except ValueError:
        return
    context.root.setdefault("delivery", {})["date"] = day
    if stated[10:] == _MIDNIGHT:
        del context.meta[_DELIVERED]


# --- taxes, allowances and charges ------------------------------------------------------------------------------------


def _classified(tax: Raw) -> Raw:
    """The category of EN 16931 by Natura, or of a rate: what is not subject has no rate."""
    nature, rate = tax.get("nature"), tax.get("rate")
    category = crosswalk("fatturapa_natures").back(nature) if nature else "S" if rate else None
    if category:
        tax["category"] = category
    if category == "O" and rate == _ZERO:
        del tax["rate"]
    return tax


def _merged(taxes: list[Raw]) -> list[Raw]:
    """AliquotaIVA, Natura and Ritenuta, read one after the other, as the VAT and the withholding."""
    vat = {name: value for part in taxes if "scheme" not in part for name, value in part.items()}
    withheld = [{**part, "effect": "withheld"} for part in taxes if "scheme" in part]
    return [*([_classified(vat)] if vat else []), *withheld]


def _breakdown(root: Raw) -> None:
    if "tax_breakdown" in root:
        root["tax_breakdown"].sort(key=lambda tax: "scheme" in tax)  # VAT first, as everywhere else
    for tax in root.get("tax_breakdown", ()):
        if tax.get("scheme") == "WITHHOLDING":
            tax["effect"] = "withheld"
        elif tax.get("scheme") == "STAMP":
            tax["effect"] = "informative"
        else:
            _classified(tax)
            if reason := crosswalk("fatturapa_exemptions").back(tax.get("nature", "")):
                tax["exemption_code"] = reason
            if tax.get("chargeability") == "S":
                del tax["chargeability"]
                tax.update(category="B", effect="paid_by_buyer")
    due = [tax.get("chargeability") for tax in root.get("tax_breakdown", ()) if "scheme" not in tax]
    if due and set(due) == {"D"}:
        root["tax_point_code"] = "432"


def _schemes(root: Raw) -> None:
    """What is neither a withholding nor the stamp duty is VAT: FatturaPA knows no other tax."""
    for part in (*root.get("lines", ()), *root.get("charges", ())):
        for tax in part.get("taxes", ()):
            tax.setdefault("scheme", "VAT")
    for tax in root.get("tax_breakdown", ()):
        tax.setdefault("scheme", "VAT")


def _withholding(root: Raw) -> None:
    """The one withholding of the document is that of its lines; where there are several none can be told."""
    stated = [tax for tax in root.get("tax_breakdown", ()) if tax.get("effect") == "withheld"]
    if len(stated) != 1:
        return
    same = {name: stated[0][name] for name in ("rate", "causal") if name in stated[0]}
    for part in (*root.get("lines", ()), *root.get("charges", ())):
        for tax in part.get("taxes", ()):
            if tax.get("effect") == "withheld":
                tax.update(same)


def _split_payment(root: Raw) -> None:
    """What the breakdown says of a rate holds for the lines of that rate: they do not say it themselves."""
    stated = [tax for tax in root.get("tax_breakdown", ()) if "scheme" not in tax and tax.get("rate")]
    split = {tax["rate"] for tax in stated if tax.get("category") == "B"}
    split -= {tax["rate"] for tax in stated if tax.get("category") != "B"}
    for part in (*root.get("lines", ()), *root.get("charges", ())):
        for tax in part.get("taxes", ()):
            if "scheme" not in tax and tax.get("rate") in split:
                tax.update(category="B", effect="paid_by_buyer")


def _charges(root: Raw) -> None:
    for fund in root.get("charges", ()):
        if "taxes" in fund:
            fund["taxes"] = _merged(fund["taxes"])
    _apart(root)


def _apart(part: Raw) -> None:
    """ScontoMaggiorazione as an allowance (SC) or a charge (MG)."""
    stated = part.pop("allowances", [])
    for one in stated:
        raised = one.pop("role", "SC") == "MG"
        part.setdefault("charges" if raised else "allowances", []).append(one)


def _line(line: Raw, words: Mapping[str, str]) -> None:
    if "taxes" in line:
        line["taxes"] = _merged(line["taxes"])
    if "kind" in line:
        line["kind"] = _KIND.get(line["kind"], line["kind"])
    _codes(line.get("item", {}), words)
    stated = line.get("allowances", [])
    quantity = line.get("quantity")
    for one in stated:
        if "amount" in one and quantity:
            one["amount"] *= quantity
    if len(stated) == 1 and "amount" not in stated[0] and "percent" in stated[0]:
        _amount(line, stated[0])
    _apart(line)


def _amount(line: Raw, one: Raw) -> None:
    """The one allowance or charge that only a percentage states: what lies between price and line amount."""
    price, net = line.get("price", {}).get("net"), line.get("net_amount")
    if price is None or net is None:
        return
    base = price * line.get("quantity", 1)
    amount = base - net if one.get("role") == "SC" else net - base
    if amount >= 0:
        one.update(base=base, amount=amount)


def _codes(item: Raw, words: Mapping[str, str]) -> None:
    """CodiceArticolo of a known kind to its own term; the first of a kind."""
    left = []
    for one in item.pop("classifications", []):
        kind = one.get("scheme")
        if kind in _STANDARD and "standard_id" not in item and "code" in one:
            item["standard_id"] = {"value": one["code"], "scheme": _STANDARD[kind]}
        elif kind in words and words[kind] not in item and "code" in one:
            item[words[kind]] = one["code"]
        else:
            left.append({"code": one["code"]} if kind == FREE_CODE and "code" in one else one)
    if left:
        item["classifications"] = left


# --- payment ----------------------------------------------------------------------------------------------------------


def _payments(context: Context) -> None:
    """The payments of all blocks: one with its due date as the document's, alike ones as instalments, others apart."""
    blocks = [part["payment"] for part in context.parts if part["at"] == "payments" and "payment" in part]
    details = [one for block in blocks for one in block.get("means", ())]
    if not details:
        return
    usual = "TP02" if len(details) == 1 else "TP01"
    for block in blocks:
        if block.get("means") and (len(blocks) > 1 or block.get("terms", usual) != usual):
            named = {"name": "CondizioniPagamento", "value": block.get("terms", usual)}
            block["means"][0].setdefault("extensions", []).insert(0, named)
    for one in details:
        _means(one)
    root = context.root
    payment = root.setdefault("payment", {})
    payment["means"] = details
    if len(details) == 1:
        _single(root, payment, details[0])
    elif len({repr({**one, "due_date": 0, "amount": 0}) for one in details}) == 1 and "extensions" not in details[0]:
        dated = ("due_date", "amount")
        payment["instalments"] = [{name: one[name] for name in dated if name in one} for one in details]
        payment["means"] = [{name: value for name, value in details[0].items() if name not in dated}]
    remittances = {one.get("remittance") for one in payment["means"]}
    if len(remittances) == 1 and None not in remittances:
        payment["remittance"] = remittances.pop()
        for one in payment["means"]:
            del one["remittance"]


def _means(one: Raw) -> None:
    codes = crosswalk("fatturapa_payment")
    if (stated := one.get("code")) is not None:
        ours = codes.back(stated)
        if ours is None or codes.to(ours) != stated:
            one["key"] = stated
        if ours is None:
            del one["code"]
        else:
            one["code"] = ours


def _single(root: Raw, payment: Raw, one: Raw) -> None:
    """One payment: its date is BT-9, its amount BT-115, and a discount is one of the document."""
    if "due_date" in one:
        root["due_date"] = one.pop("due_date")
    if "amount" in one:
        root.setdefault("totals", {})["due"] = one.pop("amount")
    named = {each["name"]: each for each in one.get("extensions", ())}
    days = named.get("GiorniTerminiPagamento", {}).get("value", "")
    if days.isascii() and days.isdigit() and (days == "0" or days[0] != "0"):
        payment["net_days"] = Decimal(days)
        one["extensions"].remove(named["GiorniTerminiPagamento"])
    discount, until = named.get("ScontoPagamentoAnticipato"), named.get("DataLimitePagamentoAnticipato")
    if discount and until and (amount := parse(discount["value"])) is not None and (day := _day(until["value"])):
        payment["discounts"] = [{"amount": amount, "until": day}]
        one["extensions"].remove(discount)
        one["extensions"].remove(until)
    if "extensions" in one and not one["extensions"]:
        del one["extensions"]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


_KIND = {theirs: ours for ours, theirs in KINDS.items()}
_STANDARD = {theirs: ours for ours, theirs in STANDARD.items()}
_MIME: dict[str, str] = {}
for _type, _word in MIMES.items():
    _MIME.setdefault(_word, _type)


def _aside(name: str) -> Callable[[Raw, Context], None]:
    """Puts what was read of one group beside the document, for :func:`after`."""

    def back(part: Raw, context: Context) -> None:
        if part:
            context.parts.append({**part, "at": name})

    return back


HOOKS: dict[str, Callable[..., Any]] = {
    **{f"{name}_back": _aside(name) for name in (
        "payments", "seller_establishment", "buyer_establishment", "buyer_representative", "carrier")},
}  # fmt: skip
