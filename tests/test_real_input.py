"""Real invoices through the whole line: every official UBL sample is submitted and dispatched as cXML to a sandbox.

What is expected is counted on the sources by path, not with our reader. The samples go under the named override
``test-everything-as-cxml`` (fixtures/house/law-override.toml), which stands in each decision. One leniency is asked of
the buyer: a tolerance of 1.00 on sums, because nine samples round the amount due (BT-114) and cXML has no place for
that; a test shows that without it exactly those nine are refused, and for that reason alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from einvoice.formats.cxml import xml_of
from einvoice.ledger import DeliveryView, State
from einvoice.sandbox import cxml as partner
from einvoice.sandbox.client import ControlClient
from einvoice.sandbox.options import Options
from einvoice.sandbox.program import AribaSandbox
from tests import home as homes

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_NS = {"cbc": f"{_UBL}CommonBasicComponents-2", "cac": f"{_UBL}CommonAggregateComponents-2"}
_ROOTS = {f"{{{_UBL}{name}-2}}{name}" for name in ("Invoice", "CreditNote")}

#: Folder below the official files: (UBL invoices and credit notes in it, those with an order or contract reference).
FOLDERS = {
    "xrechnung/testsuite": (26, 19),
    "peppol-bis3/examples": (6, 1),
    "peppol-2026.5/examples": (2, 0),
    "en16931/examples/ubl": (11, 4),
    "en16931/testfiles": (16, 12),
    "peppol-pint-aunz/examples": (12, 8),
}

#: Samples whose number another sample bears already, spaces and case aside: all of them travel on one supplier
#: account, where a number is taken once. File to the number it is submitted under.
INVENTED = {
    "xrechnung/testsuite/business-cases/standard/01.01a-INVOICE_ubl.xml": "EI-SAMPLE-01",
    "xrechnung/testsuite/business-cases/standard/01.17a-INVOICE_ubl.xml": "EI-SAMPLE-02",
    "xrechnung/testsuite/business-cases/standard/02.01a-INVOICE_ubl.xml": "EI-SAMPLE-03",
    "xrechnung/testsuite/business-cases/standard/02.03a-INVOICE_ubl.xml": "EI-SAMPLE-04",
    "xrechnung/testsuite/business-cases/standard/02.05a-INVOICE_ubl.xml": "EI-SAMPLE-05",
    "xrechnung/testsuite/business-cases/standard/02.06a-INVOICE_ubl.xml": "EI-SAMPLE-06",
    "xrechnung/testsuite/business-cases/standard/03.02a-INVOICE_ubl.xml": "EI-SAMPLE-07",
    "xrechnung/testsuite/business-cases/standard/03.03a-INVOICE_ubl.xml": "EI-SAMPLE-08",
    "xrechnung/testsuite/business-cases/standard/03.04a-INVOICE_ubl.xml": "EI-SAMPLE-09",
    "xrechnung/testsuite/technical-cases/cius/01.01_comprehensive_test_ubl.xml": "EI-SAMPLE-10",
    "xrechnung/testsuite/technical-cases/cius/01.02_comprehensive_test_ubl.xml": "EI-SAMPLE-11",
    "xrechnung/testsuite/technical-cases/cius/01.03_comprehensive_test_ubl.xml": "EI-SAMPLE-12",
    "xrechnung/testsuite/technical-cases/cius/01.04_comprehensive_test_ubl.xml": "EI-SAMPLE-13",
    "peppol-bis3/examples/national-examples/GR/GR-base-example-correct.xml": "EI-SAMPLE-14",
    "peppol-bis3/examples/snippets/base-negative-inv-correction.xml": "EI-SAMPLE-15",
    "peppol-2026.5/examples/SB-Vat-category-S.xml": "EI-SAMPLE-16",
    "peppol-2026.5/examples/SB-base-negative-inv-correction.xml": "EI-SAMPLE-17",
    "en16931/examples/ubl/examples/BIS3_Invoice_positive.XML": "EI-SAMPLE-18",
    "en16931/examples/ubl/examples/guide-example2.xml": "EI-SAMPLE-19",
    "en16931/examples/ubl/examples/ubl-tc434-example1.xml": "EI-SAMPLE-20",
    "en16931/examples/ubl/examples/ubl-tc434-example10.xml": "EI-SAMPLE-21",
    "en16931/examples/ubl/examples/ubl-tc434-example2.xml": "EI-SAMPLE-22",
    "en16931/testfiles/BIS_Billing_30-Inkopskort.xml": "EI-SAMPLE-23",
    "en16931/testfiles/BIS_Billing_30-Rabatter_och_avgifter.xml": "EI-SAMPLE-24",
    "en16931/testfiles/CreditNote-Max_content.xml": "EI-SAMPLE-25",
    "en16931/testfiles/Invoice-Max_content.xml": "EI-SAMPLE-26",
    "en16931/testfiles/Invoice-Min_content_without_VAT.xml": "EI-SAMPLE-27",
    "en16931/testfiles/ubl-tc434-test-1.xml": "EI-SAMPLE-28",
    "peppol-pint-aunz/examples/billing/AU Invoice Energy Bill Example_1.xml": "EI-SAMPLE-29",
    "peppol-pint-aunz/examples/billing/AU Invoice Energy Bill Example_2.xml": "EI-SAMPLE-30",
    "peppol-pint-aunz/examples/billing/NZ Invoice Level Allowance.xml": "EI-SAMPLE-31",
    "peppol-pint-aunz/examples/billing/NZ No Allowances.xml": "EI-SAMPLE-32",
    "peppol-pint-aunz/examples/selfbilling/AU Self Billed Credit Note.xml": "EI-SAMPLE-33",
    "peppol-pint-aunz/examples/selfbilling/AUNZ Self Billing.xml": "EI-SAMPLE-34",
}


@dataclass(frozen=True)
class Sample:
    """One source, and what XPath finds in it."""

    name: str
    folder: str
    root: etree._Element = field(repr=False)

    def texts(self, *paths: str) -> list[str]:
        found = ((node.text or "").strip() for path in paths for node in self.root.iterfind(path, _NS))
        return [text for text in found if text]

    def one(self, path: str) -> str:
        return next(iter(self.texts(path)), "")

    @property
    def own_number(self) -> str:
        return self.one("cbc:ID")

    @property
    def number(self) -> str:
        return INVENTED.get(self.name, self.own_number)

    @property
    def key(self) -> str:
        return _key(self.own_number)

    @property
    def credit(self) -> bool:
        return etree.QName(self.root).localname == "CreditNote"

    @property
    def backing(self) -> list[str]:
        """What stands behind it: orders and contracts, of the document and of its lines."""
        return self.texts(
            "cac:OrderReference/cbc:ID", "cac:ContractDocumentReference/cbc:ID",
            ".//cac:OrderLineReference/cac:OrderReference/cbc:ID",
        )  # fmt: skip

    @property
    def named(self) -> set[str]:
        """Everything an order id at the partner may come from: the orders of the supplier too."""
        return {*self.backing, *self.texts(".//cbc:SalesOrderID")}

    @property
    def currency(self) -> str:
        return self.one("cbc:DocumentCurrencyCode")

    def amount(self, name: str) -> Decimal:
        return Decimal(self.one(f"cac:LegalMonetaryTotal/cbc:{name}") or "0")

    def bytes(self) -> bytes:
        """The source under its number."""
        copy = etree.fromstring(etree.tostring(self.root.getroottree()))
        if self.name in INVENTED:
            (node,) = copy.iterfind("cbc:ID", _NS)
            node.text = INVENTED[self.name]
        return etree.tostring(copy.getroottree(), encoding="UTF-8", xml_declaration=True)


@dataclass
class Run:
    """The samples after a dispatch: what each came to, what the sandbox kept, what the run states."""

    samples: list[Sample]
    home: homes.Home
    views: dict[str, DeliveryView]
    kept: dict[str, etree._Element]
    raw: list[bytes]
    invoices: list[dict[str, Any]]
    totals: dict[str, Any]
    submitted: homes.Said
    statement: dict[str, Any]
    secret: str


def _key(number: str) -> str:
    return "".join(number.split()).casefold()


def _samples(reference: Path) -> Iterator[Sample]:
    for folder in FOLDERS:
        for path in sorted((reference / folder).rglob("*")):
            if path.suffix.lower() != ".xml":
                continue
            root = etree.parse(path).getroot()
            if root.tag in _ROOTS:
                yield Sample(path.relative_to(reference).as_posix(), folder, root)


def _run(reference: Path, folder: Path, rules: Mapping[str, str]) -> Run:
    samples = list(_samples(reference))
    files = []
    for at, sample in enumerate(samples):
        files.append(folder / f"{at:02}-{Path(sample.name).name}")
        files[-1].write_bytes(sample.bytes())
    with AribaSandbox(Options(dtd=reference / "cxml" / "dtd-1.2.071")) as sandbox:
        ready, secret = sandbox.ready(), sandbox.network.secret
        control = ControlClient(str(ready["control_url"]), sandbox.token, sandbox.ca_file)
        control.set_rules({"default": rules})
        home = homes.make(folder / "home", homes.Place(str(ready["profile_url"]), str(sandbox.ca_file), secret))
        submitted = home("submit", *files, "--environment", "test", "--json")
        statement = home("dispatch", "--json").last
        invoices = control.invoices()
        raw = [xml_of(control.raw(row["message_id"])) for row in invoices]  # some have supporting documents beside
        totals = control.totals()
    kept = {row["number"]: etree.fromstring(_cxml(data)) for row, data in zip(invoices, raw, strict=True)}
    with home.ledger() as ledger:
        views = {view.number: view for view in ledger.status()}
    return Run(samples, home, views, kept, raw, invoices, totals, submitted, statement, secret)


def _cxml(data: bytes) -> bytes:
    """The cXML of a body that was kept, taken apart by the other side's own means where documents came with it."""
    if not data.startswith(b"--"):
        return data
    boundary = data[2:].partition(b"\r")[0].decode()
    taken = partner.split(data, f'boundary="{boundary}"')
    assert isinstance(taken, tuple)
    return taken[0]


