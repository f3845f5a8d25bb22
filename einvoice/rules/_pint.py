"""PINT A-NZ: rules about parties, lines and the document that neither EN 16931 nor Peppol BIS has the like of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .. import terms
from ..model import is_credit
from . import _bis, _en_codes, _en_presence, _pint_ids
from ._checks import among, every, joined, named, states, text, two_decimals
from ._cius import country, near, percentage, when
from ._facts import Facts, nearest
from ._national import is_credit_note
from ._rule import Check, Hit, Rule

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?|24:00:00(\.0+)?")


# --- parties ----------------------------------------------------------------------------------------------------------


def seller_known(facts: Facts) -> Iterable[Hit]:
    """co-26: the seller has a tax registration, an identifier or a legal registration."""
    seller = facts.invoice.seller
    if seller is None:
        return
    legal = seller.legal_id is not None and seller.legal_id.value is not None
    own = any(one.value is not None for one in seller.identifiers)
    if not (legal or own or facts.tax_ids("seller")):
        yield Hit("$.seller.identifiers")


def registered(role: str, home: str, scheme: str) -> Check:
    """ibr-001-aunz ...: a party at *home* states its number of the register *scheme* (ABN, NZBN)."""

    def check(facts: Facts) -> Iterable[Hit]:
        number = getattr(facts.invoice, role).legal_id
        if number is None or number.scheme != scheme or not number.value:
            yield Hit(f"$.{role}.legal_id", text(number and number.value), scheme)

    return when(lambda facts: country(facts, role) == home, check)


def one_identifier(facts: Facts) -> Iterable[Hit]:
    """sr-16: the buyer has one identifier at most."""
    if len(facts.buyer.identifiers) > 1:
        yield Hit("$.buyer.identifiers[1].value", text(facts.buyer.identifiers[1].value))


def payee_identifier(facts: Facts) -> Iterable[Hit]:
    """105: so does a payee that is not the seller; the creditor identifier does not count."""
    payee = facts.invoice.payee
    if payee is None or (payee.name is not None and payee.name == facts.seller.name):
        return
    own = [one for one in payee.identifiers if (one.scheme or "").upper() != "SEPA"]
    if len(own) > 1:
        yield Hit("$.payee.identifiers[1].value", text(own[1].value))


# --- document ---------------------------------------------------------------------------------------------------------


def no_wildcard(facts: Facts) -> Iterable[Hit]:
    """sr-63: the specification identifier has no wildcard."""
    stated = facts.invoice.specification or ""
    if "*" in stated:
        yield Hit("$.specification", text(stated))


def referenced(facts: Facts) -> Iterable[Hit]:
    """003: a buyer reference or an order reference."""
    if facts.invoice.buyer_reference is None and not facts.values("purchase_order.id"):
        yield Hit("$.buyer_reference")


def one_note(facts: Facts) -> Iterable[Hit]:
    """sr-51: one note at most."""
    if len(facts.invoice.notes) > 1:
        yield Hit("$.notes[1].text", text(facts.invoice.notes[1].text))


#: Elements that other rules speak of first, and ibr-079 not at all.
_SPOKEN_OF = re.compile(r"Date$|Time$|Amount$|EndpointID$|ItemClassificationCode$|StandardItemIdentification/ID$|"
                        r"TaxCurrencyCode$|EmbeddedDocumentBinaryObject$")  # fmt: skip


def empty(facts: Facts) -> Iterable[Hit]:
    """079: no element is empty; of some the rule that checks them says so."""
    checked = _pint_ids.unfilled(facts)
    for element, finding in _bis.empties(facts):
        name = element.rpartition("/")[2]
        if not _SPOKEN_OF.search(element) and not (checked and name in ("CompanyID", "ID")):
            yield Hit(finding.path, name, term=finding.term, place=finding.place)


def time(facts: Facts) -> Iterable[Hit]:
    """119: a time is one."""
    stated = facts.invoice.issue_time
    if stated is not None and not _TIME.fullmatch(stated):
        yield Hit("$.issue_time", text(stated))


def prepaid(facts: Facts) -> Iterable[Hit]:
    """093: who lists prepayments states their sum."""
    if facts.payment.prepaid and facts.totals.prepaid is None:
        yield Hit("$.totals.prepaid")


def payable(facts: Facts) -> Iterable[Hit]:
    """061: an invoice to be paid has a due date or payment terms; so has one that does not say what is due."""
    invoice, owed = facts.invoice, facts.totals.due
    dated = invoice.due_date is not None or facts.payment.terms is not None
    if invoice.totals is None or is_credit_note(facts) or (owed is not None and (owed <= 0 or dated)):
        return
    yield Hit("$.due_date")


def due(facts: Facts) -> Iterable[Hit]:
    """co-16: BT-115 = BT-112 - BT-113 + BT-114; a payment or rounding of nought is none, and rounds nothing."""
    totals = facts.totals
    if totals.gross is None or totals.due is None:
        yield Hit("$.totals.due", text(totals.due))
        return
    left = nearest(totals.due - totals.rounding) if totals.rounding else totals.due
    right = nearest(totals.gross - totals.prepaid) if totals.prepaid else totals.gross
    if left != right:
        yield Hit("$.totals.due", text(totals.due), text(right + (totals.rounding or 0)))


def despatched(facts: Facts) -> Iterable[Hit]:
    """092: a despatch advice is named on the lines or on the document, not on both."""
    if facts.invoice.despatch_advice_reference is not None:
        yield from (Hit(place, text(value)) for place, value in facts.places("lines[].despatch_reference"))


def one_object(facts: Facts) -> Iterable[Hit]:
    """078: one invoiced object at most; UBL writes it as a document of type 130."""
    further = [place for place, one in facts.places("attachments[]") if one.type_code == "130"]
    if facts.invoice.invoiced_object is not None and further:
        yield Hit(f"{further[0]}.type_code", "130")


def plain_attachments(facts: Facts) -> Iterable[Hit]:
    """sr-43: only the invoiced object has a document type; in a credit note the project too."""
    spared = {"130", "50"} if is_credit(facts.invoice) else {"130"}
    for place, one in facts.places("attachments[]"):
        if one.type_code is not None and one.type_code not in spared:
            yield Hit(f"{place}.type_code", text(one.type_code))


def line_amounts(facts: Facts) -> Iterable[Hit]:
    """053: a line is quantity times price, plus charges, less allowances, within 0.02."""
    for at, line in enumerate(facts.lines):
        price = line.price
        if line.net_amount is None or line.quantity is None or price is None or price.net is None:
            continue  # other rules say so
        if price.base_quantity != 0 and not near(line.net_amount, _bis.line_amount(line)):
            yield Hit(f"$.lines[{at}].net_amount", text(line.net_amount), text(nearest(_bis.line_amount(line))))


def document_type(*lists: str) -> Check:
    """cl-01. The model does not know the root, so a type of either UBL root passes."""

    def check(facts: Facts) -> Iterable[Hit]:
        code = facts.invoice.type_code
        if code is not None and not any(code.strip() in facts.codes(name) for name in lists):
            yield Hit("$.type_code", text(code))

    return check


def currencies(facts: Facts) -> Iterable[Hit]:
    """cl-03: the currency of each amount; in the model BT-5, and BT-6 for BT-111."""
    known, invoice = facts.codes("pint_aunz_currencies"), facts.invoice
    foreign = [one for one in facts.read if one.rule == "EINV-READ-06"]
    for finding in foreign:
        if finding.found.strip() not in known:
            yield Hit(finding.path, text(finding.found), term=finding.term, place=finding.place)
    if not foreign and invoice.currency is not None and invoice.totals is not None:
        yield from among("currency", "pint_aunz_currencies")(facts)
    if facts.totals.tax_accounting is not None and (invoice.tax_currency or "").strip() not in known:
        yield Hit("$.tax_currency", text(invoice.tax_currency), term="BT-6")


def in_currency(facts: Facts) -> Iterable[Hit]:
    """126: each amount is in the invoice currency. The model holds no other; the reader tells of one.

    A tax total in another currency is one in the accounting currency, and spared.
    """
    for finding in facts.read:
        if finding.rule == "EINV-READ-06" and finding.term != "BT-110":
            yield Hit(finding.path, text(finding.found), term=finding.term, place=finding.place)
    if facts.invoice.currency is None and facts.invoice.totals is not None:
        yield Hit("$.currency")


def mime(facts: Facts) -> Iterable[Hit]:
    """cl-24: as aligned-ibrp-cl-04, and XML."""
    known = facts.codes("mime_types") | {"application/xml"}
    return [Hit(place, text(value)) for place, value in facts.places("attachments[].mime") if value not in known]


def _amounts() -> Check:
    """005: no amount has more than two decimals: what BR-DEC-* ask each of one amount."""
    return joined(*(named(rule.check, rule.term) for rule in _en_codes.RULES if rule.id.startswith("BR-DEC-")),
                  named(two_decimals("payment.prepaid[].amount"), "EX-43"))  # fmt: skip


def _both(path: str) -> Check:
    """057, 058: base and percentage stand together."""

    def states_too(leaf: str, other: str) -> Check:
        both = every(path, lambda one: getattr(one, other) is None or getattr(one, leaf) is not None, leaf)
        return named(both, terms.at(f"{path.replace('**', '')}.{leaf}").id)

    return joined(states_too("base", "percent"), states_too("percent", "base"))


def _of(kind: str, shape: object) -> Check:
    return joined(*(shape(f"{prefix}{kind}[]") for prefix in ("", "lines[**].")))  # type: ignore[operator]


RULES: tuple[Rule, ...] = (
    *(Rule(id_, "BT-34", _pint_ids.checked(*asked), text="IDENTIFIER") for id_, asked in _pint_ids.CHECKS.items()),
    Rule("ibr-044", "BT-144", joined(_en_presence.reasoned("lines[].charges[]"),
                                     named(_en_presence.reasoned("charges[]"), "BT-104")), text="BR-44"),
    Rule("ibr-049", "BT-81", states("payment.means[]", "code"), text="BR-49", there=("ubl",)),
    Rule("ibr-071", "BT-18", _bis.never),
    Rule("ibr-072", "BT-18", _bis.never),
    Rule("ibr-073", "", _bis.never),
    Rule("ibr-078", "BT-18", one_object, text="TWICE"),
    Rule("ibr-079", "", empty, text="R008"),
    Rule("ibr-092", "EX-88", despatched),
    Rule("ibr-093", "BT-113", prepaid),
    Rule("ibr-105", "BT-60", payee_identifier, text="TOO-MANY"),
    Rule("ibr-119", "EX-1", time),
    Rule("ibr-126", "BT-5", in_currency),
    Rule("ibr-co-26", "BT-29", seller_known, text="BR-CO-26"),
    Rule("ibr-sr-16", "BT-46", one_identifier, text="TOO-MANY"),
    Rule("ibr-sr-51", "BT-22", one_note, text="TOO-MANY"),
    Rule("ibr-sr-63", "BT-24", no_wildcard),
    Rule("ibr-co-16", "BT-115", due, text="BR-CO-16"),
    Rule("ibr-cl-03", "BT-5", currencies, text="CODE", codes="pint_aunz_currencies"),
    Rule("ibr-cl-04", "BT-5", among("currency", "pint_aunz_currencies"), text="CODE", codes="pint_aunz_currencies"),
    Rule("ibr-cl-05", "BT-6", among("tax_currency", "pint_aunz_currencies"), text="CODE",
         codes="pint_aunz_currencies"),
    Rule("ibr-cl-16", "BT-81", among("payment.means[].code", "pint_aunz_payment_means"), text="CODE",
         codes="pint_aunz_payment_means"),
    Rule("ibr-cl-24", "BT-125-1", mime, text="CODE", codes="mime_types"),
    Rule("ibr-cl-25", "BT-34-1",
         joined(among("seller.endpoint.scheme", "pint_aunz_endpoint_schemes"),
                named(among("buyer.endpoint.scheme", "pint_aunz_endpoint_schemes"), "BT-49-1")),
         text="CODE", codes="pint_aunz_endpoint_schemes"),
    Rule("aligned-ibr-001-aunz", "BT-30", registered("seller", "AU", "0151"), text="ABN"),
    Rule("aligned-ibr-002-aunz", "BT-30", registered("seller", "NZ", "0088"), text="NZBN"),
    Rule("aligned-ibr-004-aunz", "BT-47", registered("buyer", "AU", "0151"), text="ABN"),
    Rule("aligned-ibr-005-aunz", "BT-47", registered("buyer", "NZ", "0088"), text="NZBN"),
    Rule("aligned-ibrp-003", "BT-10", referenced),
    Rule("aligned-ibrp-005", "BT-131", _amounts(), text="DECIMALS"),
    Rule("aligned-ibrp-018", "BT-84", _en_presence.account_given, text="BR-61"),
    Rule("aligned-ibrp-053", "BT-131", line_amounts, text="R120"),
    Rule("aligned-ibrp-054", "BT-92", _of("allowances", percentage), text="R040"),
    Rule("aligned-ibrp-055", "BT-99", _of("charges", percentage), text="R040"),
    Rule("aligned-ibrp-057", "BT-93", _of("allowances", _both), text="BOTH", stated=True, there=("ubl",)),
    Rule("aligned-ibrp-058", "BT-100", _of("charges", _both), text="BOTH", stated=True, there=("ubl",)),
    Rule("aligned-ibrp-061", "BT-9", payable, text="BR-CO-25", stated=True, there=("ubl",)),
    Rule("aligned-ibrp-sr-43", "BT-122", plain_attachments),
)  # fmt: skip
