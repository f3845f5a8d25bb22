"""Facturae 3.2.2: what is written, what is read, and what is said about everything else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from stdnum.es import iban, nif

from einvoice import artefacts, formats
from einvoice.codes import codes
from einvoice.codes.crosswalks import crosswalk
from einvoice.errors import Finding, InvalidInvoice, UnreadableDocument, fatal
from einvoice.exchange import Document, Read
from einvoice.formats._facturae_table import METHODS, REASONS
from einvoice.formats.facturae import NAMESPACES, Centre, Facturae, FacturaeFormat
from einvoice.loss import losses
from einvoice.model import Account, Attachment, Invoice, Payment, Preceding, leaves
from einvoice.totals import Policy, differences
from tests import readable
from tools.roundtrip import differences as unequal

SCHEMA = "facturae-3.2.2"
NAMES = readable.names("facturae")
#: What versions 3.0 and 3.1 have that the rows do not: elements of other names, and groups that no term holds.
OLDER = {
    "Invoice30.xml": {"FactoringAssignmentData", "EquivalentInEuros", "Subsidies", "AmountsWithheld",
                      "IssuerContractReference", "PurchaseOrderReference", "BranchCode", "BranchInSpainAddress",
                      "RelayedInvoice", "ReasonDescription", "CorrectionMethodDescription"},
    "factura_ejemplo_31.xml": {"ReimbursableExpenses", "TotalFinancialExpenses", "AmountsWithheld",
                               "TotalReimbursableExpenses", "IssuerContractReference", "PurchaseOrderReference",
                               "BranchCode", "BranchInSpainAddress"},
}  # fmt: skip


def invoice(name: str) -> Invoice:
    return readable.invoice(name, "facturae")


def write(invoice: Invoice, **settings: Any) -> Document:
    return FacturaeFormat(Facturae(**settings)).write(invoice, readable.IDS)


def read(data: bytes) -> Read:
    (one,) = formats.read(data)
    assert one.format == "facturae"
    return one


def again(invoice: Invoice, **settings: Any) -> Invoice:
    return read(write(invoice, **settings).data).invoice


def texts(document: Document, name: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(document.data).iter(name)]


def valid(document: Document, reference: Path) -> None:
    verdict = artefacts.validate(SCHEMA, document.data)
    assert (verdict.status, [str(one) for one in verdict.findings]) == ("valid", [])


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, golden: Callable[[str, bytes], None]) -> None:
    golden(f"facturae/{name}.xml", write(invoice(name)).data)


@pytest.mark.parametrize("name", NAMES)
def test_a_readable_invoice_is_valid_and_nothing_is_missing(name: str, reference: Path) -> None:
    document = write(invoice(name))
    assert document.losses == ()
    valid(document, reference)


@pytest.mark.parametrize("name", NAMES)
def test_a_readable_invoice_comes_back_and_what_does_not_is_said(name: str) -> None:
    before = invoice(name)
    document = write(before)
    first = read(document.data)
    assert [one for one in first.findings if one.rule.startswith("EINV-READ")] == []
    told = {one.path for one in losses(before, document, FacturaeFormat())}
    gone = {f"$.{path}" for path, value in leaves(before) if dict(leaves(first.invoice)).get(path) != value}
    assert gone == told
    assert again(first.invoice) == first.invoice


def test_what_of_the_readable_invoices_is_not_carried() -> None:
    """The tax of a document level charge alone: Facturae states what taxes come to, not what each charge bears."""
    told = {one.path for name in NAMES for one in losses(invoice(name), write(invoice(name)), FacturaeFormat())}
    assert told == {"$.charges[0].taxes[0].category", "$.charges[0].taxes[0].rate"}


@pytest.mark.parametrize("name", NAMES)
def test_a_readable_invoice_adds_up_and_its_numbers_are_valid(name: str) -> None:
    one = invoice(name)
    if name != "es-surcharge":  # EN 16931 has no place for the surcharge, which is in the tax total
        assert list(differences(one, Policy.EN16931)) == []
    for party in (one.seller, one.buyer):
        assert party is not None
        assert party.vat_id is not None
        assert nif.is_valid(party.vat_id.removeprefix("ES")) or _cif(party.vat_id) or party.vat_id.startswith("FR")
    for means in one.payment.means if one.payment else ():
        assert means.account is None or iban.is_valid(means.account.id)


def _cif(vat: str) -> bool:
    from stdnum.es import cif

    return bool(cif.is_valid(vat.removeprefix("ES")))


# --- samples of others ------------------------------------------------------------------------------------------------


def samples(reference: Path) -> list[Path]:
    return sorted(path for path in (reference / "facturae").rglob("*") if path.suffix in (".xml", ".xsig"))


def test_every_sample_comes_back_equal_and_nothing_of_it_is_unread(reference: Path) -> None:
    found = samples(reference)
    assert len(found) == 7
    for path in found:
        first = read(path.read_bytes())
        unread = {one.place for one in first.findings if one.rule in ("EINV-READ-01", "EINV-READ-02")}
        older = OLDER.get(path.name, set())
        assert [place for place in unread if not any(f"/{name}" in place for name in older)] == [], path.name
        assert all(any(f"/{name}" in place for place in unread) for name in older), path.name
        if path.name not in OLDER and not any(one.rule == "EINV-READ-05" for one in first.findings):
            assert list(unequal(first.invoice, again(first.invoice))) == [], path.name
        else:  # an attachment that is not base64 is said, and is not written
            assert {line.partition(".")[2].split("[")[0] for line in unequal(first.invoice, again(first.invoice))} <= {
                "attachments"
            }, path.name


def test_every_sample_is_written_valid(reference: Path) -> None:
    for path in samples(reference):
        document = write(read(path.read_bytes()).invoice)
        verdict = artefacts.validate(SCHEMA, document.data)
        faults = [one.message for one in verdict.findings]
        if path.name == "Invoice30.xml":  # states the language "0"
            assert len(faults) == 1
            assert "LanguageName" in str(verdict.findings[0])
        else:
            assert (verdict.status, faults) == ("valid", []), path.name


def test_the_amounts_of_the_samples_are_written_as_they_stand(reference: Path) -> None:
    for path in sorted((reference / "facturae" / "samples-3.2.2").glob("*.xml")):
        data = path.read_bytes()
        source, written = (etree.fromstring(one) for one in (data, write(read(data).invoice).data))
        names = ("TotalAmount", "InvoiceTotal", "TotalOutstandingAmount", "TotalExecutableAmount", "Quantity",
                 "TotalCost", "GrossAmount", "TotalTaxOutputs", "TotalTaxesWithheld", "InstallmentAmount")  # fmt: skip
        for name in names:
            before, after = ([(one.text or "").strip() for one in root.iter(name)] for root in (source, written))
            assert before == after, (path.name, name)


def test_documents_of_other_formats_become_valid_or_what_is_lacking_is_said(reference: Path) -> None:
    """UBL and CII samples: no fatal finding and an invalid file do not go together, and every loss is told."""
    count = written = 0
    settings = Facturae(reason_code="16", correction_method="02", vat_period="month")
    for folder, kind in (("en16931/examples/ubl", "ubl"), ("en16931/examples/cii", "cii"), ("xrechnung/testsuite", "")):
        for path in sorted((reference / folder).rglob("*.xml")):
            try:
                (source,) = formats.read(path.read_bytes(), kind)
            except UnreadableDocument:
                continue
            count += 1
            format = FacturaeFormat(settings)
            document = format.write(source.invoice, readable.IDS)
            told = {one.path for one in losses(source.invoice, document, format)}
            back = dict(leaves(next(format.read(io.BytesIO(document.data))).invoice))
            gone = {f"$.{at}" for at, value in leaves(source.invoice) if back.get(at) != value}
            assert gone == told, path.name
            if not fatal(document.losses):
                written += 1
                verdict = artefacts.validate(SCHEMA, document.data)
                assert (verdict.status, [str(one) for one in verdict.findings]) == ("valid", []), path.name
    assert count >= 53
    assert written >= 18


# --- kinds of documents -----------------------------------------------------------------------------------------------


def test_a_credit_note_is_a_correction_with_negative_amounts() -> None:
    document = write(invoice("es-credit-note"))
    assert texts(document, "InvoiceClass") == ["OR"]
    assert texts(document, "Quantity") == ["-2"]
    assert texts(document, "UnitPriceWithoutTax") == ["18.50"]
    assert texts(document, "InvoiceTotal") == ["-38.48"]
    assert texts(document, "ReasonDescription") == ["Detalle Operación"]
    assert texts(document, "CorrectionMethodDescription") == ["Rectificación por diferencias"]
    back = read(document.data).invoice
    assert back.totals is not None
    assert (back.type_code, back.totals.gross, back.lines[0].quantity) == ("381", Decimal("38.48"), Decimal(2))


def test_a_correction_that_does_not_credit_is_a_corrected_invoice() -> None:
    one = invoice("es-credit-note").model_copy(update={"type_code": "384"})
    document = write(one)
    assert texts(document, "InvoiceTotal") == ["38.48"]
    assert again(one).type_code == "384"


@pytest.mark.parametrize(("type_code", "kind", "document"), [("380", "OO", "FC"), ("385", "OC", "FC"),
                                                             ("389", "OO", "AF")])  # fmt: skip
def test_the_type_of_an_invoice_comes_back(type_code: str, kind: str, document: str) -> None:
    one = invoice("es-surcharge").model_copy(update={"type_code": type_code})
    written = write(one)
    assert texts(written, "InvoiceClass") == [kind]
    assert texts(written, "InvoiceDocumentType") == [document]
    assert read(written.data).invoice.type_code == type_code


def test_a_copy_says_so() -> None:
    one = invoice("es-surcharge").model_copy(update={"copy_of_original": True})
    assert texts(write(one), "InvoiceClass") == ["CO"]
    assert again(one).copy_of_original is True


def test_series_and_number_stand_apart_and_the_number_is_whole_in_the_model() -> None:
    document = write(invoice("es-invoice"))
    assert texts(document, "InvoiceNumber") == ["00417"]
    assert texts(document, "InvoiceSeriesCode") == ["A26-"]
    assert texts(document, "BatchIdentifier") == ["B9999901300417A26-"]
    assert read(document.data).invoice.number == "A26-00417"


def test_a_correction_lacks_what_neither_invoice_nor_profile_states() -> None:
    one = invoice("es-credit-note")
    bare = one.model_copy(update={"preceding": (Preceding(id="A26-00417", issue_date=date(2026, 10, 5)),)})
    lacking = write(bare).losses
    assert [(finding.rule, finding.term) for finding in lacking] == [
        ("EINV-WRITE-01", "EX-422"), ("EINV-WRITE-01", "EX-424"), ("EINV-WRITE-01", "EX-425"),
        ("EINV-WRITE-01", "EX-423"),
    ]  # fmt: skip
    assert all("profile" in finding.fix for finding in lacking)


@pytest.mark.parametrize(("period", "start", "end"), [("month", "2026-10-01", "2026-10-31"),
                                                      ("quarter", "2026-10-01", "2026-12-31")])  # fmt: skip
def test_the_profile_may_say_what_a_correction_leaves_open(period: str, start: str, end: str, reference: Path) -> None:
    one = invoice("es-credit-note")
    bare = one.model_copy(update={"preceding": (Preceding(id="A26-00417", issue_date=date(2026, 10, 5)),)})
    document = write(bare, reason_code="80", correction_method="02", vat_period=period)
    assert document.losses == ()
    assert texts(document, "StartDate") + texts(document, "EndDate") == [start, end]
    valid(document, reference)


def test_the_end_of_a_quarter_knows_leap_years() -> None:
    found = Facturae(vat_period="quarter").period_of(date(2028, 2, 3))
    assert found is not None
    assert (found.start, found.end) == (date(2028, 1, 1), date(2028, 3, 31))
    leap = Facturae(vat_period="month").period_of(date(2028, 2, 3))
    assert leap is not None
    assert leap.end == date(2028, 2, 29)


def test_descriptions_of_corrections_are_those_of_the_schema(reference: Path) -> None:
    schema = etree.parse(str(reference / "facturae/xsd/Facturaev3_2_2.xsd"))

    def listed(name: str) -> list[str]:
        kind = schema.find(f".//{{*}}simpleType[@name='{name}']")
        assert kind is not None
        return [str(one.get("value")) for one in kind.iter("{*}enumeration")]

    assert list(REASONS) == listed("ReasonCodeType")
    assert list(REASONS.values()) == listed("ReasonDescriptionType")
    assert list(METHODS.values()) == listed("CorrectionMethodDescriptionType")
    for name, kind in (("facturae_payment", "PaymentMeansType"), ("facturae_units", "UnitOfMeasureType"),
                       ("facturae_taxes", "TaxTypeCodeType")):  # fmt: skip
        assert sorted(crosswalk(name).ours) == sorted(listed(kind)), name
    countries = set(listed("CountryType"))
    lacking = {theirs for theirs in crosswalk("iso3166_alpha3").ours if theirs not in countries}
    assert lacking == set("ALA ATA ATF BES BLM BVT CCK CUW CXR HMD IOT MAF SGS SSD SXM UMI".split())


def test_crosswalks_speak_of_published_codes() -> None:
    day = date(2026, 11, 24)
    assert {one for one in crosswalk("facturae_units").theirs if one not in codes("units", day)} == {"ES14", "ES27"}
    known = codes("payment_means", day)
    assert {one for one in crosswalk("facturae_payment").theirs if one.partition("/")[0] not in known} == set()
    countries = codes("countries", day) - {"1A", "AN"}
    assert {one for one in countries if crosswalk("iso3166_alpha3").to(one) is None} == set()
    assert len(crosswalk("es_provinces").theirs) == 52
    assert all(len(name) <= 20 for name in crosswalk("es_provinces").ours)


# --- batches ----------------------------------------------------------------------------------------------------------


def batch() -> list[Invoice]:
    first = invoice("es-surcharge")
    return [first, first.model_copy(update={"number": "B26-0102"})]


def test_a_batch_holds_several_invoices_and_their_sums(reference: Path) -> None:
    document = FacturaeFormat().write_batch(batch(), readable.IDS)
    valid(document, reference)
    root = etree.fromstring(document.data)
    assert root.findtext("FileHeader/Modality") == "L"
    assert root.findtext("FileHeader/Batch/InvoicesCount") == "2"
    assert root.findtext("FileHeader/Batch/TotalInvoicesAmount/TotalAmount") == "757.20"
    found = list(formats.read(document.data))
    assert [one.invoice.number for one in found] == ["B26-0101", "B26-0102"]
    assert [one.findings for one in found] == [(), ()]
    assert found[1].locate("$.number").startswith("/fe:Facturae/Invoices/Invoice")


def test_invoices_of_different_parties_do_not_share_a_file() -> None:
    with pytest.raises(InvalidInvoice) as caught:
        FacturaeFormat().write_batch([invoice("es-fee"), invoice("es-surcharge")], readable.IDS)
    assert caught.value.findings[0].rule == "EINV-FACTURAE-01"


def test_a_header_that_does_not_say_what_the_invoices_come_to_is_found() -> None:
    data = FacturaeFormat().write_batch(batch(), readable.IDS).data
    wrong = data.replace(b"<InvoicesCount>2", b"<InvoicesCount>3").replace(b">757.20<", b">757.21<", 1)
    wrong = wrong.replace(b"<Modality>L", b"<Modality>I")
    first, second = formats.read(wrong)
    assert [(one.rule, one.found, one.expected) for one in first.findings] == [
        ("EINV-FACTURAE-02", "I", "L"), ("EINV-FACTURAE-02", "3", "2"), ("EINV-FACTURAE-02", "757.21", "757.20"),
    ]  # fmt: skip
    assert second.findings == ()


# --- parties ----------------------------------------------------------------------------------------------------------


def test_the_centres_of_face_come_back_with_role_and_code() -> None:
    document = write(invoice("es-invoice"))
    assert texts(document, "CentreCode") == ["L01999991", "L01999992", "L01999993"]
    assert texts(document, "RoleTypeCode") == ["01", "02", "03"]
    roles = [one.role for one in read(document.data).invoice.other_parties]
    assert roles == ["buyer:01", "buyer:02", "buyer:03"]


def test_centres_of_the_profile_stand_in_for_those_the_invoice_does_not_name(reference: Path) -> None:
    one = invoice("es-invoice").model_copy(update={"other_parties": ()})
    centres = (Centre(role="01", code="L01999991"), Centre(role="04", code="L01999994", name="Compras"))
    document = write(one, centres=centres)
    valid(document, reference)
    assert texts(document, "CentreCode") == ["L01999991", "L01999994"]
    assert texts(write(invoice("es-invoice"), centres=centres), "CentreCode")[0] == "L01999991"
    assert len(texts(write(invoice("es-invoice"), centres=centres), "CentreCode")) == 3


def test_a_natural_person_is_named_in_parts() -> None:
    root = etree.fromstring(write(invoice("es-fee")).data)
    seller = root.find("Parties/SellerParty")
    assert seller is not None
    assert seller.findtext("TaxIdentification/PersonTypeCode") == "F"
    assert seller.findtext("Individual/FirstSurname") == "Inventada"
    assert seller.find("LegalEntity") is None


def test_a_natural_person_named_in_one_piece_is_said(reference: Path) -> None:
    one = invoice("es-fee")
    assert one.seller is not None
    parts = dict.fromkeys(("given_name", "family_name", "second_family_name"))
    document = write(one.model_copy(update={"seller": one.seller.model_copy(update=parts)}))
    assert [(finding.rule, finding.fatal) for finding in document.losses] == [("EINV-FACTURAE-05", False)]
    valid(document, reference)


def test_the_country_prefix_of_a_tax_number_is_for_trade_abroad() -> None:
    assert texts(write(invoice("es-fee")), "TaxIdentificationNumber") == ["99999999R", "A99999039"]
    assert texts(write(invoice("es-canaries")), "TaxIdentificationNumber") == ["ESB99999047", "FR13999888001"]


def test_an_address_abroad_is_one_and_keeps_its_parts() -> None:
    root = etree.fromstring(write(invoice("es-canaries")).data)
    place = root.find("Parties/BuyerParty/LegalEntity/OverseasAddress")
    assert place is not None
    assert [one.text for one in place] == ["12 quai de l'Exemple", "44000 Nantes", "-", "FRA"]
    back = again(invoice("es-canaries")).buyer
    assert back is not None
    assert back.address == invoice("es-canaries").buyer.address  # type: ignore[union-attr]


def test_the_post_code_says_the_province() -> None:
    assert texts(write(invoice("es-invoice")), "Province")[:2] == ["Zaragoza", "Teruel"]


# --- taxes ------------------------------------------------------------------------------------------------------------


def test_what_is_withheld_lessens_the_total_and_not_the_total_with_tax() -> None:
    document = write(invoice("es-fee"))
    assert texts(document, "InvoiceTotal") == ["848.00"]
    assert texts(document, "TotalTaxesWithheld") == ["120.00"]
    back = read(document.data).invoice
    assert back.totals is not None
    assert (back.totals.gross, back.totals.withheld) == (Decimal("968.00"), Decimal("120.00"))
    assert [(tax.scheme, tax.effect) for tax in back.tax_breakdown] == [("VAT", None), ("IRPF", "withheld")]


def test_igic_is_a_category_and_an_exemption_an_event() -> None:
    document = write(invoice("es-canaries"))
    assert texts(document, "TaxTypeCode") == ["03", "01", "03", "01"]
    assert texts(document, "SpecialTaxableEventReason") == ["Exenta, artículo 50 de la Ley 4/2012"]
    back = read(document.data).invoice
    assert [tax.category for tax in back.tax_breakdown] == ["L", "E"]
    assert back.tax_breakdown[1].exemption_reason == "Exenta, artículo 50 de la Ley 4/2012"


def test_the_equivalence_surcharge_stands_in_the_tax() -> None:
    document = write(invoice("es-surcharge"))
    assert texts(document, "EquivalenceSurcharge") == ["5.20", "5.20"]
    assert again(invoice("es-surcharge")).tax_breakdown[0].surcharge_amount == Decimal("15.60")


# --- payment, attachments ---------------------------------------------------------------------------------------------


def test_instalments_come_back_with_the_one_means_that_pays_them() -> None:
    document = write(invoice("es-invoice"))
    assert texts(document, "InstallmentAmount") == ["1751.55", "1000.00"]
    assert texts(document, "PaymentMeans") == ["04", "04"]
    back = read(document.data).invoice
    assert back.payment is not None
    assert len(back.payment.means) == 1
    assert [one.amount for one in back.payment.instalments] == [Decimal("1751.55"), Decimal("1000.00")]


def test_means_without_a_due_date_are_left_out_and_said(reference: Path) -> None:
    document = write(invoice("es-fee").model_copy(update={"due_date": None}))
    assert [(one.rule, one.term, one.fatal) for one in document.losses] == [("EINV-FACTURAE-03", "BT-9", False)]
    assert texts(document, "PaymentMeans") == []
    valid(document, reference)


@pytest.mark.parametrize("theirs", sorted(crosswalk("facturae_payment").ours))
def test_every_payment_means_comes_back(theirs: str) -> None:
    data = write(invoice("es-fee")).data.replace(b"<PaymentMeans>04<", f"<PaymentMeans>{theirs}<".encode())
    assert texts(write(read(data).invoice), "PaymentMeans") == [theirs]


def test_an_account_number_that_no_element_holds_is_left_out_with_a_word(reference: Path) -> None:
    one = invoice("es-invoice")
    assert one.payment
    account = one.payment.means[0].model_copy(update={"account": Account(id="1234")})
    short = one.model_copy(update={"payment": one.payment.model_copy(update={"means": (account,)})})
    valid(write(short), reference)
    assert "payment.means[0].account.id" in {
        found.path.removeprefix("$.") for found in losses(short, write(short), FacturaeFormat())
    }


def test_an_attachment_of_a_kind_that_has_no_code_is_lost_with_a_word() -> None:
    picture = Attachment(id="1", mime="image/png", content=b"png")
    one = invoice("es-fee").model_copy(update={"attachments": (picture,)})
    document = write(one)
    assert b"RelatedDocuments" not in document.data
    assert "$.attachments[0].content" in {loss.path for loss in losses(one, document, FacturaeFormat())}


def test_a_compressed_attachment_comes_back_packed() -> None:
    packed = Attachment(mime="application/zip", filename="1.pdf.zip", content=b"PK", description="Parte")
    one = invoice("es-fee").model_copy(update={"attachments": (packed,)})
    assert texts(write(one), "AttachmentCompressionAlgorithm") == ["ZIP"]
    assert again(one).attachments == (packed,)


# --- what does not fit, what is hostile -------------------------------------------------------------------------------


def rules(document: Document) -> set[tuple[str, str]]:
    return {(one.rule, one.path) for one in document.losses}


def test_a_text_longer_than_its_element_is_said_before_the_schema_does() -> None:
    one = invoice("es-fee")
    line = one.lines[0]
    assert line.item is not None
    long = line.model_copy(update={"item": line.item.model_copy(update={"seller_id": "X" * 21})})
    found = rules(write(one.model_copy(update={"lines": (long,), "number": "9" * 21})))
    assert found == {("EINV-FACTURAE-04", "$.lines[0].item.seller_id"), ("EINV-FACTURAE-04", "$.number")}


def test_a_price_for_many_is_written_for_one() -> None:
    one = invoice("es-fee")
    line = one.lines[0]
    assert line.price is not None
    for base, price, found in ((100, "0.8", set()), (3, "26.66666", {("EINV-FACTURAE-06", "$.lines[0].price.net")})):
        many = line.price.model_copy(update={"base_quantity": Decimal(base)})
        document = write(one.model_copy(update={"lines": (line.model_copy(update={"price": many}),)}))
        assert texts(document, "UnitPriceWithoutTax")[0].startswith(price)
        assert rules(document) == found


def test_an_invoice_with_nothing_in_it_names_everything_it_lacks() -> None:
    terms = {one.term for one in write(Invoice(), language="").losses}
    assert terms >= {"BT-1", "BT-2", "BT-5", "BT-27", "BT-31", "BT-44", "BT-48", "BT-112", "BT-115", "BG-23", "BG-25",
                     "EX-2"}  # fmt: skip


def test_a_signature_is_passed_over_and_said(reference: Path) -> None:
    found = read((reference / "facturae/samples-3.2.2/invoice-vat.xml").read_bytes()).findings
    assert [(one.rule, one.fatal) for one in found] == [("EINV-READ-08", False)]


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_version_is_read(namespace: str) -> None:
    data = write(invoice("es-fee")).data.replace(NAMESPACES[0].encode(), namespace.encode())
    assert read(data).invoice == again(invoice("es-fee"))


def test_a_namespace_of_no_version_is_refused() -> None:
    data = write(invoice("es-fee")).data.replace(NAMESPACES[0].encode(), b"urn:other")
    with pytest.raises(UnreadableDocument):
        read(data)


def test_a_document_cut_anywhere_is_refused_with_its_place() -> None:
    data = write(invoice("es-invoice")).data
    for cut in range(1, 51):
        with pytest.raises(UnreadableDocument) as caught:
            list(formats.read(data[: len(data) * cut // 51], "facturae"))
        assert caught.value.where


def test_files_of_other_formats_are_refused() -> None:
    for path in sorted(readable.FIXTURES.rglob("*.*")):
        if path.parent.name != "facturae" and path.suffix in (".xml", ".edi", ".toml", ".x12"):
            with pytest.raises(UnreadableDocument):
                list(formats.read(path.read_bytes(), "facturae"))


def test_any_element_may_be_missing_empty_or_twice() -> None:
    """Whatever is taken out, emptied or doubled: findings or a refusal, no other error."""
    data = write(invoice("es-invoice")).data
    size = len(list(etree.fromstring(data).iter()))
    for index in range(1, size):
        for change in ("remove", "empty", "double"):
            root = etree.fromstring(data)
            element = list(root.iter())[index]
            parent = element.getparent()
            assert parent is not None
            if change == "remove":
                parent.remove(element)
            elif change == "empty":
                element.clear()
            else:
                parent.insert(parent.index(element), etree.fromstring(etree.tostring(element)))
            try:
                found: list[Finding] = [one for read in formats.read(etree.tostring(root)) for one in read.findings]
            except UnreadableDocument:
                continue
            assert all(re.search(r" line \d+$", one.place) for one in found)


def test_a_value_that_is_no_number_or_date_is_a_finding() -> None:
    data = write(invoice("es-invoice")).data
    for old, new, rule in ((b"<InvoiceTotal>2751.55", b"<InvoiceTotal>1E3", "EINV-READ-03"),
                           (b"<IssueDate>2026-10-05", b"<IssueDate>2026-13-05", "EINV-READ-04"),
                           (b"<CountryCode>ESP", b"<CountryCode>XXX", "EINV-READ-04"),
                           (b"<TaxTypeCode>01", b"<TaxTypeCode>99", "EINV-READ-04"),
                           (b"<UnitOfMeasure>02", b"<UnitOfMeasure>99", "EINV-READ-04")):  # fmt: skip
        assert old in data
        assert rule in {one.rule for one in read(data.replace(old, new, 1)).findings}


def test_payment_terms_alone_have_no_place() -> None:
    one = replace_payment(invoice("es-credit-note"))
    told = {loss.path for loss in losses(one, write(one), FacturaeFormat())}
    assert "$.payment.terms" in told


def replace_payment(one: Invoice) -> Invoice:
    return one.model_copy(update={"payment": Payment(terms="30 días")})
