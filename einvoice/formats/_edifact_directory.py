"""What differs between the directories of INVOIC, as data: groups, codes, lengths (UNTDID D.96A, D.01B, D.14B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ._segments import Grammar, Limit, grammar

#: INVOIC of D.96A. The summary is a group that UNS opens, so that its ALC, TAX and MOA are none of the header's.
_D96A = """
BGM DTM PAI ALI IMD FTX (RFF DTM)
(NAD LOC FII (RFF DTM) (DOC DTM) (CTA COM))
(TAX MOA LOC) (CUX DTM) (PAT DTM PCD MOA PAI FII)
(TDT (LOC DTM) (RFF DTM)) (TOD LOC) (PAC MEA (PCI RFF DTM GIN))
(ALC ALI (RFF DTM) (QTY RNG) (PCD RNG) (MOA RNG) (RTE RNG) (TAX MOA))
(RCS RFF DTM FTX) (AJT FTX) (INP FTX)
(LIN PIA IMD MEA QTY PCD ALI DTM GIN GIR QVR EQD FTX
  (MOA CUX) (PAT DTM PCD MOA) (PRI APR RNG DTM) (RFF DTM) (PAC MEA (PCI RFF DTM GIN)) (LOC QTY DTM) (TAX MOA LOC)
  (NAD LOC (RFF DTM) (DOC DTM) (CTA COM))
  (ALC ALI DTM (QTY RNG) (PCD RNG) (MOA RNG) (RTE RNG) (TAX MOA))
  (TDT (LOC DTM)) (TOD LOC) (RCS RFF DTM FTX))
(UNS CNT (MOA (RFF DTM)) (TAX MOA) (ALC ALI MOA))
"""
_D01B = """
BGM DTM PAI ALI IMD FTX LOC GIS DGS GIR (RFF DTM GIR LOC MEA QTY FTX MOA RTE)
(NAD LOC FII MOA (RFF DTM) (DOC DTM) (CTA COM))
(TAX MOA LOC) (CUX DTM) (PAT DTM PCD MOA PAI FII)
(TDT TSR (LOC DTM) (RFF DTM)) (TOD LOC) (EQD SEL) (PAC MEA EQD (PCI RFF DTM GIN))
(ALC ALI FTX (RFF DTM) (QTY RNG) (PCD RNG) (MOA RNG CUX DTM) (RTE RNG) (TAX MOA))
(RCS RFF DTM FTX) (AJT FTX) (INP FTX)
(LIN PIA PGI IMD MEA QTY PCD ALI DTM GIN GIR QVR EQD FTX DGS
  (MOA CUX) (PAT DTM PCD MOA) (PRI CUX APR RNG DTM) (RFF DTM) (PAC MEA EQD (PCI RFF DTM GIN)) (LOC QTY DTM)
  (TAX MOA LOC) (NAD LOC FII (RFF DTM) (DOC DTM) (CTA COM))
  (ALC ALI DTM FTX (QTY RNG) (PCD RNG) (MOA RNG CUX DTM) (RTE RNG) (TAX MOA))
  (TDT (LOC DTM)) (TOD LOC) (RCS RFF DTM FTX) (GIS RFF DTM GIR LOC MEA QTY FTX MOA))
(UNS CNT (MOA (RFF DTM)) (TAX MOA) (ALC ALI MOA FTX))
"""
_D14B = """
BGM DTM PAI ALI IMD FTX LOC GEI DGS GIR (RFF DTM GIR LOC MEA QTY FTX MOA RTE)
(NAD LOC FII MOA (RFF DTM) (DOC DTM) (CTA COM))
(TAX MOA LOC) (CUX DTM) (PYT DTM PCD MOA PAI FII)
(TDT TSR (LOC DTM) (RFF DTM)) (TOD LOC) (EQD SEL) (PAC MEA EQD (PCI RFF DTM GIN))
(ALC ALI FTX (RFF DTM) (QTY RNG) (PCD RNG) (MOA RNG CUX DTM) (RTE RNG) (TAX MOA))
(RCS RFF DTM FTX) (AJT FTX) (INP FTX) (EFI CED COM RFF DTM QTY)
(LIN PIA PGI IMD MEA QTY PCD ALI DTM GIN GIR QVR EQD FTX DGS
  (MOA CUX) (PYT DTM PCD MOA) (PRI CUX APR RNG DTM) (RFF DTM) (PAC MEA EQD (PCI RFF DTM GIN)) (LOC QTY DTM)
  (TAX MOA LOC) (NAD LOC FII (RFF DTM) (DOC DTM) (CTA COM))
  (ALC ALI DTM FTX (QTY RNG) (PCD RNG) (MOA RNG CUX DTM) (RTE RNG) (TAX MOA))
  (TDT (LOC DTM)) (TOD LOC) (RCS RFF DTM FTX) (GEI RFF IMD DTM GIR LOC MEA QTY FTX MOA) (EFI CED COM RFF DTM QTY))
