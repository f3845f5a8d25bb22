"""FatturaPA: what is written, what is read, what is refused; the notices of SdI."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from einvoice import artefacts, formats
from einvoice.codes.checkdigits import it_fiscal_code, it_vat
from einvoice.codes.crosswalks import crosswalk
from einvoice.errors import ConfigError, EInvoiceError, Finding, Severity, UnreadableDocument
from einvoice.exchange import Document, Environment, Identity, Read
from einvoice.formats._fatturapa_facets import FACETS
from einvoice.formats.fatturapa import FatturaPa, FatturaPaFormat, ItemCodes, answers, table
from einvoice.loss import losses
from einvoice.mapping import Leaf, Node, placed, plan
from einvoice.model import Invoice, canonical, leaves
from tests import readable
from tests.invoices import invoices
from tools import roundtrip

IDS = replace(readable.IDS, numbers={"progressive": "00A17"})
NAMES = readable.names("fatturapa")
#: What belongs to one transmission and is new in every writing.
OWN = ("ProgressivoInvio", "IdTrasmittente", "ContattiTrasmittente", "FormatoTrasmissione", "@versione")
#: A house's settings that fill what invoices of other countries do not state.
FILLED = FatturaPa(
    regime="RF01", withholding="RT01", liquidation="LN", transliterate=True, long_text="cut",
    natures={"AE": "N6.9", "O": "N2.2", "Z": "N3.6"}, payment={"1": "MP05", "ZZZ": "MP05"},
)  # fmt: skip


def invoice(name: str) -> Invoice:
    return readable.invoice(name, "fatturapa")


def changed(name: str, change: Callable[[dict[str, Any]], object]) -> Invoice:
    raw = invoice(name).model_dump(exclude_defaults=True)
    change(raw)
    return Invoice.model_validate(raw)


def write(one: Invoice, **given_: Any) -> Document:
    return FatturaPaFormat(FatturaPa.model_validate(given_)).write(one, IDS)


def read(data: bytes) -> Read:
    (one,) = formats.read(data)
    return one


def rules(found: tuple[Finding, ...]) -> list[str]:
    return [one.rule for one in found]


def fatal(document: Document) -> list[Finding]:
    return [one for one in document.losses if one.fatal]


def texts(document: Document, path: str) -> list[str]:
    return [str(one.text) for one in etree.fromstring(document.data).iterfind(path)]


# --- goldens ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, golden: Callable[[str, bytes], None]) -> None:
    golden(f"fatturapa/{name}.xml", write(invoice(name)).data)


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_comes_back_whole_and_nothing_is_said(name: str) -> None:
    one = invoice(name)
    document = write(one)
    assert document.losses == ()
    assert losses(one, document, FatturaPaFormat()) == []
    again = read(document.data)
    assert again.findings == ()
    assert canonical(again.invoice) == canonical(one)


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_is_valid_by_the_official_schema(name: str, reference: Path) -> None:
    verdict = formats.schema_verdict(write(invoice(name)))
    assert (verdict.status, verdict.findings) == ("valid", ())


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_fixtures_have_their_check_digits(name: str) -> None:
    one = invoice(name)
    for party in (one.seller, one.buyer):
        assert party is not None
        assert party.vat_id is None or it_vat(party.vat_id)
        assert party.tax_id is None or it_fiscal_code(party.tax_id)


def test_a_fiscal_representative_without_a_vat_number_is_held() -> None:
    document = write(changed("goods", lambda raw: raw.update(tax_representative={"name": "Invented Ltd"})))
    assert [one.term for one in fatal(document)] == ["BT-63"]


# --- the schema and the table -----------------------------------------------------------------------------------------

_XS = "{http://www.w3.org/2001/XMLSchema}"
SCHEMAS = {False: "FatturaPA_v1.2.2.xsd", True: "SVFSM10.xsd"}
#: A text for each simple type of the schemas; of an enumeration its first value.
TYPES = {
    "xs:date": "2026-03-04", "xs:dateTime": "2026-03-04T10:20:30", "xs:base64Binary": "AAEC", "RateType": "22.00",
    "Amount2DecimalType": "12.30", "Amount8DecimalType": "1.2345", "QuantitaType": "2.50", "PesoType": "1.20",
    "NumeroLineaType": "1", "RiferimentoNumeroLineaType": "1", "NumeroColliType": "3", "RiferimentoFaseType": "2",
    "CodiceDestinatarioType": "ABC1234", "ProvinciaType": "TO", "NazioneType": "IT", "DivisaType": "EUR",
    "TipoResaType": "EXW", "CAPType": "10121", "CodiceFiscaleType": "NVNDAA80A41L219X", "ABIType": "12345",
    "CodiceFiscalePFType": "NVNDAA80A41L219X", "CodEORIType": "IT99999000013", "CABType": "54321",
    "IBANType": "IT39X9999999999000001234567", "BICType": "UNCRITMM", "GiorniTerminePagamentoType": "30",
    "EmailType": "a@b.example", "EmailContattiType": "c@d.example", "TelFaxType": "01155501", "TitoloType": "Dott",
    "CodiceType": "99999000013", "DataFatturaType": "2026-03-05",
}  # fmt: skip


class Schema:
    """An official schema as a list of its elements: what a reader has to know, and one document that holds them all."""

    def __init__(self, path: Path) -> None:
        parser = etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False)
        root = etree.parse(str(path), parser).getroot()
        self.groups = {one.get("name"): one for one in root.iterfind(f"{_XS}complexType")}
        self.simple = {one.get("name"): one for one in root.iterfind(f"{_XS}simpleType")}
        self.target = root.get("targetNamespace")
        (element,) = root.findall(f"{_XS}element")
        self.root = element.get("name")
        self.count = 0

    def paths(self, name: str = "FatturaElettronicaType", at: str = "") -> Iterator[str]:
        for one in self._elements(name):
            here = f"{at}/{one.get('name')}"
            if one.get("type") in self.groups:
                yield from self.paths(str(one.get("type")), here)
            else:
                yield here

    def whole(self, left: set[str]) -> bytes:
        """A document with every element once, but for those in *left* (one side of each choice)."""
        root = etree.Element(f"{{{self.target}}}{self.root}", nsmap={"p": self.target})
        root.set("versione", "FPR12" if self.root == "FatturaElettronica" else "FSM10")
        self._fill(root, "FatturaElettronicaType", left)
        return etree.tostring(root)

    def _fill(self, parent: etree._Element, name: str, left: set[str]) -> None:
        for one in self._elements(name):
            kind = str(one.get("type"))
            if one.get("name") in left:
                continue
            child = etree.SubElement(parent, str(one.get("name")))
            if kind in self.groups:
                self._fill(child, kind, left)
            else:
                child.text = self._text(kind)

    def _text(self, kind: str) -> str:
        values = self.simple[kind].iter(f"{_XS}enumeration") if kind in self.simple else iter(())
        listed = [one.get("value") for one in values]
        if kind == "FormatoTrasmissioneType":
            return str(listed[-1])
        self.count += 1
        return str(listed[0]) if listed else TYPES.get(kind, f"T{self.count}")

    def _elements(self, name: str) -> Iterator[etree._Element]:
        return (one for one in self.groups[name].iter(f"{_XS}element") if one.get("ref") is None)


def known(node: Node, at: str = "") -> Iterator[str]:
    for child in node.children:
        here = f"{at}/{child.name}"
        if isinstance(child.text, Leaf) and child.text.row.raw:
            yield from (f"{here}/IdPaese", f"{here}/IdCodice")
        elif child.text is not None or child.drop:
            yield here
        yield from known(child, here)


@pytest.mark.parametrize("simple", SCHEMAS)
def test_every_element_of_the_schema_has_a_row(simple: bool, reference: Path) -> None:
    schema = Schema(reference / "fatturapa" / "xsd-1.2.2" / SCHEMAS[simple])
    assert set(known(plan(table(simple)))) - {"/ds:Signature"} == set(schema.paths())


@pytest.mark.parametrize("left", [{"Denominazione"}, {"Nome", "Cognome"}])
@pytest.mark.parametrize("simple", SCHEMAS)
def test_a_document_with_every_element_comes_back_whole(simple: bool, left: set[str], reference: Path) -> None:
    data = Schema(reference / "fatturapa" / "xsd-1.2.2" / SCHEMAS[simple]).whole(left)
    (schema,) = artefacts.for_root(str(etree.fromstring(data).tag))
    assert artefacts.validate(schema, data).findings == ()
    one = read(data)
    assert {(found.rule, found.clause[:19]) for found in one.findings} <= {("EINV-READ-08", "FatturaPA 2.1.1.7.8")}
    document = write(one.invoice)
    assert formats.schema_verdict(document).findings == ()
    assert list(roundtrip.differences(one.invoice, read(document.data).invoice)) == []
    silent = [gone for gone in roundtrip.silent(data, document.data, one.findings) if not any(o in gone for o in OWN)]
    assert silent == []


def test_every_element_of_a_text_has_its_form_or_length(reference: Path) -> None:
    """An element whose characters are not looked at is a date, a number made here, or base64."""
    schema = Schema(reference / "fatturapa" / "xsd-1.2.2" / SCHEMAS[False])
    names = {path.rsplit("/", 1)[-1] for path in schema.paths()}
    assert names - set(FACETS) == {
        "FormatoTrasmissione", "BolloVirtuale", "TipoCassa", "Ritenuta", "Tipo", "DataDDT", "DataFatturaPrincipale",
        "TipoCessionePrestazione", "DataInizioPeriodo", "DataFinePeriodo", "RiferimentoData", "DataScadenzaPagamento",
        "Attachment",
    }  # fmt: skip


# --- official and peers' samples --------------------------------------------------------------------------------------

#: Documents that are not valid: why, and what is read of them all the same.
BROKEN = {
    "con-ritenuta-acconto-e-cassa-previdenziale.xml": "cut off",
    "invoice-windows1252.xml": "CodiceArticolo without CodiceValore, which cannot be written",
}
#: Examples of EN 16931 whose line amounts are not quantity times price.
UNEVEN = {"guide-example2.xml", "ubl-tc434-example2.xml", "ubl-tc434-test-1.xml"}


def samples(reference: Path) -> list[Path]:
    found = [path for path in sorted((reference / "fatturapa").rglob("*.xml")) if "samples" in str(path)]
    assert len(found) == 29
    return found


def test_every_sample_is_read_whole_written_valid_and_comes_back_equal(reference: Path) -> None:
    faults = []
    for path in samples(reference):
        data = path.read_bytes()
        if path.name == "con-ritenuta-acconto-e-cassa-previdenziale.xml":
            with pytest.raises(UnreadableDocument, match="line 102"):
                list(formats.read(data))
            continue
        stated = list(formats.read(data))
        said = [found for one in stated for found in one.findings]
        faults += [f"{path.name}: {found}" for found in said if found.rule in roundtrip.LOST]
        if path.name in BROKEN:
            continue
        document = FatturaPaFormat().write_lot([one.invoice for one in stated], IDS)
        for one, other in zip(stated, formats.read(document.data), strict=True):
            faults += [f"{path.name}: {text}" for text in roundtrip.differences(one.invoice, other.invoice)]
        gone = [text for text in roundtrip.silent(data, document.data, said) if not any(own in text for own in OWN)]
        faults += [f"{path.name}: {text}" for text in (*gone, *formats.schema_verdict(document).findings)]
    assert faults == []


def test_a_signature_inside_is_said_to_be_unverified(reference: Path) -> None:
    path = reference / "fatturapa/samples-gobl/fatturapa.gobl/invoice-irpef.xml"
    (said,) = [one for one in read(path.read_bytes()).findings if "Signature" in one.message]
    assert "not verified" in said.clause


def others(reference: Path) -> Iterator[tuple[str, Invoice]]:
    for folder in ("en16931/examples/ubl", "en16931/testfiles", "peppol-bis3/examples", "xrechnung/testsuite"):
        for path in roundtrip.samples(reference / folder):
            yield str(path), next(iter(formats.read(path.read_bytes()))).invoice
    yield from ((name, readable.invoice(name)) for name in readable.names())


def test_invoices_of_other_formats_are_valid_or_say_what_they_lack(reference: Path) -> None:
    form, whole, lacking = FatturaPaFormat(FILLED), 0, 0
    for name, one in others(reference):
        document = form.write(one, IDS)
        verdict = formats.schema_verdict(document)
        if fatal(document):
            lacking += 1
            assert all(found.fix for found in fatal(document))
        else:
            whole += 1
            assert verdict.findings == (), name
            if Path(name).name not in UNEVEN:
                assert list(arithmetic(etree.fromstring(document.data))) == [], name
        again = read(document.data)
        lost = {found.path.removeprefix("$.") for found in losses(one, document, form)}
        before, after = dict(leaves(one)), dict(leaves(again.invoice))
        assert {path for path, value in before.items() if after.get(path) != value} <= lost
    assert whole > 30
    assert lacking > 30


def arithmetic(root: etree._Element) -> Iterator[str]:
    """SdI's own sums, computed here from the XML alone: 00423 of a line, 00422 of the breakdown, within a cent."""

    def number(element: etree._Element, path: str, default: str = "0") -> Decimal:
        return Decimal(element.findtext(path) or default)

    bases: dict[tuple[Decimal, str], Decimal] = {}
    for line in root.iter("DettaglioLinee"):
        price = number(line, "PrezzoUnitario")
        for one in line.iterfind("ScontoMaggiorazione"):
            by = number(one, "Importo") or price * number(one, "Percentuale") / 100
            price += by if one.findtext("Tipo") == "MG" else -by
        total = number(line, "PrezzoTotale")
        if abs(total - price * number(line, "Quantita", "1")) > Decimal("0.01"):
            yield f"line {line.findtext('NumeroLinea')}: {price} is not {total}"
        key = (number(line, "AliquotaIVA"), line.findtext("Natura") or "")
        bases[key] = bases.get(key, Decimal(0)) + total
    for fund in root.iter("DatiCassaPrevidenziale"):
        key = (number(fund, "AliquotaIVA"), fund.findtext("Natura") or "")
        bases[key] = bases.get(key, Decimal(0)) + number(fund, "ImportoContributoCassa")
    for row in root.iter("DatiRiepilogo"):
        key = (number(row, "AliquotaIVA"), row.findtext("Natura") or "")
        if abs(bases.get(key, Decimal(0)) - number(row, "ImponibileImporto")) > 1:
            yield f"{key}: {bases.get(key)} is not {row.findtext('ImponibileImporto')}"


