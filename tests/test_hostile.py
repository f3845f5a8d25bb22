"""Bad input: one clear refusal or finding with place and fix, never another exception, never anything but text read."""

from __future__ import annotations

import base64
import io
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from einvoice import formats
from einvoice.errors import EInvoiceError, Finding, UnreadableDocument
from einvoice.exchange import Read
from einvoice.formats._xml import LIMIT
from einvoice.formats.cxml import Credential, Cxml, CxmlFormat
from einvoice.formats.json_ import JsonFormat
from einvoice.formats.ubl import UblFormat
from einvoice.model import leaves
from tests import readable

UBL = UblFormat().write(readable.invoice("de-invoice"), readable.IDS).data
PARTNERS = Cxml(from_=(Credential(identity="AN1"),), to=(Credential(identity="AN2"),))
CXML = CxmlFormat(PARTNERS).write(readable.invoice("us-invoice"), readable.IDS).data
JSON = JsonFormat().write(readable.invoice("us-invoice"), readable.IDS).data
WHOLE = {"ubl": UBL, "cxml": CXML, "json": JSON}
EACH = pytest.mark.parametrize("name", WHOLE)
XML = pytest.mark.parametrize("name", ["ubl", "cxml"])
NS = 'xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"'
CBC = 'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'


def read(data: bytes, name: str = "") -> Read:
    """The one invoice of *data*; what was said about a part is raised as for a whole."""
    (one,) = formats.read(data, name)
    if one.problem:
        raise one.problem
    return one


def refused(data: bytes, name: str = "") -> UnreadableDocument:
    with pytest.raises(UnreadableDocument) as caught:
        read(data, name)
    error = caught.value
    assert error.message
    assert error.fix
    assert "\n" not in str(error)
    return error


def said(data: bytes, name: str = "") -> list[Finding]:
    found = list(read(data, name).findings)
    assert all(one.place and one.message for one in found)
    return found


# --- cut, and not XML at all ------------------------------------------------------------------------------------------


