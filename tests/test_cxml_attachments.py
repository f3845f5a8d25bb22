"""Supporting documents beside a cXML invoice: MIME parts that a mail library and the sandbox take apart."""

from __future__ import annotations

import io
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from einvoice import formats
from einvoice.errors import EInvoiceError
from einvoice.exchange import Document
from einvoice.formats import _mime
from einvoice.loss import losses
from einvoice.model import Attachment, Invoice
from einvoice.sandbox import cxml as partner
from einvoice.sandbox.cxml import Status
from tests import readable

PDF = b"%PDF-1.7\r\n\x00\xff--part\r\n\r\n%%EOF"
TABLE = "Größe;Menge\r\n".encode()


def invoice(*more: Attachment) -> Invoice:
    attached = (
        Attachment(content=PDF, mime="application/pdf", filename="timesheet.pdf"),
        Attachment(uri="https://files.example/terms.pdf", filename="terms.pdf"),
        Attachment(content=TABLE, mime="text/csv", filename="Maße.csv"),
        *more,
    )
    return readable.invoice("us-invoice").model_copy(update={"attachments": attached})


ENDS = {"from_": ({"identity": "AN01000000001-T"},), "to": ({"identity": "AN01000000002-T"},)}


def write(stated: Invoice, **given: object) -> Document:
    return formats.get("cxml", **ENDS, **given).write(stated, readable.IDS)


def parts(document: Document) -> list[EmailMessage]:
    """The message as the standard library's parser sees it."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {document.media_type}\r\n\r\n".encode()
    message = message_from_bytes(head + document.data, policy=policy.HTTP)
    assert not message.defects
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == "text/xml"
    found = list(message.iter_parts())  # type: ignore[attr-defined]
    assert str(message.get_param("start")) == found[0]["Content-ID"]
    return found


def test_a_mail_library_finds_the_cxml_and_each_document() -> None:
    root, pdf, table = parts(write(invoice()))
    assert root.get_content_type() == "text/xml"
    assert [one.get_payload(decode=True) for one in (pdf, table)] == [PDF, TABLE]
    assert [one.get_filename() for one in (pdf, table)] == ["timesheet.pdf", "Maße.csv"]
    assert [one.get_content_type() for one in (pdf, table)] == ["application/pdf", "text/csv"]
    urls = etree.fromstring(root.get_payload(decode=True), etree.XMLParser(load_dtd=False)).xpath(
        "//Attachment/URL/text()"
    )
    assert [url for url in urls if url.startswith("cid:")] == [f"cid:{one['Content-ID'][1:-1]}" for one in (pdf, table)]


def test_the_other_side_takes_it_apart_by_means_of_its_own() -> None:
    document = write(invoice())
    taken = partner.split(document.data, document.media_type)
    assert not isinstance(taken, Status)
    _, attachments = taken
    assert list(attachments.values()) == [PDF, TABLE]


def test_it_is_valid_and_comes_back_whole() -> None:
    stated, format = invoice(), formats.get("cxml")
    document = write(stated)
    assert formats.detect(document.data[:4096]) == "cxml"
    assert formats.schema_verdict(document).status in ("valid", "not run")
    again = next(iter(format.read(io.BytesIO(document.data)))).invoice
    assert again.attachments == stated.attachments
    assert not [one for one in losses(stated, document, format) if one.term.startswith("BT-12")]


def test_the_same_invoice_makes_the_same_bytes() -> None:
    assert write(invoice()).data == write(invoice()).data


def test_left_out_is_said() -> None:
    stated = invoice()
    document = write(stated, attachments="leave_out")
    assert document.media_type.startswith("text/xml")
    lost = [one.path for one in losses(stated, document, formats.get("cxml")) if one.rule == "EINV-LOSS-01"]
    assert any("attachments[0]" in path for path in lost)


def test_an_invoice_without_contents_stays_plain_xml() -> None:
    document = write(readable.invoice("us-invoice"))
    assert document.media_type == "text/xml; charset=UTF-8"
    assert document.data.startswith(b"<?xml")


def test_a_reference_to_a_part_that_is_not_there_is_a_finding() -> None:
    document = write(invoice())
    boundary = b"\r\n--" + document.media_type.partition('boundary="')[2].rstrip('"').encode()
    pieces = document.data.split(boundary)
    data = boundary.join([*pieces[:1], *pieces[2:]])  # without the PDF
    read = next(iter(formats.read(data)))
    assert [(one.rule, one.path) for one in read.findings if one.rule == "EINV-CXML-04"] == [
        ("EINV-CXML-04", "$.attachments[0].uri")
    ]
    assert read.invoice.attachments[2].content == TABLE


def test_names_cannot_end_a_header() -> None:
    name = 'x.pdf"\r\nContent-ID: <evil>\r\n\r\nbody'
    _, *rest = parts(write(invoice(Attachment(content=b"1", mime="text/plain\r\nX: 1", filename=name))))
    assert rest[-1]["X"] is None
    assert rest[-1]["Content-ID"] != "<evil>"
    assert rest[-1].get_payload(decode=True) == b"1"


def test_a_cut_message_is_refused_wherever_it_is_cut() -> None:
    data = write(invoice()).data
    for end in range(1, len(data) - 2, max(1, len(data) // 60)):
        with pytest.raises(EInvoiceError):
            list(formats.read(data[:end], "cxml"))


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_bytes_come_back(contents: list[bytes], base64: bool) -> None:
    given_parts = [_mime.Part(one, "application/octet-stream", id=str(n)) for n, one in enumerate(contents)]
    body, _ = _mime.join(given_parts)
    assert [one.data for one in _mime.split(body)] == contents
