"""SAP IDocs INVOIC02: what is read by the shipped tables, what a sender's file changes, what is refused."""

from __future__ import annotations

import io
import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from einvoice import formats, rules
from einvoice.config import load
from einvoice.errors import ConfigError, EInvoiceError, Severity, UnreadableDocument, fatal
from einvoice.exchange import Read
from einvoice.formats.idoc import Idoc, IdocFormat, table
from einvoice.mapping import plan
from tests.tables import FIXTURES, others

IDOC = FIXTURES / "idoc"


def from_idoc(data: bytes | str, **settings: Any) -> list[Read]:
    return list(IdocFormat(Idoc(**settings)).read(io.BytesIO(data.encode() if isinstance(data, str) else data)))


def by_map(name: str, sender: str) -> list[Read]:
    return list(formats.read_file(IDOC / f"{name}.xml", columns=IDOC / f"{sender}.columns.toml"))


def idoc(body: str, kind: str = "INVOIC") -> str:
    return (
        f'<INVOIC02><IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><MESTYP>{kind}</MESTYP></EDI_DC40>'
        f'<E1EDK01 SEGMENT="1"><CURCY>EUR</CURCY><BSART>INVO</BSART></E1EDK01>{body}</IDOC></INVOIC02>'
    )


def unexpected(read: Read) -> list[str]:
    return [str(one) for one in read.findings if one.severity is not Severity.INFO]


def only(body: str, **settings: Any) -> Read:
    (read,) = from_idoc(idoc(body), **settings)
    return read


@pytest.mark.parametrize("name", ["de-invoice", "de-credit-note"])
def test_a_german_document_read_by_its_senders_file_keeps_the_rules(name: str) -> None:
    (read,) = by_map(name, "de")
    assert unexpected(read) == []
    on = read.invoice.issue_date
    assert on is not None
    assert [str(one) for one in rules.check(read.invoice, ("en16931",), on=on, today=on)] == []


def test_what_the_segments_say_stands_in_its_terms() -> None:
    (read,) = by_map("de-invoice", "de")
    invoice, line = read.invoice, read.invoice.lines[0]
    assert (invoice.number, invoice.type_code, invoice.issue_date, invoice.due_date) == (
        "0090000815", "380", date(2026, 10, 5), date(2026, 11, 4),
    )  # fmt: skip
    assert invoice.seller is not None
    assert invoice.buyer is not None
    assert (invoice.seller.vat_id, invoice.seller.account_number) == ("DE999111008", "L-4471")
    assert (invoice.buyer.vat_id, invoice.buyer.account_number, invoice.bill_to) == ("DE999111016", "0000020077", None)
    assert invoice.payment is not None
    assert invoice.payment.net_days == 30
    assert [(one.days, one.percent) for one in invoice.payment.discounts] == [(14, 2)]
    assert invoice.payment.terms == "14 Tage 2 % Skonto\n30 Tage ohne Abzug"
    account = invoice.payment.means[0].account
    assert account is not None
    assert (account.id, account.bic, account.bank) == ("DE12999000010001234567", "INVTDEBBXXX", "Erfundene Bank")
    assert invoice.notes[0].text == "Lieferung frei Haus. Bitte geben Sie bei Zahlung die Rechnungsnummer an."
    assert (line.note, line.unit, line.price and line.price.net) == ("Charge 26-0917", "C62", Decimal("79.90"))
    assert [(one.amount, one.percent, one.role) for one in line.allowances] == [(Decimal("191.76"), 10, "K007")]
    assert read.locate("$.lines[1].net_amount").startswith("/INVOIC02/IDOC/E1EDP01[2]/E1EDP26[1]/BETRG line")


def test_what_an_idoc_has_no_field_for_is_taken_from_its_lines_and_said() -> None:
    (read,) = by_map("de-invoice", "de")
    totals = read.invoice.totals
    assert totals is not None
    assert (totals.lines, totals.charges, totals.due) == (Decimal("2559.39"), Decimal("29.00"), Decimal("3036.09"))
    assert [row.base for row in read.invoice.tax_breakdown] == [Decimal("2220.89"), Decimal("367.50")]
    assert {"BT-106", "BT-108", "BT-115", "BT-116"} <= {f.term for f in read.findings if f.rule == "EINV-WRITE-02"}
    (left,) = from_idoc((IDOC / "de-invoice.xml").read_bytes(), absent_totals="leave")
    assert left.invoice.totals is not None
    assert left.invoice.totals.lines is None


def test_us_documents_have_their_taxes_by_jurisdiction_and_a_minus_behind() -> None:
    invoice, credit = by_map("us-two", "us")
    assert unexpected(invoice) == unexpected(credit) == []
    assert [(tax.scheme, tax.jurisdiction, tax.amount) for tax in invoice.invoice.lines[0].taxes] == [
        ("SALES", "WA", Decimal("336.70")), ("SALES", "WASEATTLE", Decimal("199.43")),
    ]  # fmt: skip
    assert credit.invoice.type_code == "381"
    assert (credit.invoice.lines[0].quantity, credit.invoice.lines[0].net_amount) == (2, 259)
    assert credit.invoice.totals is not None
    assert credit.invoice.totals.gross == Decimal("285.81")
    assert credit.locate("$.number").startswith("/INVOIC02/IDOC[2]/")
    *_, as_it_stands = from_idoc((IDOC / "us-two.xml").read_bytes())
    assert as_it_stands.invoice.lines[0].net_amount == -259


