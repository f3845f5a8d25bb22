"""Short lists of FatturaPA: what its words are in the model."""

from __future__ import annotations

from decimal import Decimal

from ..money import plain

#: VAT categories without tax, which FatturaPA tells apart by Natura.
UNTAXED = frozenset({"E", "Z", "AE", "K", "G", "O"})
#: Codes of Natura that name a family only (in force until 2020).
FAMILIES = frozenset({"N2", "N3", "N6"})
#: Type codes of documents that the buyer issues.
SELF_BILLED = {"389": "TD01", "261": "TD04"}
#: TipoDocumento of the simplified invoice in place of the ordinary one.
SIMPLER = {"TD01": "TD07", "TD04": "TD08", "TD05": "TD09"}
#: CAP of an address abroad, whose postcode has no place (FatturaPA 1.2.2.3).
WITHOUT_POSTCODE = "00000"
#: TipoCessionePrestazione by line kind (EX-81).
KINDS = {"discount": "SC", "bonus": "PR", "rebate": "AB", "ancillary": "AC"}
#: Characters of one Causale.
ROOM = 200
#: CodiceTipo of a standard identifier (BT-157) by its scheme.
STANDARD = {"0160": "EAN"}
#: CodiceTipo of a code that states no scheme.
FREE_CODE = "codice"
#: CodiceTipo by leaf of the item, where the profile names no other.
ITEM_CODES = {
    "seller_id": "Codice Art. fornitore",
    "buyer_id": "Codice Art. cliente",
    "manufacturer_id": "Codice Art. produttore",
}
#: FormatoAttachment by MIME type; another word is kept as it is.
MIMES = {
    "application/pdf": "PDF", "application/xml": "XML", "text/xml": "XML", "text/csv": "CSV", "image/png": "PNG",
    "image/jpeg": "JPG", "text/plain": "TXT", "application/zip": "ZIP",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS",
}  # fmt: skip


def digits(value: Decimal) -> str:
    """*value* with two decimals at least, as every amount, price, quantity and rate here.

    >>> digits(Decimal("12")), digits(Decimal("12.5")), digits(Decimal("0.12345"))
    ('12.00', '12.50', '0.12345')
    """
    text = str(value)
    if text[-3:-2] == ".":  # nearly always; what str() writes with an exponent has no point there
        return text
    text = plain(value)
    point = text.find(".")
    if point < 0:
        return f"{text}.00"
    return f"{text}0" if len(text) - point == 2 else text