@pytest.mark.parametrize("name", ["fee-note", "municipality", "credit-note"])
def test_the_fixtures_stand_the_sums_of_sdi(name: str) -> None:
    assert list(arithmetic(etree.fromstring(write(invoice(name)).data))) == []


# --- any invoice ------------------------------------------------------------------------------------------------------

_PARTY = {"name": "Nome Srl", "vat_id": "IT99999000013", "regime": "RF01"}
_PLACE = {"line_1": "Via X", "city": "Torino", "postcode": "10121", "country": "IT"}
_TAXES = ("lines[].taxes[]", "charges[].taxes[]", "allowances[].taxes[]", "tax_breakdown[]")
_PERCENT = st.decimals(min_value=0, max_value=100, places=2)
SPECIAL: dict[str, st.SearchStrategy[Any] | None] = {
    "type_code": st.sampled_from(["380", "381", "389"]), "currency": st.just("EUR"),
    "national_type": st.sampled_from(["TD06", "TD24"]), "payment.means[].key": None,
    "payment.means[].code": st.sampled_from(["30", "58"]), "charges[].role": st.sampled_from(["TC04", "freight"]),
    "references[].kind": st.sampled_from(
        ["ON", "CT", "Convenzione", "IV", "ALO", "DQ", "FatturaPrincipale"]
    ),
    "references[].id": st.sampled_from(["1", "2", "77"]), "references[].lines[]": st.sampled_from(["1", "2"]),
    "references[].date": st.just(date(2026, 1, 1)), "lines[].id": st.sampled_from(["1", "2", "A"]),
    **{f"{role}.{name}": st.just(value) for role in ("seller", "buyer", "tax_representative", "issuer")
       for name, value in [*_PARTY.items(), *((f"address.{leaf}", text) for leaf, text in _PLACE.items())]},
    **{f"{at}.{name}": st.sampled_from(values) for at in _TAXES for name, values in {
        "scheme": ["VAT", "WITHHOLDING", "STAMP"], "effect": ["withheld", "charged"], "causal": ["A"],
        "category": ["S", "E", "K"], "rate": [Decimal(22), Decimal(0)], "nature": ["N4", "N6.9"],
        "chargeability": ["I", "D"]}.items()},
    **dict.fromkeys(("charges[].percent", "allowances[].percent", "lines[].allowances[].percent",
                     "lines[].charges[].percent"), _PERCENT),
    **dict.fromkeys(("purchase_order.id", "contract.id", "receiving_advice_reference", "preceding[].id",
                     "lines[].order.id", "lines[].contract.id"), st.sampled_from(["1", "2"])),
    **dict.fromkeys(("project_reference", "tender_reference", "references[].cup", "references[].cig"),
                    st.sampled_from(["A1", "B2"])),
    "payment.means[].extensions[].name": st.sampled_from(["ABI", "CodUfficioPostale"]),
    "payment.means[].extensions[].value": st.just("12345"),
}  # fmt: skip


