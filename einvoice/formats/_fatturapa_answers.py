"""Notices of SdI: what became of a file, and what its buyer says (MessaggiTypes 1.1 and the later one for FPR12)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from ..errors import UnreadableDocument
from ..exchange import Answer
from ._xml import parse

#: Notices by root element: code, meaning. MC: SdI has the invoice and keeps trying (a public office) or has put it
#: where the buyer finds it (all others); AT: it cannot be delivered, the seller has done what is due; DT: the fifteen
#: days in which a public office may refuse have passed.
NOTICES = {
    "RicevutaConsegna": ("RC", "delivered"),
    "NotificaScarto": ("NS", "rejected"),
    "RicevutaScarto": ("NS", "rejected"),
    "NotificaMancataConsegna": ("MC", "received"),
    "RicevutaImpossibilitaRecapito": ("MC", "received"),
    "NotificaEsito": ("NE", ""),
    "NotificaEsitoCommittente": ("EC", ""),
    "NotificaDecorrenzaTermini": ("DT", "accepted"),
    "AttestazioneTrasmissioneFattura": ("AT", "received"),
    "ScartoEsitoCommittente": ("SE", "info"),
    "MetadatiInvioFile": ("MT", "info"),
}
#: EsitoCommittente: what the buyer says.
_OUTCOMES = {"EC01": "accepted", "EC02": "rejected"}
_NAMESPACE = re.compile(r"\{http://[a-z.]*(?:fatturapa|agenziaentrate)\.gov\.it/[^}]*messaggi/v1\.[0-9]\}")


def answers(data: bytes) -> Iterator[Answer]:
    """What the notice in *data* says; ``file_name`` is that of the document before it was signed or packed.

    UnreadableDocument when it is no notice, or names neither a file nor an invoice.
    """
    root = parse(data)
    name = str(root.tag).rpartition("}")[2]
    if name not in NOTICES or not _NAMESPACE.match(str(root.tag)):
        raise UnreadableDocument(f"{name} is no notice of SdI", where="line 1", fix="see the message in the inbox")
    yield _answer(root, *NOTICES[name])


def _answer(root: etree._Element, code: str, meaning: str) -> Answer:
    outcome = _text(root, "Esito")
    if not meaning:
        meaning = _OUTCOMES.get(outcome, "info")
    file, number, sdi = _text(root, "NomeFile"), _text(root, "NumeroFattura"), _text(root, "IdentificativoSdI")
    if not file and not number:
        raise UnreadableDocument("the notice names neither a file nor an invoice", where=f"IdentificativoSdI {sdi}",
                                 fix="ask which document it means")  # fmt: skip
    return Answer(
        kind="sdi",
        code=f"{code}-{outcome}" if outcome else code,
        meaning=meaning,
        remote_id="/".join(part for part in (code, sdi, _text(root, "MessageId")) if part),
        number=number,
        text=_told(root, sdi),
        file_name=f"{file_stem(file)}.xml" if file else "",
    )


def file_stem(name: str) -> str:
    """The name of a transmitted file without its endings.

    >>> file_stem("IT01234567890_11111.xml.p7m"), file_stem("IT01234567890_11111.zip")
    ('IT01234567890_11111', 'IT01234567890_11111')
    """
    return re.sub(r"(?:\.(?:xml|p7m|zip))+$", "", name, flags=re.IGNORECASE)


def _text(root: etree._Element, name: str) -> str:
    """The first element of this name outside RiferimentoArchivio, which speaks of the archive around the file."""
    for element in root.iter(name):
        parent = element.getparent()
        if parent is None or parent.tag != "RiferimentoArchivio":
            return (element.text or "").strip()
    return ""


def _told(root: etree._Element, sdi: str) -> str:
    """The number at SdI, each error, the words that came with it; that its signature was not looked at."""
    parts = [f"SdI {sdi}"] if sdi else []
    for error in root.iter("Errore"):
        words = (error.findtext("Descrizione") or "").strip()
        parts.append(f"{(error.findtext('Codice') or '').strip()} {words}".strip())
    stated = [element for name in ("Descrizione", "Note") for element in root.iter(name)]
    for element in stated:
        parent = element.getparent()
        if parent is not None and parent.tag != "Errore" and (words := (element.text or "").strip()):
            parts.append(words)
    if root.find("{http://www.w3.org/2000/09/xmldsig#}Signature") is not None:
        parts.append("signature not verified")
    return "; ".join(parts)[:500]