@pytest.fixture(scope="module")
def run(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All samples, dispatched to a buyer who rounds."""
    return _run(reference, tmp_path_factory.mktemp("real"), {"tolerance": "1.00"})


def test_every_folder_of_official_samples_is_complete(run: Run) -> None:
    found = Counter(sample.folder for sample in run.samples)
    backed = Counter(sample.folder for sample in run.samples if sample.backing)
    assert {folder: (found[folder], backed[folder]) for folder in FOLDERS} == FOLDERS
    assert (len(run.samples), sum(backed.values())) == (73, 44)


def test_a_number_is_invented_exactly_where_another_sample_has_it(run: Run) -> None:
    seen = set[str]()
    taken = set[str]()
    for sample in run.samples:
        if sample.key in seen:
            taken.add(sample.name)
        seen.add(sample.key)
    assert taken == set(INVENTED)
    assert len({_key(sample.number) for sample in run.samples}) == len(run.samples)


def test_every_sample_is_taken_in_once(run: Run) -> None:
    assert run.submitted.code == 0
    assert Counter(row["outcome"] for row in run.submitted.rows) == {"new": 73}
    assert run.views.keys() == {sample.number for sample in run.samples}


def test_every_sample_with_an_order_or_contract_is_accepted_by_the_network(run: Run) -> None:
    backed = {sample.number for sample in run.samples if sample.backing}
    assert {number for number, view in run.views.items() if view.state is State.DELIVERED} == backed
    assert run.kept.keys() == backed
    assert (run.totals["invoices"], run.totals["requests"]) == (44, 44)
    assert (run.totals["doubled"], run.totals["changed"]) == ([], [])


def test_every_other_sample_is_held_for_the_missing_order_alone(run: Run) -> None:
    unbacked = {sample.number for sample in run.samples if not sample.backing}
    held = {number: view for number, view in run.views.items() if view.state is State.HELD}
    assert held.keys() == unbacked
    assert len(held) == 29
    for number, view in held.items():
        fatal = [(finding.rule, finding.term) for finding in view.findings if finding.fatal]
        assert fatal == [("EINV-NEED-01", "BT-13")], number
        assert view.transmission_id is None, number


def test_no_order_or_contract_number_is_invented(run: Run) -> None:
    for sample in run.samples:
        if sample.number in run.kept:
            told = set(_orders_told(run.kept[sample.number]))
            assert told <= sample.named, sample.name
            assert told & set(sample.backing), sample.name


def _orders_told(root: etree._Element) -> Iterator[str]:
    """Every id of an order or an agreement that a cXML document states."""
    for element in root.iter("OrderReference", "OrderIDInfo", "SupplierOrderInfo", "MasterAgreementIDInfo",
                             "MasterAgreementReference"):  # fmt: skip
        yield from (element.get(name, "") for name in ("orderID", "agreementID") if element.get(name))


def test_the_run_balances_with_the_money_that_the_sources_state(run: Run) -> None:
    def sums(*states: State) -> dict[str, object]:
        chosen = [sample for sample in run.samples if run.views[sample.number].state in states]
        money: dict[str, Decimal] = defaultdict(Decimal)
        for sample in chosen:
            money[sample.currency] += sample.amount("TaxInclusiveAmount")
        return {"documents": len(chosen), "money": dict(money)}

    def stated(part: dict[str, Any]) -> dict[str, object]:
        return {"documents": part["documents"], "money": {code: Decimal(v) for code, v in part["money"].items()}}

    statement = run.statement
    assert statement["balances"] is True
    assert stated(statement["in"]) == sums(*State)
    assert stated(statement["delivered"]) == sums(State.DELIVERED)
    assert stated(statement["held"]) == sums(State.HELD)
    assert homes.counts(statement) == {"delivered": 44, "held": 29}
    run.home.sound()


def test_the_amount_due_at_the_partner_is_the_one_that_the_source_states(run: Run) -> None:
    for sample in run.samples:
        if sample.number in run.kept:
            due = run.kept[sample.number].find(".//InvoiceDetailSummary/DueAmount/Money")
            assert due is not None, sample.name
            wanted = sample.amount("PayableAmount") * (-1 if sample.credit else 1)
            assert (Decimal(due.text or ""), due.get("currency")) == (wanted, sample.currency), sample.name


@pytest.mark.parametrize("dtd", ["cxml/dtd-1.2.071/InvoiceDetail.dtd", "cxml/dtd-older/1.2.037-InvoiceDetail.dtd"])
def test_every_document_the_network_keeps_is_valid_against_the_official_dtd(
    run: Run, reference: Path, dtd: str
) -> None:
    judge = etree.DTD(str(reference / dtd))
    invalid = {number: str(judge.error_log) for number, root in run.kept.items() if not judge.validate(root)}
    assert invalid == {}
    assert len(run.kept) == 44


def test_the_shared_secret_reaches_the_partner_and_no_page_of_the_ledger(run: Run) -> None:
    assert all(run.secret.encode() in data for data in run.raw)
    assert run.secret.encode() not in run.home.stored_bytes()


def test_every_decision_says_under_which_override_it_was_made(run: Run) -> None:
    decided = [view for view in run.views.values() if view.state is State.DELIVERED]
    assert all("test-everything-as-cxml" in view.decision for view in decided)


def test_a_second_run_sends_nothing_again_and_holds_the_same(run: Run) -> None:
    """Nobody listens any more: a document that were sent again would come to nothing and show."""
    again = run.home("dispatch", "--json").last
    assert homes.counts(again) == {"held": 29}
    assert again["balances"] is True


def test_a_buyer_who_does_not_round_refuses_only_what_is_rounded(
    reference: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = _run(reference, tmp_path_factory.mktemp("exact"), {})
    rounded = {s.number for s in run.samples if s.backing and s.amount("PayableRoundingAmount")}
    refused = {number for number, view in run.views.items() if view.state is State.REJECTED}
    assert refused == rounded
    assert len(rounded) == 9
    with run.home.ledger() as ledger:
        for number in refused:
            (story,) = [event.text for event in ledger.timeline(run.views[number].document_id)
                        if event.kind == "rejected"]  # fmt: skip
            assert "RULE-SUM: DueAmount is" in story, number
            assert story.count("RULE-") == 1, number
    run.home.sound()