def settle(raw: dict[str, Any]) -> None:
    """Gives an invoice what FatturaPA cannot do without; all else is as drawn."""
    for name, value in {"type_code": "380", "currency": "EUR", "issue_date": date(2026, 1, 2), "number": "1"}.items():
        raw.setdefault(name, value)
    for role in ("seller", "buyer", *({"tax_representative", "issuer"} & set(raw))):
        party = raw.setdefault(role, {})
        party |= {**_PARTY, **party, "address": {**_PLACE, **party.get("address", {})}}
    raw.setdefault("lines", [{}])
    raw["lines"] = raw["lines"] or [{}]
    for line in raw["lines"]:
        line.setdefault("item", {}).setdefault("name", "Cosa")
        line.setdefault("price", {}).setdefault("net", Decimal("1.5"))
        line.setdefault("net_amount", Decimal(3))
    changes = [*raw.get("charges", []), *raw.get("allowances", [])]
    for one in changes:
        one |= {"amount": Decimal(1), "reason": "x", "percent": Decimal(4), **one}
    raw.setdefault("tax_breakdown", [])
    funds = [one for one in changes if one.get("taxes") or one.get("role") == "TC04"]
    for taxes in (raw["tax_breakdown"], *(one.setdefault("taxes", []) for one in (*raw["lines"], *funds))):
        if not any(tax.get("scheme", "VAT") == "VAT" for tax in taxes):
            taxes.append({})
        for tax in taxes:
            tax |= {
                "rate": Decimal(22),
                "category": "S",
                "base": Decimal(3),
                "amount": Decimal(1),
                "causal": "A",
                **tax,
            }
            if tax.get("effect") == "withheld":
                tax["category"] = "RT01"
    for means in raw.get("payment", {}).get("means", []):
        means |= {"code": "30", "amount": Decimal(1), **means}
    for one in raw.get("attachments", []):
        one |= {"filename": "a.pdf", "content": b"x", **one}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(invoices(placed(table(False)), some, settle) for some in (SPECIAL, {})))