def test_a_tax_code_that_nobody_explained_is_said_once_and_kept() -> None:
    (read,) = from_idoc((IDOC / "de-invoice.xml").read_bytes())
    assert [(f.rule, f.found) for f in read.findings if f.severity is Severity.WARNING] == [
        ("EINV-IDOC-02", "AA"), ("EINV-IDOC-02", "AB"),
    ]  # fmt: skip
    tax = read.invoice.lines[0].taxes[0]
    assert (tax.category, tax.category_name, tax.rate) == (None, "AA", 19)


def test_a_kind_of_document_that_no_table_has_is_refused() -> None:
    data = (IDOC / "de-invoice.xml").read_text("utf-8").replace(">F2<", ">ZF2<").replace(">INVO<", ">ZINV<")
    (read,) = from_idoc(data)
    assert [(f.rule, f.found) for f in fatal(read.findings)] == [("EINV-IDOC-01", "ZF2 ZINV")]
    (told,) = from_idoc(data, types={"ZF2": "384"})
    assert (fatal(told.findings), told.invoice.type_code) == ([], "384")


def test_a_sender_may_mean_other_sums_by_the_same_qualifiers() -> None:
    body = "".join(f'<E1EDS01 SEGMENT="1"><SUMID>{q}</SUMID><SUMME>{v}</SUMME></E1EDS01>'
                   for q, v in (("010", "119.00"), ("011", "100.00")))  # fmt: skip
    shipped = only(body).invoice.totals
    other = only(body, sums={"010": "totals.gross", "011": "totals.net"}).invoice.totals
    assert shipped is not None
    assert other is not None
    assert (shipped.net, shipped.gross) == (119, 100)
    assert (other.net, other.gross) == (100, 119)


def test_an_entry_may_be_taken_out_and_what_no_table_has_is_a_warning() -> None:
    body = '<E1EDK02 SEGMENT="1"><QUALF>{}</QUALF><BELNR>77</BELNR></E1EDK02>'
    assert only(body.format("012")).invoice.despatch_advice_reference == "77"
    assert unexpected(only(body.format("012"), references={"012": ""}))
    assert unexpected(only(body.format("011")))
    assert unexpected(only(body.format("017"))) == []


def test_a_sum_in_another_currency_is_not_taken() -> None:
    read = only('<E1EDS01 SEGMENT="1"><SUMID>011</SUMID><SUMME>5.00</SUMME><WAERQ>USD</WAERQ></E1EDS01>')
    assert read.invoice.totals is None or read.invoice.totals.gross is None
    assert unexpected(read)


def test_texts_in_other_languages_are_left_out_where_one_is_asked_for() -> None:
    body = "".join(
        f'<E1EDKT1 SEGMENT="1"><TDID>1</TDID><TSSPRAS_ISO>{tongue}</TSSPRAS_ISO>'
        f"<E1EDKT2><TDLINE>{text}</TDLINE><TDFORMAT>*</TDFORMAT></E1EDKT2></E1EDKT1>"
        for tongue, text in (("DE", "Danke"), ("EN", "Thanks"))
    )
    assert [note.text for note in only(body).invoice.notes] == ["Danke", "Thanks"]
    assert [note.text for note in only(body, language="EN").invoice.notes] == ["Thanks"]


@pytest.mark.parametrize("said", ["1.234,50", "1E3", "--5", "5 -x", "abc"])
def test_a_number_that_sap_does_not_write_is_a_fault_at_its_segment(said: str) -> None:
    read = only(f'<E1EDS01 SEGMENT="1"><SUMID>011</SUMID><SUMME>{said}</SUMME></E1EDS01>')
    (finding,) = fatal(read.findings)
    assert (finding.rule, finding.term) == ("EINV-READ-04", "BT-112")
    assert "/E1EDS01/SUMME line 1" in finding.place


def test_one_idoc_of_another_kind_does_not_hinder_the_others() -> None:
    good = (IDOC / "de-credit-note.xml").read_text("utf-8")
    other = idoc("", "ORDERS").removeprefix("<INVOIC02>").removesuffix("</INVOIC02>")
    one, two = from_idoc(good.replace("</INVOIC02>", f"{other}</INVOIC02>"))
    assert one.invoice.number == "0090000816"
    assert two.problem is not None
    assert "ORDERS" in two.problem.message
    with pytest.raises(UnreadableDocument, match="ORDERS"):
        from_idoc(idoc("", "ORDERS"))


def test_an_idoc_is_known_by_its_control_record_whatever_its_root_is_called() -> None:
    data = (IDOC / "de-invoice.xml").read_bytes().replace(b"INVOIC02>", b"ZINVOICE>")
    assert formats.detect(data) == "idoc"
    assert from_idoc(data)[0].invoice.number == "0090000815"


def test_a_cut_idoc_is_refused() -> None:
    whole, chance = (IDOC / "de-invoice.xml").read_bytes(), random.Random(7)
    for _ in range(50):
        with pytest.raises(UnreadableDocument):
            from_idoc(whole[: chance.randrange(len(whole) - 20)])


@pytest.mark.parametrize("path", others("idoc"), ids=lambda path: path.name)
def test_a_file_of_another_format_is_refused(path: Path) -> None:
    with pytest.raises(EInvoiceError):
        from_idoc(path.read_bytes())


def test_the_senders_file_is_checked_before_anything_is_read() -> None:
    with pytest.raises(ConfigError) as caught:
        load('[taxes.AA]\ncategry = "S"\n[defaults]\nBT-2400 = "x"\n[date]\n"026" = "issue_date"', Idoc)
    assert len(caught.value.findings) == 3


def test_a_term_that_does_not_exist_in_a_senders_table_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"sums: \"010\" means totals\.nett"):
        load('[sums]\n"010" = "totals.nett"', Idoc)


def test_the_shipped_tables_have_a_place_for_every_qualifier() -> None:
    assert plan(table(Idoc())).children
