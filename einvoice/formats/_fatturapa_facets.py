"""What the elements of FatturaPA hold: characters, lengths and forms, as its schema restricts them.

Most texts are ASCII only, some the first 256 characters of Unicode; names of elements stand for both schemas, where one
name has several rooms the widest is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from typing import Any

from ._edi import plainer
from ._fatturapa_words import digits
from ._xml import escape

#: Any text in ASCII, by its greatest length.
_ASCII = {
    8: "NumeroCivico", 10: "ProgressivoInvio UnitaMisura UnitaMisuraPeso TipoDato FormatoAttachment "
    "AlgoritmoCompressione Titolo SistemaEmittente TitoloQuietanzante", 12: "Telefono Fax", 15: "CodiceCUP CodiceCIG "
    "TotalePercorso", 20: "Numero IdDocumento NumItem NumeroDDT NumeroFatturaPrincipale NumeroREA NumeroFR "
    "RiferimentoAmministrazione CodUfficioPostale NumeroLicenzaGuida", 28: "IdCodice", 35: "CodiceTipo",
    60: "NumeroIscrizioneAlbo CodicePagamento",
}  # fmt: skip
#: Any text in Latin-1, by its greatest length.
_LATIN = {
    60: "Nome Cognome Indirizzo Comune AlboProfessionale NomeAttachment RiferimentoTesto CognomeQuietanzante "
    "NomeQuietanzante", 80: "Denominazione MezzoTrasporto IstitutoFinanziario", 100: "CodiceCommessaConvenzione "
    "CausaleTrasporto DescrizioneAttachment RiferimentoNormativo", 200: "Causale Beneficiario",
    1000: "Descrizione ElementiRettificati",
}  # fmt: skip
#: Any character, by its greatest length.
_ANY = {35: "CodiceValore"}
#: A form, in which nothing may be changed to make it fit.
_FORMS = {
    r"[A-Z]{2}": "IdPaese Nazione Provincia ProvinciaAlbo Ufficio", r"[0-9]{5}": "CAP ABI CAB",
    r"[A-Z0-9]{11,16}": "CodiceFiscale", r"[A-Z0-9]{6,7}": "CodiceDestinatario", r"[A-Z]{3}": "Divisa TipoResa",
    r"[1-9][0-9]{0,3}": "NumeroLinea RiferimentoNumeroLinea NumeroColli", r"[1-9][0-9]{0,2}": "RiferimentoFase",
    r"[0-9]{1,3}": "GiorniTerminiPagamento", r"TD[0-9]{2}": "TipoDocumento", r"RF[0-9]{2}": "RegimeFiscale",
    r"RT[0-9]{2}": "TipoRitenuta", r"N[1-7](?:\.[1-9])?": "Natura", r"MP[0-9]{2}": "ModalitaPagamento",
    r"TP[0-9]{2}": "CondizioniPagamento", r"[DIS]": "EsigibilitaIVA", r"[A-Z][A-Z0-9]?": "CausalePagamento",
    r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?": "BIC",
    r"-?[0-9]{1,11}\.[0-9]{2}": "ImportoRitenuta ImportoBollo ImportoContributoCassa ImponibileCassa "
    "ImportoTotaleDocumento CapitaleSociale SpeseAccessorie ImponibileImporto Imposta ImportoPagamento "
    "ScontoPagamentoAnticipato PenalitaPagamentiRitardati",
    r"-?[0-9]{1,11}\.[0-9]{2,8}": "Importo PrezzoUnitario PrezzoTotale RiferimentoNumero Arrotondamento",
    r"(?:[0-9]{1,2}|100)\.[0-9]{2}": "AliquotaIVA Aliquota AliquotaRitenuta AlCassa Percentuale",
    r"(?=.{7,256}$)[^@]+@[^@]+\.[^@]+": "Email PECDestinatario", r"SI": "Art73", r"CC|TZ": "SoggettoEmittente",
    r"S[MU]": "SocioUnico", r"L[NS]": "StatoLiquidazione", r"[A-Z0-9]{16}": "CFQuietanzante", r".{13,17}": "CodEORI",
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})?": "Data DataIscrizioneAlbo DataInizioTrasporto "
    "DataRiferimentoTerminiPagamento DataLimitePagamentoAnticipato DataDecorrenzaPenale",
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?": "DataOraRitiro "
    "DataOraConsegna", r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{11,30}": "IBAN",
    r"[0-9]{1,12}\.[0-9]{2,8}": "Quantita", r"[0-9]{1,4}\.[0-9]{1,2}": "PesoLordo PesoNetto",
}  # fmt: skip
_LEAST = {"Telefono": 5, "Fax": 5, "Titolo": 2, "TitoloQuietanzante": 2}
_ELEMENT = re.compile(r"<([A-Za-z]+)>([^<]+)</")
#: An amount with more zeros than it may have.
_ZEROS = re.compile(r"(-?[0-9]+\.[0-9]{2})0+")


@dataclass(frozen=True, slots=True)
class Facet:
    """What one element holds. ``room`` 0: it has a form instead, and nothing is made to fit it."""

    fits: Callable[[str], object]
    room: int = 0
    last: int = 0
    least: int = 1

    def plain(self, text: str) -> str:
        """*text* in characters that the element holds; those that have no plainer writing become a question mark."""
        return "".join(sign if ord(sign) <= self.last else self._plainer(sign) for sign in text)

    def _plainer(self, sign: str) -> str:
        found = plainer(sign)
        return found if found and all(ord(one) <= self.last for one in found) else "?"


def _texts(rooms: Mapping[int, str], last: int) -> Iterator[tuple[str, Facet]]:
    for room, names in rooms.items():
        for name in names.split():
            least = _LEAST.get(name, 1)
            pattern = f"[\\x00-\\u{last:04x}]{{{least},{room}}}"
            yield name, Facet(re.compile(pattern).fullmatch, room, last, least)


FACETS: Mapping[str, Facet] = {
    **dict(_texts(_ASCII, 0x7F)),
    **dict(_texts(_LATIN, 0xFF)),
    **dict(_texts(_ANY, 0xFFFF)),
    **{name: Facet(re.compile(form).fullmatch) for form, names in _FORMS.items() for name in names.split()},
}


# --- while it is written ----------------------------------------------------------------------------------------------

#: Stands where a text does not fit; no XML holds it.
MARK = "\0"


def text_of(element: str, number: bool) -> Callable[[Any], str] | None:
    """What makes the text of a value of *element*: escaped, and MARK where it does not fit. None: anything fits."""
    facet = FACETS.get(element)
    if facet is None:
        return None
    return _number(facet.fits) if number else _text(facet) if facet.room else _form(facet.fits)


def _text(facet: Facet) -> Callable[[str], str]:
    least, room, fits = facet.least, facet.room, facet.fits

    def text(value: str) -> str:
        if (value.isascii() and least <= len(value) <= room) or fits(value):
            return escape(value) if "&" in value or "<" in value or ">" in value or "\r" in value else value
        return MARK

    return text


def _form(fits: Callable[[str], object]) -> Callable[[str], str]:
    return lambda value: escape(value) if fits(value) else MARK


def _number(fits: Callable[[str], object]) -> Callable[[Decimal], str]:
    """Numbers with two decimals and no sign need only be short enough, which most are."""
    short = next((size for size in range(32, 3, -1) if fits(f"{'9' * (size - 3)}.99")), 0)

    def text(value: Decimal) -> str:
        stated = str(value)
        if stated[-3:-2] == "." and len(stated) <= short and stated[0] != "-":
            return stated
        stated = digits(value)
        return stated if fits(stated) else MARK

    return text


# --- what did not fit -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Misfit:
    """A text that its element does not hold. ``signs``: characters; ``room``: the length, 0 when it is the form."""

    element: str
    text: str
    signs: str
    room: int


def fitted(xml: str, transliterate: bool, cut: bool) -> tuple[str, list[Misfit]]:
    """*xml* with its texts made to fit as far as that is allowed, and everything that did not fit."""
    found: list[Misfit] = []
    ascii_only, facets = xml.isascii(), FACETS
    broken = set()
    for pair in set(_ELEMENT.findall(xml)):  # most of what many lines say they say alike
        if (facet := facets.get(pair[0])) is not None:
            room, length = facet.room, len(pair[1])
            if not (ascii_only and facet.least <= length <= room if room else facet.fits(pair[1])):
                broken.add(pair)
    if not broken:
        return xml, found
    parts, at = [], 0
    for match in _ELEMENT.finditer(xml):
        if (match[1], match[2]) not in broken:
            continue
        text = unescape(match[2])
        better = _better(match[1], text, transliterate, cut, found)
        if better != text:
            parts += [xml[at : match.start(2)], escape(better)]
            at = match.end(2)
    return "".join([*parts, xml[at:]]), found


def _better(name: str, text: str, transliterate: bool, cut: bool, found: list[Misfit]) -> str:
    facet = FACETS[name]
    if facet.fits(text):  # it was only its escaped form that was too long
        return text
    if not facet.room:
        zeros = _ZEROS.fullmatch(text)
        if zeros and facet.fits(zeros[1]):
            return zeros[1]
        found.append(Misfit(name, text, "", 0))
        return text
    plain = facet.plain(text)
    if plain != text:
        found.append(Misfit(name, text, "".join(sorted({sign for sign in text if ord(sign) > facet.last})), facet.room))
    if len(plain) > facet.room:
        found.append(Misfit(name, text, "", facet.room))
    elif not facet.fits(plain):
        found.append(Misfit(name, text, "", 0))
    better = plain if transliterate else text
    return better[: facet.room] if cut else better