def test_checks_while_writing_find_what_checks_of_the_whole_text_find(one: Invoice) -> None:
    """The quick way and the thorough one: the same bytes, the same findings."""
    format = FatturaPaFormat(FILLED)
    quick = format.write(one, IDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("einvoice.formats.fatturapa.MARK", "")  # in every text
        assert format.write(one, IDS) == quick


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(invoices(placed(table(False)), SPECIAL, settle))
def test_any_invoice_is_valid_or_refused_and_comes_back_the_same_twice(one: Invoice) -> None:
    form = FatturaPaFormat(FILLED)
    document = form.write(one, IDS)
    if fatal(document):
        return
    if artefacts.find("fatturapa-1.2.2"):
        assert formats.schema_verdict(document).findings == ()
    first = read(document.data)
    assert {found.severity for found in first.findings} <= {Severity.INFO, Severity.WARNING}
    second = read(form.write(first.invoice, IDS).data)
    assert list(roundtrip.differences(first.invoice, second.invoice)) == []


# --- transmissions ----------------------------------------------------------------------------------------------------


def test_the_file_is_named_by_the_sender_and_its_progressive() -> None:
    document = write(invoice("municipality"))
    assert document.name == "IT99999000013_00A17.xml"
    assert texts(document, ".//ProgressivoInvio") == ["00A17"]
    other = write(invoice("municipality"), sender={"code": "99999000054"})
    assert other.name == "IT99999000054_00A17.xml"
    assert texts(other, ".//IdTrasmittente/IdCodice") == ["99999000054"]


@pytest.mark.parametrize(("vat_id", "progressive"), [("IT../../x", "1"), ("IT99999000013", "../x"), ("IT1", "123456")])
def test_a_name_that_sdi_does_not_take_is_refused_and_is_no_path(vat_id: str, progressive: str) -> None:
    one = changed("credit-note", lambda raw: raw["seller"].update(vat_id=vat_id))
    document = FatturaPaFormat().write(one, replace(IDS, numbers={"progressive": progressive}))
    assert "EINV-FATTURAPA-12" in rules(tuple(fatal(document)))
    assert re.fullmatch("[A-Za-z0-9_]+.xml", document.name)


@pytest.mark.parametrize(("environment", "severity"), [("test", Severity.INFO), ("production", Severity.FATAL)])
def test_without_a_progressive_nothing_goes_out_in_production(environment: str, severity: Severity) -> None:
    ids = Identity("x@example.example", IDS.at, Environment(environment))
    document = FatturaPaFormat().write(invoice("credit-note"), ids)
    (said,) = document.losses
    assert (said.rule, said.severity) == ("EINV-FATTURAPA-04", severity)
    assert re.fullmatch("IT99999000013_[0-9A-Z]{5}.xml", document.name)
    assert FatturaPaFormat().write(invoice("credit-note"), ids).name == document.name


@pytest.mark.parametrize(
    ("name", "format", "code"),
    [
        ("municipality", "FPA12", "UF9999"), ("fee-note", "FPR12", "ABC1234"), ("credit-note", "FPR12", "XXXXXXX"),
        ("simplified", "FSM10", "0000000"),
    ],
)  # fmt: skip
def test_the_recipient_decides_the_transmission(name: str, format: str, code: str) -> None:
    document = write(invoice(name))
    assert etree.fromstring(document.data).get("versione") == format
    assert texts(document, ".//CodiceDestinatario") == [code]


def test_a_certified_mailbox_stands_beside_seven_zeros() -> None:
    one = changed("fee-note", lambda raw: raw["buyer"].update(endpoint={"scheme": "EM", "value": "prato@pec.example"}))
    document = write(one)
    assert texts(document, ".//CodiceDestinatario") + texts(document, ".//PECDestinatario") == [
        "0000000", "prato@pec.example"]  # fmt: skip
    assert canonical(read(document.data).invoice) == canonical(one)


def test_a_public_office_without_its_code_is_refused() -> None:
    document = write(invoice("fee-note"), transmission="fpa12")
    (said,) = fatal(document)
    assert (said.rule, said.term, said.found) == ("EINV-FATTURAPA-08", "BT-49", "ABC1234")


def test_a_lot_has_one_header_and_each_invoice_is_read() -> None:
    first = invoice("municipality")
    second = first.model_copy(update={"number": "2026-0413"})
    document = FatturaPaFormat().write_lot([first, second], IDS)
    assert document.losses == ()
    assert texts(document, "./FatturaElettronicaBody/*/*/Numero") == ["2026-0412", "2026-0413"]
    assert [canonical(one.invoice) for one in formats.read(document.data)] == [canonical(first), canonical(second)]
    places = [one.locate("$.number") for one in formats.read(document.data)]
    assert [place.split("/")[2] for place in places] == ["FatturaElettronicaBody[1]", "FatturaElettronicaBody[2]"]


def test_a_lot_of_two_buyers_is_refused() -> None:
    document = FatturaPaFormat().write_lot([invoice("municipality"), invoice("fee-note")], IDS)
    assert [found.rule for found in fatal(document)] == ["EINV-FATTURAPA-10"]
    with pytest.raises(ConfigError, match="at least one"):
        FatturaPaFormat().write_lot([], IDS)


def test_variants_are_the_transmissions() -> None:
    form = formats.get("fatturapa:fsm10", regime="RF01")
    document = form.write(readable.invoice("it-withholding"), IDS)
    assert texts(document, ".//TipoDocumento") == ["TD07"]
    assert "EX-92" in [found.term for found in fatal(document)]
    with pytest.raises(ConfigError, match="fpr12, fpa12, fsm10"):
        formats.get("fatturapa:fpr13")


# --- what one element holds -------------------------------------------------------------------------------------------


def test_characters_beyond_latin_1_stop_the_document_or_are_written_plainer() -> None:
    one = changed("credit-note", lambda raw: raw["lines"][0]["item"].update(name="Sonda “Łódź” 25 €"))
    refused = write(one)
    (said,) = fatal(refused)
    assert (said.rule, said.path) == ("EINV-FATTURAPA-05", "$.lines[0].item.name")
    assert texts(refused, ".//Descrizione") == ["Sonda “Łódź” 25 €"]
    plainer = write(one, transliterate=True)
    assert fatal(plainer) == []
    assert texts(plainer, ".//Descrizione") == ['Sonda "Lódz" 25 EUR']
    assert "EINV-LOSS-02" in rules(tuple(losses(one, plainer, FatturaPaFormat())))


def test_latin_1_is_written_where_it_may_stand_and_not_where_only_ascii_may() -> None:
    one = changed("credit-note", lambda raw: raw.update(number="NC-12/è"))
    (said,) = fatal(write(one))
    assert (said.rule, said.path) == ("EINV-FATTURAPA-05", "$.number")
    assert fatal(write(changed("credit-note", lambda raw: raw["buyer"].update(name="Perché & Così")))) == []


def test_a_text_too_long_stops_the_document_or_is_cut() -> None:
    one = changed("credit-note", lambda raw: raw.update(number="N" * 21))
    (said,) = fatal(write(one))
    assert (said.rule, said.path, said.message) == (
        "EINV-FATTURAPA-06", "$.number", "the text has 21 characters, Numero holds 20")  # fmt: skip
    assert texts(write(one, long_text="cut"), ".//Numero") == ["N" * 20]


def test_markup_counts_as_one_character() -> None:
    one = changed("credit-note", lambda raw: raw["seller"].update(name="&" * 80))
    assert fatal(write(one)) == []


def test_an_amount_that_needs_more_decimals_than_there_are_stops_the_document() -> None:
    document = write(changed("credit-note", lambda raw: raw["totals"].update(gross=Decimal("500.001"))))
    (said,) = fatal(document)
    assert (said.rule, said.found) == ("EINV-FATTURAPA-07", "500.001")
    zeros = write(changed("credit-note", lambda raw: raw["totals"].update(gross=Decimal("500.000"))))
    assert (fatal(zeros), texts(zeros, ".//ImportoTotaleDocumento")) == ([], ["500.00"])


def test_a_long_note_runs_on_in_the_next_causale_and_comes_back_in_one() -> None:
    text = "parola " * 70
    one = changed("credit-note", lambda raw: raw.update(notes=[{"text": text.strip()}, {"text": "altra"}]))
    document = write(one)
    assert [len(part) for part in texts(document, ".//Causale")] == [200, 200, 89, 5]
    assert read(document.data).invoice.notes == one.notes


# --- what a category, a price, an allowance becomes -------------------------------------------------------------------


@pytest.mark.parametrize("category", ["AE", "O", "Z"])
def test_a_category_that_does_not_tell_the_natura_is_refused_until_someone_says_it(category: str) -> None:
    def change(raw: dict[str, Any]) -> None:
        for tax in (raw["lines"][0]["taxes"][0], raw["tax_breakdown"][0]):
            tax.update(category=category, nature=None, exemption_code=None)

    one = changed("credit-note", change)
    (said,) = fatal(write(one))
    assert (said.rule, said.term, said.found) == ("EINV-FATTURAPA-01", "BT-118", category)
    assert texts(write(one, natures={category: "N6.9"}), ".//Natura") == ["N6.9", "N6.9"]


def test_natures_in_force_have_a_category() -> None:
    codes = crosswalk("fatturapa_natures")
    in_force = ["N1", "N2.1", "N2.2", *(f"N3.{at}" for at in range(1, 7)), "N4", "N5",
                *(f"N6.{at}" for at in range(1, 10)), "N7"]  # fmt: skip
    assert {codes.back(nature) for nature in in_force} == {"E", "O", "G", "K", "AE"}


def test_a_price_for_several_is_divided_and_that_is_said() -> None:
    one = changed("credit-note", lambda raw: raw["lines"][0]["price"].update(net=Decimal(25000), base_quantity=100))
    document = write(one)
    assert texts(document, ".//PrezzoUnitario") == ["250.00"]
    (said,) = document.losses
    assert (said.rule, said.severity) == ("EINV-FATTURAPA-02", Severity.WARNING)


def test_a_negative_quantity_moves_its_sign_to_the_price() -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["lines"][0].update(quantity=Decimal(-2), net_amount=Decimal(-500))

    document = write(changed("credit-note", change))
    assert texts(document, ".//Quantita") + texts(document, ".//PrezzoUnitario") == ["2.00", "-250.00"]


@pytest.mark.parametrize(
    ("base", "percent", "written"),
    [
        ("500.00", "10", ["SC", "10.00"]),  # of price times quantity: the percentage says it all
        ("400.00", "10", ["SC", "20.00"]),  # of something else: its amount, for one unit
        (None, "10", ["SC", "10.00", "20.00"]),
        (None, None, ["SC", "20.00"]),
    ],
)
def test_a_line_allowance_is_a_percentage_or_an_amount_for_one_unit(
    base: str | None, percent: str | None, written: list[str]
) -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["lines"][0]["allowances"] = [{"amount": Decimal(40), "base": base, "percent": percent}]
        raw["lines"][0]["net_amount"] = Decimal(460)

    document = write(changed("credit-note", change))
    assert texts(document, ".//DettaglioLinee/ScontoMaggiorazione/*") == written


def test_an_allowance_with_vat_is_a_line_and_one_without_stands_in_the_head() -> None:
    def change(raw: dict[str, Any]) -> None:
        vat = [{"category": "K", "nature": "N3.2"}]
        raw["allowances"] = [{"amount": Decimal(10), "reason": "Sconto fedeltà", "taxes": vat}, {"amount": Decimal(3)}]
        raw["charges"] = [{"amount": Decimal(5), "reason": "Imballo", "taxes": vat}]

    document = write(changed("credit-note", change))
    assert texts(document, ".//TipoCessionePrestazione") == ["SC", "AC"]
    assert texts(document, ".//PrezzoTotale") == ["500.00", "-10.00", "5.00"]
    assert texts(document, ".//DatiGeneraliDocumento/ScontoMaggiorazione/*") == ["SC", "3.00"]


def test_what_the_format_demands_and_the_invoice_lacks_is_named_and_nothing_is_made_up() -> None:
    document = write(Invoice.model_validate({"number": "1"}))
    missing = {found.term for found in fatal(document) if found.rule == "EINV-WRITE-01"}
    assert missing >= {"BT-2", "BT-3", "BT-5", "BG-4", "BG-7", "BG-23", "BG-25"}
    regime = write(changed("credit-note", lambda raw: raw["seller"].update(regime=None)))
    assert [found.term for found in fatal(regime)] == ["EX-1038"]
    assert fatal(write(changed("credit-note", lambda raw: raw["seller"].update(regime=None)), regime="RF19")) == []


def test_a_partner_names_its_own_codes_both_ways() -> None:
    one = changed("municipality", lambda raw: raw["lines"][0].update(unit="H87"))
    form = FatturaPaFormat(FatturaPa(units={"H87": "pezzi"}, item_codes=ItemCodes(seller_id="SKU")))
    document = form.write(one, IDS)
    assert texts(document, ".//UnitaMisura")[0] == "pezzi"
    assert "SKU" in texts(document, ".//CodiceTipo")
    (again,) = form.read(io.BytesIO(document.data))
    assert again.invoice.lines[0].item == one.lines[0].item


# --- crosswalks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"), [("380", "TD01"), ("386", "TD02"), ("381", "TD04"), ("383", "TD05"), ("384", "TD01")]
)
def test_type_codes(ours: str, theirs: str) -> None:
    assert texts(write(changed("credit-note", lambda raw: raw.update(type_code=ours))), ".//TipoDocumento") == [theirs]