@EACH
def test_a_document_cut_anywhere_is_refused_with_the_place_where_it_ends(name: str) -> None:
    data = WHOLE[name].rstrip()
    for cut in range(1, 51):
        assert refused(data[: len(data) * cut // 51], name).where, cut


@EACH
@pytest.mark.parametrize(
    "data", [b"", b" \n", b"\x00" * 100, b"\xff\xd8\xff\xe0 JFIF", b"%PDF-1.7\n", b"PK\x03\x04zip"]
)
def test_bytes_that_are_something_else_are_refused(name: str, data: bytes) -> None:
    assert refused(data, name)
    assert refused(data)


def test_an_empty_file_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "empty.xml"
    path.write_bytes(b"")
    with pytest.raises(UnreadableDocument) as caught:
        list(formats.read_file(path))
    assert "empty.xml" in caught.value.where


@pytest.mark.parametrize(
    "root",
    [
        "<Invoice/>",
        '<Invoice xmlns="urn:example"/>',
        '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-1"/>',
        '<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>',
        f"<x:Wrapper xmlns:x='urn:x'><Invoice {NS}/></x:Wrapper>",
        "<html><body>502 Bad Gateway</body></html>",
        "<cxml/>",
    ],
)
def test_a_wrong_root_or_namespace_is_refused_with_what_was_found(root: str) -> None:
    for name in ("", "ubl", "cxml"):
        error = refused(root.encode(), name)
        assert error.where
        assert "root element" in error.message


@XML
def test_a_tag_that_does_not_close_is_refused_with_line_and_column(name: str) -> None:
    data = readable.pretty(WHOLE[name]).replace(b"</", b"<", 1)
    where = refused(data, name).where
    line, column = (int(part.split()[-1]) for part in where.split(", "))
    assert line > 1
    assert column > 0


# --- DOCTYPE, entities, the file system, the network ------------------------------------------------------------------

BOMB = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
BLOWN = f'<!DOCTYPE {{root}} [<!ENTITY l0 "lol">{BOMB}]>'
QUADRATIC = '<!DOCTYPE {root} [<!ENTITY a "' + "A" * 50_000 + '">]>'
#: What stands before the root, and in the text of the first element.
DTDS = {
    "billion laughs": (BLOWN, "&l11;"),
    "quadratic": (QUADRATIC, "&a;" * 5_000),
    "recursion": ('<!DOCTYPE {root} [<!ENTITY a "&b;"><!ENTITY b "&a;">]>', "&a;"),
    "external file": ('<!DOCTYPE {root} [<!ENTITY x SYSTEM "{marker}">]>', "&x;"),
    "external address": ('<!DOCTYPE {root} [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', "&x;"),
    "parameter entity": ('<!DOCTYPE {root} [<!ENTITY % x SYSTEM "{marker}"> %x;]>', ""),
    "external subset": ('<!DOCTYPE {root} SYSTEM "{marker}" [<!ENTITY x "y">]>', "&x;"),
    "public subset": ('<!DOCTYPE {root} PUBLIC "-//x//y" "{marker}" [<!ELEMENT {root} ANY>]>', ""),
    "default attribute": ('<!DOCTYPE {root} [<!ATTLIST {root} x CDATA "y">]>', ""),
    "unused entity": ('<!DOCTYPE {root} [<!ENTITY x "y">]>', ""),
    "notation": ('<!DOCTYPE {root} [<!NOTATION n SYSTEM "{marker}"><!ENTITY e SYSTEM "f" NDATA n>]>', ""),
}


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file whose content must never appear in anything read or said."""
    path = tmp_path / "marker.ent"
    path.write_text("MARKER-OF-A-LOCAL-FILE")
    return path


def with_dtd(what: str, name: str, marker: Path) -> bytes:
    dtd, text = DTDS[what]
    root = "Invoice" if name == "ubl" else "cXML"
    head = dtd.replace("{root}", root).replace("{marker}", marker.as_uri())
    lines = WHOLE[name].decode().split("\n")
    body = lines[-1].replace(">DE-2026-00815<", f">{text}<").replace(">AN1<", f">{text}AN1<")
    return f"{lines[0]}\n{head}\n{body}".encode()


@XML
@pytest.mark.parametrize("what", DTDS)
def test_declarations_in_a_document_are_refused_at_once(what: str, name: str, marker: Path) -> None:
    data = with_dtd(what, name, marker)
    started = time.process_time()
    error = refused(data, name)
    assert time.process_time() - started < 1
    assert "MARKER" not in str(error) + repr(error.as_dict())
    assert "DOCTYPE" in error.message or "entity" in error.message.lower()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_doctype_is_found_in_another_encoding_too(encoding: str, marker: Path) -> None:
    text = with_dtd("external file", "ubl", marker).decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    assert "MARKER" not in str(refused(text.encode(encoding), "ubl"))


def test_a_doctype_behind_a_long_comment_is_found(marker: Path) -> None:
    head, _, body = with_dtd("unused entity", "ubl", marker).partition(b"\n")
    data = head + b"<!--" + b" " * 200_000 + b"-->" + body
    assert "DOCTYPE" in refused(data, "ubl").message


def test_a_ubl_document_has_no_doctype_at_all() -> None:
    assert "DOCTYPE" in refused(UBL.replace(b"\n", b'\n<!DOCTYPE Invoice SYSTEM "x.dtd">', 1)).message


def test_the_doctype_of_cxml_is_not_loaded(marker: Path) -> None:
    marker.write_text('<!ENTITY x "MARKER-OF-A-LOCAL-FILE">')
    known = b"http://xml.cxml.org/schemas/cXML/1.2.037/InvoiceDetail.dtd"
    assert known in CXML
    assert read(CXML.replace(known, marker.as_uri().encode())).invoice == read(CXML).invoice
    error = refused(CXML.replace(known, marker.as_uri().encode()).replace(b"Flagstaff", b"&x;"))
    assert "MARKER" not in str(error)


def test_an_xinclude_is_not_followed(marker: Path) -> None:
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{marker.as_uri()}" parse="text"/>'
    data = UBL.replace(b"<cbc:IssueDate>", include.encode() + b"<cbc:IssueDate>", 1)
    found = said(data)
    assert {one.rule for one in found} == {"EINV-READ-01"}
    assert "MARKER" not in repr([*leaves(read(data).invoice)])


def test_the_official_entity_bombs_are_refused(reference: Path) -> None:
    files = sorted((reference / "hostile" / "xml").glob("*.xml"))
    assert files
    for path in files:
        for name in ("", "ubl", "cxml"):
            assert refused(path.read_bytes(), name)


# --- size -------------------------------------------------------------------------------------------------------------


class Stream(io.RawIOBase):
    """*head*, then *fill* again and again up to *size* bytes, made when asked for."""

    def __init__(self, head: bytes, fill: bytes, size: int) -> None:
        self.head, self.fill, self.left = head, fill, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.head or self.fill * (min(len(buffer), 65_536) // len(self.fill))
        part = part[: min(len(buffer), self.left)]
        self.head = self.head[len(part) :]
        buffer[: len(part)] = part
        self.left -= len(part)
        return len(part)


def peak() -> int:
    """The most memory this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize(
    ("name", "head", "fill"),
    [
        ("ubl", UBL[:1500], b"<cbc:Note>more</cbc:Note>"),
        ("cxml", CXML[:1500], b"<Comments>more</Comments>"),
        ("json", b'{"notes": [\n', b'{"text": "more"},\n'),
        ("json", b'{"number": "', b"0123456789"),
    ],
)
def test_a_document_of_100_mb_is_refused_by_the_limit_it_names(name: str, head: bytes, fill: bytes) -> None:
    stream = io.BufferedReader(Stream(head, fill, 100 * 1024 * 1024))
    before, started = peak(), time.process_time()
    with pytest.raises(UnreadableDocument, match="50 MiB") as caught:
        list(formats.get(name).read(stream))
    assert caught.value.fix
    assert time.process_time() - started < 5
    assert peak() - before < 4 * LIMIT


def test_an_attachment_above_10_mb_is_read_within_the_limit() -> None:
    content = bytes(range(256)) * 48_000
    coded = base64.b64encode(content)
    assert 10 * 1024 * 1024 < len(coded) < LIMIT
    reference_ = b"<cac:AdditionalDocumentReference><cbc:ID>A</cbc:ID><cac:Attachment>"
    data = UBL.replace(
        b"<cac:AccountingSupplierParty>",
        reference_ + b'<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="a.pdf">' + coded
        + b"</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
        b"<cac:AccountingSupplierParty>", 1,
    )  # fmt: skip
    one = read(data)
    assert one.findings == ()
    assert one.invoice.attachments[0].content == content


@XML
def test_a_hundred_thousand_attributes_are_refused_quickly(name: str) -> None:
    attributes = b" ".join(b'a%d="v"' % at for at in range(100_000))
    tag = b"<cbc:IssueDate" if name == "ubl" else b"<InvoiceDetailSummary"
    started = time.process_time()
    error = refused(WHOLE[name].replace(tag, tag + b" " + attributes, 1))
    assert "100000 attributes" in error.message
    assert " line " in error.where
    assert time.process_time() - started < 5


@XML
def test_deep_nesting_is_said_and_deeper_nesting_refused(name: str) -> None:
    def nested(depth: int) -> bytes:
        tag = b"<cbc:IssueDate>" if name == "ubl" else b"<InvoiceDetailSummary>"
        return WHOLE[name].replace(tag, b"<a>" * depth + b"</a>" * depth + tag, 1)

    assert [one.rule for one in said(nested(200))] == ["EINV-READ-01"]
    assert refused(nested(100_000)).where.startswith("line ")


def test_sub_lines_are_read_fifty_deep_and_refused_beyond_what_xml_may_nest() -> None:
    def nested(depth: int) -> bytes:
        inside = b"<cac:SubInvoiceLine><cbc:ID>1</cbc:ID>" * depth + b"</cac:SubInvoiceLine>" * depth
        return UBL.replace(b"</cac:InvoiceLine>", inside + b"</cac:InvoiceLine>", 1)

    (line, depth) = (read(nested(50)).invoice.lines[0], 0)
    while line.sub_lines:
        (line,), depth = line.sub_lines, depth + 1
    assert depth == 50
    for depth in (250, 10_000):
        assert "line " in refused(nested(depth)).where
    large = nested(1500).replace(b"<cbc:IssueDate>", b"<cbc:Note>" + b"x" * 10_000_000 + b"</cbc:Note><cbc:IssueDate>")
    assert "nested too deeply" in refused(large).message


def test_of_many_faults_of_one_kind_the_first_thousand_are_told_and_the_others_counted() -> None:
    data = UBL.replace(b"<cbc:IssueDate>", b"<cbc:Made>up</cbc:Made>" * 50_000 + b"<cbc:IssueDate>", 1)
    started = time.process_time()
    found = said(data)
    assert time.process_time() - started < 10
    assert {one.rule for one in found} == {"EINV-READ-01"}
    assert len(found) == 1001
    assert found[999].place.startswith("/Invoice/cbc:Made[1000] line ")
    assert found[1000].message == "49000 more of this kind"


# --- encodings --------------------------------------------------------------------------------------------------------


@XML
@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_a_document_in_another_encoding_that_it_declares_is_read(name: str, encoding: str) -> None:
    declared = {"utf-8-sig": "UTF-8"}.get(encoding, encoding)
    text = WHOLE[name].decode().replace('encoding="UTF-8"', f'encoding="{declared}"')
    assert read(text.encode(encoding, "xmlcharrefreplace"), name).invoice == read(WHOLE[name]).invoice


def test_a_document_whose_bytes_are_not_what_it_declares_is_refused_with_its_place() -> None:
    latin = UBL.decode().encode("iso-8859-1", "replace")
    assert refused(latin, "ubl").where.startswith("line ")


def test_an_unknown_encoding_is_refused() -> None:
    assert refused(UBL.replace(b'encoding="UTF-8"', b'encoding="x-made-up"'), "ubl")


def test_a_control_character_is_refused_with_its_place() -> None:
    assert refused(UBL.replace(b"Werftstra", b"Werft\x01stra"), "ubl").where.startswith("line ")
    assert refused(UBL.replace(b"Werftstra", b"Werft&#1;stra"), "ubl").where.startswith("line ")


# --- values -----------------------------------------------------------------------------------------------------------

AMOUNTS = ["NaN", "INF", "-Infinity", "1E3", "1e999999999", "1,234.50", "0x1F", "١٢٣", "--5", "1.2.3", "9" * 40]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_that_is_no_plain_number_is_a_finding_with_place_and_fix(amount: str) -> None:
    for data, old in ((UBL, ">3160.54</cbc:PayableAmount"), (CXML, ">7129.57</Money></DueAmount")):
        assert old in data.decode()
        (finding,) = said(data.decode().replace(old, old.replace(old[1:8], amount), 1).encode())
        assert (finding.rule, finding.term, finding.found) == ("EINV-READ-03", "BT-115", amount[:80])
        assert finding.fix
        assert " line " in finding.place


def test_an_unknown_currency_is_read_as_it_is_stated() -> None:
    """Which codes are currencies is the matter of the rules (BR-CL-04)."""
    one = read(UBL.replace(b"EUR", b"XQQ"))
    assert (one.invoice.currency, one.findings) == ("XQQ", ())


# --- many invoices in one file ----------------------------------------------------------------------------------------


def test_one_bad_line_among_good_ones_leaves_the_others_unaffected() -> None:
    lines = [b'{"number": "1"}', b'{"number": NaN}', b'{"number": "3"', b"\xff\xfe", b'{"number": "5"}']
    reads = list(formats.read(b"\n".join(lines)))
    assert [one.invoice.number for one in reads] == ["1", None, None, None, "5"]
    assert [one.problem.where[:6] for one in reads if one.problem] == ["line 2", "line 3", "line 4"]


# --- anything ---------------------------------------------------------------------------------------------------------


def mutations() -> st.SearchStrategy[list[tuple[int, int, bytes]]]:
    """Cuts and insertions: where (in thousandths), how many bytes go, what comes instead."""
    pieces = st.one_of(
        st.binary(max_size=6),
        st.sampled_from(b'< </ > & &#0; <!-- ]]> <?x?> <![CDATA[ " { [ 1e9 <!DOCTYPE'.split()),
    )
    return st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 40), pieces), min_size=1, max_size=4)


