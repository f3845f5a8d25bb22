"""What the rows of Facturae cannot say, coming in: raw values as read to raw values as the model has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from ..codes.crosswalks import crosswalk
from ..errors import Severity
from ..money import parse as parse_number
from ._xml_read import Context, Raw

_MEDIA = {
    "pdf": "application/pdf", "xml": "text/xml", "doc": "application/msword", "gif": "image/gif",
    "rtf": "application/rtf", "xls": "application/vnd.ms-excel", "jpg": "image/jpeg", "bmp": "image/bmp",
    "tiff": "image/tiff", "html": "text/html",
}  # fmt: skip
_PACKED = {"ZIP": ("application/zip", "zip"), "GZIP": ("application/gzip", "gz")}
_NIF = re.compile(r"[A-Z0-9]{9}", re.ASCII)
_VAT = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}", re.ASCII)


def centre_back(side: str) -> Callable[[Raw, Context], None]:
    """Takes a centre of the seller or the buyer back as a party of its own, its role the side and the code."""

    def back(part: Raw, context: Context) -> None:
        party = part.get("seller", {})
        endpoint = party.pop("endpoint", None)
        stated = (("DIR3", part.get("series")), ("0088", endpoint and endpoint.get("value")))
        first = [{"scheme": scheme, "value": value} for scheme, value in stated if value]
        if first or "identifiers" in party:
            party["identifiers"] = [*first, *party.pop("identifiers", [])]
        _lines(party)
        role = f"{side}:{part.get('operation', '')}"
        context.root.setdefault("other_parties", []).append({"role": role, **({"party": party} if party else {})})

    return back


def instalment_back(part: Raw, context: Context) -> None:
    context.parts.append(part)


def after(context: Context) -> None:
    """Everything that hangs together, once all rows are read."""
    root = context.root
    root["type_code"] = _type_code(context)
    _number(root, context.meta)
    for role in ("seller", "buyer", "issuer"):
        _party(context, role)
    _totals(context)
    for position, line in enumerate(root.get("lines", []), 1):
        line["id"] = str(position)
        _line(line)
    _breakdown(root)
    _instalments(context)
    _rates(root)
    _attachments(root)
    _kept(context)
    root.get("notes", []).sort(key=lambda note: "subject_code" in note)
    _places(context)
    if root.get("tax_currency") == root.get("currency"):
        root.pop("tax_currency", None)


#: Where the values stand that no row of the model has, by path in the source.
_AT: Mapping[tuple[str, ...], str] = {
    ("number",): "Invoices/Invoice/InvoiceHeader/InvoiceNumber",
    ("type_code",): "Invoices/Invoice/InvoiceHeader/InvoiceClass",
    ("due_date",): "Invoices/Invoice/PaymentDetails/Installment/InstallmentDueDate",
    ("totals", "gross"): "Invoices/Invoice/InvoiceTotals/InvoiceTotal",
    **{(role, name): f"Parties/{element}/TaxIdentification/TaxIdentificationNumber"
       for role, element in (("seller", "SellerParty"), ("buyer", "BuyerParty")) for name in ("vat_id", "tax_id")},
}  # fmt: skip


def _places(context: Context) -> None:
    if context.places is None:
        return
    for (*steps, last), path in _AT.items():
        holder = context.root
        for step in steps:
            holder = holder.get(step, {})
        at = context.element.find(path)
        if last in holder and at is not None:
            context.places[id(holder), last] = at


def _type_code(context: Context) -> str:
    meta = context.meta
    kind, own = meta.get("class", "OO"), meta.get("document_type") == "AF"
    if kind[:1] == "C":
        context.root["copy_of_original"] = True
    if kind[1:] == "R":
        return ("261" if own else "381") if context.negate else "384"
    return "385" if kind[1:] == "C" else "389" if own else "380"


def _number(root: Raw, meta: dict[str, str]) -> None:
    """BT-1 is the number with its series before it, which together are unique."""
    if "number" in meta:
        root["number"] = root.get("series", "") + meta["number"]
    for one in root.get("preceding", []):
        if "series" in one and "id" in one:
            one["id"] = one["series"] + one["id"]
    if "related" in meta:
        root.setdefault("preceding", []).append({"id": meta["related"]})


def _party(context: Context, role: str) -> None:
    tax = context.meta.get(f"{role}_tax")
    if not tax and role not in context.root:
        return
    party = context.root.setdefault(role, {})
    _lines(party)
    parts = [party.get(name) for name in ("given_name", "family_name", "second_family_name")]
    if any(parts) and "name" not in party:
        party["name"] = " ".join(part for part in parts if part)
    if not tax:
        return
    home = party.get("address", {}).get("country") in (None, "ES")
    if home and _NIF.fullmatch(tax):
        party["vat_id"] = f"ES{tax}"
    elif _VAT.fullmatch(tax) and (tax.startswith("ES") or not home):
        party["vat_id"] = tax
    else:
        party["tax_id"] = tax


def _lines(party: Raw) -> None:
    address = party.get("address")
    if address and "\n" in address.get("line_1", ""):
        pieces = address["line_1"].split("\n", 2)
        address |= dict(zip(("line_1", "line_2", "line_3"), pieces, strict=False))


def _value(context: Context, name: str) -> Decimal | None:
    """The amount under *name*, in the sign of the model."""
    text = context.meta.get(name)
    if text is None:
        return None
    value = parse_number(text)
    if value is None:
        context.say("EINV-READ-03", f"{text[:40]!r} is not a plain decimal number", context.element, found=text,
                    fix="write digits and a point, such as 1234.50")  # fmt: skip
        return None
    return -value if context.negate and value else value


def _totals(context: Context) -> None:
    """The total with tax is what is to be paid and what is withheld of it."""
    totals = context.root.setdefault("totals", {})
    total, withheld = _value(context, "invoice_total"), totals.get("withheld", Decimal(0))
    if total is not None:
        totals["gross"] = total + withheld
        outstanding = _value(context, "outstanding")
        if outstanding == total - totals.get("prepaid", Decimal(0)):
            del context.meta["outstanding"]
    if not withheld:
        totals.pop("withheld", None)
    if not totals:
        del context.root["totals"]


def _line(line: Raw) -> None:
    taxes = line.pop("taxes", [])
    if "subtotal" in line:
        sums = [one.get("amount", Decimal(0)) for one in line.get("allowances", [])]
        less = [one.get("amount", Decimal(0)) for one in line.get("charges", [])]
        net = line.get("net_amount")
        follows = None if net is None else net + sum(sums) - sum(less)
        if str(follows) == str(line["subtotal"]):
            del line["subtotal"]
    events = [tax for tax in taxes if set(tax) <= {"category", "exemption_reason"}]
    rows = [tax for tax in taxes if not set(tax) <= {"category", "exemption_reason"}]
    for tax in rows:
        if tax.get("effect") == "withheld":
            continue
        if events and tax.get("scheme") == "VAT":
            tax |= {name: value for name, value in events[0].items() if name not in tax}
        elif tax.get("scheme") == "VAT" and tax.get("rate"):
            tax.setdefault("category", "S")
    rows.sort(key=lambda tax: tax.get("effect") == "withheld")
    if rows or events:
        line["taxes"] = rows or events


def _breakdown(root: Raw) -> None:
    """What all lines of a rate agree on is true of its row, and a reason then stands there alone."""
    for row in root.get("tax_breakdown", []):
        if row.get("effect") == "withheld" or row.get("scheme") != "VAT" or "category" in row:
            continue
        if row.get("rate"):
            row["category"] = "S"
            continue
        same = [tax for line in root.get("lines", []) for tax in line.get("taxes", [])
                if tax.get("scheme") == "VAT" and tax.get("rate") == row.get("rate")]  # fmt: skip
        if len({tax.get("category") for tax in same}) == 1 and "category" in same[0]:
            row["category"] = same[0]["category"]
            reasons = {tax.get("exemption_reason") for tax in same}
            if len(reasons) == 1 and None not in reasons:
                row["exemption_reason"] = reasons.pop()
                for tax in same:
                    del tax["exemption_reason"]


def _instalments(context: Context) -> None:
    """Instalments and means side by side; one that is the whole is the due date alone."""
    root, parts = context.root, context.parts
    if not parts:
        return
    payment = root.setdefault("payment", {})
    means = [_means(part) for part in parts]
    for name in ("remittance", "terms"):
        texts = [part.get("payment", {}).get(name) for part in parts]
        if texts[0]:
            payment[name] = texts[0]
        if any(texts[1:]):
            context.say("EINV-READ-01", f"the {name} of further instalments is not carried", context.element,
                        Severity.WARNING, found=" / ".join(filter(None, texts[1:])),
                        fix="see whether the receiver needs it")  # fmt: skip
    if any(means):
        payment["means"] = means[:1] if all(one == means[0] for one in means) else means
    rows = [{"due_date": part.get("due_date"), "amount": part.get("totals", {}).get("due")} for part in parts]
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    if len(rows) == 1 and rows[0].get("due_date") and rows[0].get("amount") == root.get("totals", {}).get("due"):
        root["due_date"] = rows[0]["due_date"]
    else:
        payment["instalments"] = rows
    if not payment:
        del root["payment"]


def _means(part: Raw) -> Raw:
    found: Raw = {}
    code = part.get("process")
    if code is not None:
        ours, _, word = (crosswalk("facturae_payment").back(code) or "ZZZ").partition("/")
        found["code"] = ours
        if word:
            found["key"] = word
    if credited := part.get("seller", {}).get("accounts"):
        found["account"] = credited[0]
    debited = part.get("buyer", {}).get("accounts", [{}])[0].get("id")
    if debited:
        found["debit"] = {"account": debited}
    return found


def _rates(root: Raw) -> None:
    for one in root.get("exchange_rates", []):
        one |= {"source": root.get("currency"), "target": root.get("tax_currency") or "EUR"}


def _attachments(root: Raw) -> None:
    for position, one in enumerate(root.get("attachments", []), 1):
        kind, packed = one.pop("type_code", ""), one.pop("content_id", "NONE")
        if packed in _PACKED:
            one["mime"], ending = _PACKED[packed]
            one["filename"] = f"{position}.{kind}.{ending}"
        elif kind in _MEDIA:
            one["mime"] = _MEDIA[kind]


def _kept(context: Context) -> None:
    """Header values that no term has and that do not follow from others stay under their own names."""
    from ._facturae_shape import batch_of, document_type_of, issuer_type_of, person_of, residence_of

    root, meta = context.root, context.meta
    code, seller = root.get("type_code"), meta.get("seller_tax", "")
    follows = {
        "document_type": document_type_of(code),
        "issuer_type": issuer_type_of(code, "issuer" in root),
        "batch": batch_of(seller, meta.get("number", ""), root.get("series", "")),
    }
    names = {"document_type": "InvoiceDocumentType", "issuer_type": "InvoiceIssuerType", "batch": "BatchIdentifier",
             "outstanding": "TotalOutstandingAmount", "place_postcode": "PlaceOfIssue.PostCode",
             "place": "PlaceOfIssue.Description", "description": "InvoiceDescription"}  # fmt: skip
    for role in ("seller", "buyer", "issuer"):
        party = root.get(role, {})
        country = party.get("address", {}).get("country")
        named = "given_name" in party or "family_name" in party
        follows[f"{role}_person"] = person_of(meta.get(f"{role}_tax", ""), country in (None, "ES"), named)
        follows[f"{role}_residence"] = residence_of(country)
        names |= {f"{role}_person": f"{role}.person", f"{role}_residence": f"{role}.residence"}
    for key, name in names.items():
        if key in meta and meta[key] != follows.get(key):
            root.setdefault("extensions", []).append({"name": name, "value": meta[key]})