def test_every_code_of_the_official_lists_is_read_and_written_again(reference: Path) -> None:
    simple = Schema(reference / "fatturapa" / "xsd-1.2.2" / SCHEMAS[False]).simple
    data = write(invoice("fee-note")).data
    for name, element in (("TipoDocumentoType", "TipoDocumento"), ("ModalitaPagamentoType", "ModalitaPagamento")):
        for one in [*simple[name].iter(f"{_XS}enumeration")]:
            code = str(one.get("value"))
            other = re.sub(f"<{element}>[^<]+<", f"<{element}>{code}<", data.decode()).encode()
            assert texts(write(read(other).invoice), f".//{element}") == [code]


def test_a_type_that_came_later_is_kept(reference: Path) -> None:
    data = write(invoice("fee-note")).data.replace(b">TD06<", b">TD29<").replace(b">RF01<", b">RF20<")
    one = read(data)
    assert (one.invoice.type_code, one.invoice.national_type, one.findings) == ("389", "TD29", ())
    assert fatal(write(one.invoice)) == []


def test_a_type_code_that_is_no_invoice_here_is_refused() -> None:
    said = fatal(write(changed("credit-note", lambda raw: raw.update(type_code="325"))))
    assert [(found.rule, found.found) for found in said if found.rule != "EINV-WRITE-01"] == [
        ("EINV-FATTURAPA-11", "325")]  # fmt: skip


