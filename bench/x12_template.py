"""The 810 of ``content.invoice`` as a bare string template: this one document, no option, no check."""

from __future__ import annotations

from typing import Any

from einvoice.exchange import Identity

_UNITS = {"C62": "UN"}
_TAXES = {"VAT": "VA"}
_MEANS = {"58": "BT"}


def render(invoice: Any, ids: Identity, sender: str, recipient: str, control: tuple[str, str, str]) -> bytes:
    """The interchange as X12Format writes it with elements apart by ``*``, components by ``^``, segments by ``~``.

    control  ISA13, GS06 and ST02
    """
    interchange, group, number = control
    at, day, means = ids.at, f"{invoice.issue_date:%Y%m%d}", invoice.payment.means[0]
    body = (
        f"BIG*{day}*{invoice.number}**{invoice.purchase_order.id}***DI*00~NTE*GEN*{invoice.notes[0].text}~"
        f"CUR*SE*{invoice.currency}~REF*CR*{invoice.buyer_reference}~"
        f"{_party('SE', invoice.seller, means.account.id)}{_party('BY', invoice.buyer)}"
        f"ITD*01*3****{invoice.due_date:%Y%m%d}******{invoice.payment.terms}**{_MEANS[means.code]}~"
        f"{''.join([_line(line) for line in invoice.lines])}"
        f"TDS*{_cents(invoice.totals.gross)}~{''.join([_tax(tax) for tax in invoice.tax_breakdown])}"
        f"AMT*1*{invoice.totals.lines}~AMT*T*{invoice.totals.tax}~AMT*NP*{invoice.totals.due}~CTT*{len(invoice.lines)}~"
    )
    return (
        f"ISA*00*          *00*          *01*{sender:15}*01*{recipient:15}*{at:%y%m%d}*{at:%H%M}*U*00401*"
        f"{interchange}*0*T*^~GS*IN*{sender}*{recipient}*{at:%Y%m%d}*{at:%H%M}*{group}*X*004010~ST*810*{number}~"
        f"{body}SE*{body.count('~') + 2}*{number}~GE*1*{group}~IEA*1*{interchange}~"
    ).encode("iso8859-1")


def _party(role: str, party: Any, account: str = "") -> str:
    a, contact = party.address, party.contact
    trading = f"N2*{party.trading_name}~" if party.trading_name else ""
    paid = f"REF*AP*{account}~" if account else ""
    reach = f"PER*IC*{contact.name}*TE*{contact.phone}*EM*{contact.email}~" if contact else ""
    return (
        f"N1*{role}*{party.name}~{trading}N3*{a.line_1}~N4*{a.city}**{a.postcode}*{a.country}~"
        f"REF*VX*{party.vat_id}~{paid}{reach}"
    )


def _line(line: Any) -> str:
    item, tax = line.item, line.taxes[0]
    return (
        f"IT1*{line.id}*{line.quantity}*{_UNITS[line.unit]}*{line.price.net}**VP*{item.seller_id}*PL*{line.order.line}~"
        f"TXI*{_TAXES[tax.scheme]}**{tax.rate.scaleb(-2)}***2~PAM****1*{line.net_amount}~"
        f"PID*F*08***{item.description}~PID*F****{item.name}~"
    )


def _tax(tax: Any) -> str:
    return f"TXI*{_TAXES[tax.scheme]}*{tax.amount}*{tax.rate.scaleb(-2)}***2**{tax.base}~"


def _cents(amount: Any) -> str:
    return str(int(amount.scaleb(2)))