def changed(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, cut, piece in edits:
        at = len(data) * place // 1000
        data = data[:at] + piece + data[at + cut :]
    return data


@EACH
def test_no_change_of_bytes_makes_another_error_than_ours(name: str) -> None:
    @settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(mutations())
    def every(edits: list[tuple[int, int, bytes]]) -> None:
        with suppress(EInvoiceError):
            for one in formats.read(changed(WHOLE[name], edits), name):
                assert all(finding.rule.startswith("EINV-READ-") for finding in one.findings)
                one.locate("$.lines[0].net_amount")

    every()


def swaps() -> Iterator[tuple[bytes, bytes]]:
    """Each text and attribute of a document, emptied, doubled or made huge."""
    for value in (b"", b" ", b"0", b"-1", b"9" * 400, b"x" * 70_000, "\u202e\U0001f600".encode()):
        yield b"EUR", value
        yield b"2026-10-05", value
        yield b"3160.54", value
        yield b"1725.84", value


@pytest.mark.parametrize(("old", "new"), list(swaps()), ids=lambda value: value[:10].decode())
def test_no_value_makes_another_error_than_ours(old: bytes, new: bytes) -> None:
    with suppress(EInvoiceError):
        one = read(UBL.replace(old, new))
        UblFormat().write(one.invoice, readable.IDS)
        CxmlFormat().write(one.invoice, readable.IDS)