def test_self_billing_is_issued_by_the_buyer() -> None:
    one = changed("credit-note", lambda raw: raw.update(type_code="261"))
    document = write(one)
    assert texts(document, ".//SoggettoEmittente") + texts(document, ".//TipoDocumento") == ["CC", "TD04"]
    assert read(document.data).invoice.type_code == "261"


# --- hostile input ----------------------------------------------------------------------------------------------------


def test_a_document_cut_anywhere_is_refused() -> None:
    data = write(invoice("municipality")).data
    for cut in range(1, 51):
        with pytest.raises(UnreadableDocument):
            list(formats.read(data[: len(data) * cut // 51], "fatturapa"))


@pytest.mark.parametrize("folder", ["ubl", "cxml", "edifact", "x12"])
def test_files_of_other_formats_are_refused(folder: str) -> None:
    for path in sorted((readable.FIXTURES / folder).iterdir()):
        with pytest.raises(UnreadableDocument):
            list(formats.read(path.read_bytes(), "fatturapa"))


@pytest.mark.parametrize("version", ["v1.1", "v2.0"])
def test_another_version_is_refused_with_its_root(version: str) -> None:
    data = write(invoice("credit-note")).data.replace(b"fatture/v1.2", b"fatture/" + version.encode())
    with pytest.raises(UnreadableDocument, match="FatturaElettronica"):
        list(formats.read(data, "fatturapa"))


def test_every_element_doubled_emptied_or_filled_with_rubbish_is_survived_and_said() -> None:
    """No exception but a refusal; of what is doubled or made unreadable a finding or the text itself remains."""
    source = etree.fromstring(write(invoice("municipality")).data)
    for at, _ in enumerate(source.iter()):
        for way in ("double", "empty", "rubbish", "drop"):
            root = etree.fromstring(etree.tostring(source))
            element = [*root.iter()][at]
            parent = element.getparent()
            if parent is None:
                continue
            if way == "double":
                parent.insert(parent.index(element), etree.fromstring(etree.tostring(element)))
            elif way == "empty":
                element[:] = []
                element.text = None
            elif way == "rubbish":
                element[:] = []
                element.text = "\u202e1E999 & x"
            else:
                parent.remove(element)
            with contextlib.suppress(EInvoiceError):  # a refusal is an answer; anything else fails the test
                for one in formats.read(etree.tostring(root)):
                    FatturaPaFormat(FILLED).write(one.invoice, IDS)


def test_a_lot_whose_header_is_beyond_measure_is_refused() -> None:
    first = invoice("municipality")
    data = FatturaPaFormat().write_lot([first, first.model_copy(update={"number": "2"})], IDS).data
    with pytest.raises(UnreadableDocument, match="64 KiB are the limit"):
        list(formats.read(data.replace(b"<Indirizzo>", b"<Indirizzo>" + b"x" * 70_000, 1)))


@pytest.mark.parametrize("name", ["Numero", "Denominazione", "AliquotaIVA", "Divisa", "RegimeFiscale"])
def test_an_element_stated_twice_is_said(name: str) -> None:
    data = write(invoice("fee-note")).data
    doubled = re.sub(f"(<{name}>[^<]+</{name}>)".encode(), rb"\1\1", data, count=1)
    if name == "AliquotaIVA":  # rows that repeat become one tax; the second value is the one kept
        assert read(doubled).invoice.lines[0].taxes
    else:
        assert "EINV-READ-02" in rules(read(doubled).findings)


# --- notices of SdI ---------------------------------------------------------------------------------------------------


def test_the_official_notices_are_read(reference: Path) -> None:
    found = {}
    for path in sorted((reference / "fatturapa" / "sdi-messages").glob("*.xml")):
        (one,) = formats.answers(path.read_bytes())
        assert one.control == "IT01234567890_11111"
        found[one.code] = one
    assert {code: one.meaning for code, one in found.items()} == {
        "AT": "received", "MC": "received", "NS": "rejected", "RC": "delivered"}  # fmt: skip
    assert "00100 Certificato di firma scaduto" in found["NS"].text
    assert found["RC"].remote_id == "RC/111/123456"


def notice(name: str, inside: str, namespace: str = "http://www.fatturapa.gov.it/sdi/messaggi/v1.0") -> bytes:
    head = f'<t:{name} xmlns:t="{namespace}" versione="1.0"><IdentificativoSdI>777</IdentificativoSdI>'
    return f"{head}{inside}</t:{name}>".encode()


_FILE = "<NomeFile>IT99999000013_00A17.xml.p7m</NomeFile>"


@pytest.mark.parametrize(
    ("name", "inside", "code", "meaning"),
    [
        ("NotificaEsito", "<EsitoCommittente><Esito>EC01</Esito></EsitoCommittente>", "NE-EC01", "accepted"),
        ("NotificaEsito", "<EsitoCommittente><Esito>EC02</Esito></EsitoCommittente>", "NE-EC02", "rejected"),
        ("NotificaEsito", "<EsitoCommittente><Esito>EC09</Esito></EsitoCommittente>", "NE-EC09", "info"),
        ("NotificaDecorrenzaTermini", "", "DT", "accepted"),
        ("NotificaMancataConsegna", "", "MC", "received"),
        ("RicevutaImpossibilitaRecapito", "", "MC", "received"),
        ("RicevutaScarto", "", "NS", "rejected"),
        ("MetadatiInvioFile", "", "MT", "info"),
    ],
)
def test_each_notice_says_what_it_means(name: str, inside: str, code: str, meaning: str) -> None:
    (one,) = answers(notice(name, f"{_FILE}{inside}<MessageId>9</MessageId>"))
    assert (one.kind, one.code, one.meaning, one.control) == ("sdi", code, meaning, "IT99999000013_00A17")


def test_the_buyer_names_one_invoice_of_a_lot() -> None:
    inside = "<RiferimentoFattura><NumeroFattura>2026-0412</NumeroFattura><AnnoFattura>2026</AnnoFattura>"
    (one,) = answers(notice("NotificaEsitoCommittente", f"{inside}</RiferimentoFattura><Esito>EC01</Esito>"))
    assert (one.code, one.number, one.meaning) == ("EC-EC01", "2026-0412", "accepted")


def test_a_later_namespace_is_read_and_a_foreign_one_is_not() -> None:
    later = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fattura/messaggi/v1.0"
    (one,) = formats.answers(notice("RicevutaConsegna", _FILE, later))
    assert one.meaning == "delivered"
    with pytest.raises(UnreadableDocument, match="no notice"):
        list(answers(notice("RicevutaConsegna", _FILE, "urn:example")))


def test_a_notice_that_names_nothing_is_refused_and_an_invoice_is_no_notice() -> None:
    with pytest.raises(UnreadableDocument, match="neither a file nor an invoice"):
        list(answers(notice("RicevutaConsegna", "")))
    with pytest.raises(UnreadableDocument, match="no notice"):
        list(formats.answers(write(invoice("credit-note")).data))
    with pytest.raises(UnreadableDocument, match="root element"):
        list(formats.read(notice("RicevutaConsegna", _FILE)))


def test_an_archive_around_the_file_is_not_the_file() -> None:
    around = "<RiferimentoArchivio><NomeFile>IT1_1.zip</NomeFile></RiferimentoArchivio>"
    (one,) = answers(notice("NotificaScarto", f"{around}{_FILE}"))
    assert one.control == "IT99999000013_00A17"