(UNS CNT (MOA (RFF DTM)) (TAX MOA) (ALC ALI MOA FTX))
"""


def _limits(text: int, item: int, ref: int, note: int, digits: tuple[int, int, int]) -> Mapping[str, Limit]:
    """Lengths by place. *text* an..N of names and addresses, *item* of 7008, *ref* of 1154, *note* of 4440.

    digits  of an amount (5004), a quantity (6060) and a percentage (5482)
    """
    amount, quantity, percent = digits
    return {
        "BGM/2.1": Limit(ref), "FTX/4.1": Limit(note, 5), "FTX+ACF/4.1": Limit(note), "FTX+ACF/4.2": Limit(note),
        "RFF/1.2": Limit(ref), "NAD/2.1": Limit(35),
        "NAD/4.1": Limit(text, 5), "NAD/4.2": Limit(text), "NAD/5.1": Limit(35), "NAD/5.2": Limit(35),
        "NAD/5.3": Limit(35), "NAD/6.1": Limit(35), "NAD/7.1": Limit(9), "NAD/7.4": Limit(70), "NAD/8.1": Limit(17),
        "NAD/9.1": Limit(3), "FII/2.1": Limit(35), "FII/2.2": Limit(35), "FII/3.1": Limit(11), "FII/3.7": Limit(70),
        "CTA/2.1": Limit(17), "CTA/2.2": Limit(text), "COM/1.1": Limit(512), "TDT/5.4": Limit(35), "LIN/1.1": Limit(6),
        "LIN/3.1": Limit(35), "PIA/2.1": Limit(35), "IMD/3.4": Limit(item, 2), "ALC/2.1": Limit(35),
        "ALC/5.4": Limit(35), "TAX/2.4": Limit(35), "TAX/5.4": Limit(17),
        "MOA/1.2": Limit(amount), "QTY/1.2": Limit(quantity), "PCD/1.2": Limit(percent),
        "PRI/1.2": Limit(15), "QTY/1.3": Limit(8), "ALI/1.1": Limit(3), "GIR/2.1": Limit(35),
    }  # fmt: skip


@dataclass(frozen=True)
class Directory:
    """The codes one directory and its users say things with.

    pay       PAT, or PYT from D.09B on
    reason    subject of the text that says why no tax is charged
    binding   the binding of EN 16931-3-4: trading name, schemes of identifiers, specification have a place
    totals    term, code that is written, codes that are read as the same
    own       RFF+IV repeats the document's own number, so that the invoice it refers to stands under OI
    """

    release: str
    grammar: Grammar = field(compare=False)
    limits: Mapping[str, Limit] = field(compare=False)
    totals: tuple[tuple[str, str, tuple[str, ...]], ...]
    seller: str = "SU"
    pay: str = "PAT"
    legal: str = "XA"
    gtin: str = "SRV"
    note: str = "ZZZ"
    reason: str = "TXD"
    booking: str = "AOU"
    referred: str = "171"
    preceding: str = "IV"
    own: bool = False
    contact: str = "IC"
    name_size: int = 35
    item_size: int = 35
    note_size: int = 70
    binding: bool = False


_TOTALS = (
    ("BT-106", "79", ()), ("BT-108", "259", ()), ("BT-107", "260", ()), ("BT-109", "125", ("389",)),
    ("BT-110", "176", ("124",)), ("BT-112", "77", ("388", "39", "86", "128")), ("BT-113", "113", ()),
    ("BT-114", "165", ("366",)), ("BT-115", "9", ()),
)  # fmt: skip
_BINDING_TOTALS = (
    ("BT-106", "79", ()), ("BT-107", "260", ()), ("BT-108", "259", ()), ("BT-109", "389", ("125",)),
    ("BT-110", "176", ("124",)), ("BT-111", "2", ()), ("BT-112", "388", ("77", "39", "86", "128")),
    ("BT-113", "113", ()), ("BT-114", "366", ()), ("BT-115", "9", ()),
)  # fmt: skip

DIRECTORIES = {
    "d96a": Directory("96A", grammar(_D96A), _limits(35, 35, 35, 70, (18, 15, 10)), _TOTALS, gtin="EN"),
    "d01b": Directory(
        "01B", grammar(_D01B), _limits(35, 256, 70, 512, (35, 35, 10)), _TOTALS, item_size=256, note_size=512,
    ),
    "d14b": Directory(
        "14B", grammar(_D14B), _limits(256, 256, 70, 512, (35, 35, 10)), _BINDING_TOTALS, seller="SE", pay="PYT",
        legal="GN",
        note="GEN", reason="AGM", booking="AWQ", referred="384", preceding="OI", contact="SU", name_size=256,
        item_size=256, note_size=512, binding=True,
    ),
}  # fmt: skip


def of_release(release: str) -> str:
    """The directory that reads a message of *release* (``97B``): the latest one here that is not younger.

    >>> of_release("97A"), of_release("07A"), of_release("16B"), of_release("")
    ('d96a', 'd01b', 'd14b', 'd96a')
    """
    year = int(release[:2]) if release[:2].isascii() and release[:2].isdigit() else 96
    return "d96a" if year > 80 else "d01b" if year < 9 else "d14b"
