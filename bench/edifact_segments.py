"""The INVOIC (D.96A) of ``content.invoice`` as segments made by hand: tag and data elements, composites as lists."""

from __future__ import annotations

from typing import Any

from einvoice.exchange import Identity

Row = list[str | list[str]]
#: Data elements 4440, 7008: characters in one component.
_NOTE, _ITEM = 70, 35


def rows(invoice: Any, ids: Identity, sender: str, recipient: str, control: tuple[str, str]) -> list[Row]:
    """The segments from UNB to UNZ as EdifactFormat writes them. *control*: UNB 0020 and UNH 0062."""
    interchange, message = control
    at, day, payment = ids.at, "%Y%m%d", invoice.payment
    body: list[Row] = [
        ["BGM", invoice.type_code, invoice.number, "9"], ["DTM", ["137", f"{invoice.issue_date:{day}}", "102"]],
        ["PAI", ["", "", payment.means[0].code]], ["FTX", "AAB", "", "", payment.terms],
        ["FTX", "ZZZ", "", "", _pieces(invoice.notes[0].text, _NOTE)], ["RFF", ["ON", invoice.purchase_order.id]],
        ["RFF", ["PQ", payment.remittance]], ["RFF", ["CR", invoice.buyer_reference]],
        *_party("SU", invoice.seller, payment.means[0].account), *_party("BY", invoice.buyer, None),
        ["CUX", ["2", invoice.currency, "4"]], ["PAT", "3"], ["DTM", ["13", f"{invoice.due_date:{day}}", "102"]],
    ]  # fmt: skip
    for line in invoice.lines:
        item, tax = line.item, line.taxes[0]
        body += [
            ["LIN", line.id], ["PIA", "5", [item.seller_id, "SA"]],
            ["IMD", "F", "", ["", "", "", *_pieces(item.name, _ITEM)]],
            ["IMD", "A", "", ["", "", "", *_pieces(item.description, _ITEM)]],
            ["QTY", ["47", str(line.quantity), line.unit]], ["MOA", ["203", str(line.net_amount)]],
            ["PRI", ["AAA", str(line.price.net)]], ["RFF", ["ON", "", line.order.line]], _tax(tax),
        ]  # fmt: skip
    totals = invoice.totals
    body += [["UNS", "S"], ["CNT", ["2", str(len(invoice.lines))]]]
    for code, amount in (("79", totals.lines), ("125", totals.net), ("176", totals.tax), ("77", totals.gross),
                         ("9", totals.due)):  # fmt: skip
        body.append(["MOA", [code, str(amount)]])
    for tax in invoice.tax_breakdown:
        body += [_tax(tax), ["MOA", ["125", str(tax.base)]], ["MOA", ["124", str(tax.amount)]]]
    unb: Row = ["UNB", ["UNOC", "3"], [sender, "14"], [recipient, "14"], [f"{at:%y%m%d}", f"{at:%H%M}"], interchange,
                "", "INVOIC", "", "", "", "1"]  # fmt: skip
    unh: Row = ["UNH", message, ["INVOIC", "D", "96A", "UN"]]
    return [unb, unh, *body, ["UNT", str(len(body) + 2), message], ["UNZ", "1", interchange]]


def _party(role: str, party: Any, account: Any) -> list[Row]:
    a, contact = party.address, party.contact
    found: list[Row] = [["NAD", role, "", "", party.name, a.line_1, a.city, "", a.postcode, a.country]]
    if account:
        found.append(["FII", "RB", [account.id, account.name]])
    found.append(["RFF", ["VA", party.vat_id]])
    if contact:
        found += [["CTA", "IC", ["", contact.name]], ["COM", [contact.phone, "TE"]], ["COM", [contact.email, "EM"]]]
    return found


def _tax(tax: Any) -> Row:
    return ["TAX", "7", tax.scheme, "", "", ["", "", "", str(tax.rate)], tax.category]


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
