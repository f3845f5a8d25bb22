"""The 810 of 004010 and 005010 as data: how its loops nest, what a data element holds, which segments must be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ._segments import Grammar, Limit, grammar

#: Loops are named by their trigger. ``+IT1`` and ``+PER`` are the pairs of qualifier and value that follow the fixed
#: elements of those segments, taken apart so that a table can say what each pair is.
_LINE_NOTES = "(LM LQ) (V1 R4 DTM) (FA1 FA2)"
_PARTY = "(N1 N2 N3 N4 REF (PER +PER) DMG)"
GRAMMAR = f"""
BIG NTE CUR REF YNQ (PER +PER) {_PARTY} ITD DTM FOB PID MEA PWK PKG L7 BAL INC PAM (LM LQ) (N9 MSG)
(V1 R4 DTM) (FA1 FA2)
(IT1 +IT1 CRC QTY CUR IT3 TXI CTP PAM MEA (PID MEA) PWK PKG PO4 ITD REF YNQ (PER +PER) SDQ DTM CAD L7 SR (SAC TXI)
 (SLN DTM REF PID SAC TC2 TXI) {_PARTY} {_LINE_NOTES})
TDS TXI CAD AMT (SAC TXI) (ISS PID) CTT
"""
#: How often a segment may stand at one place of a loop, where that is bounded: loop, segment, times.
MOST: Mapping[tuple[str, str], int] = {
    ("", "BIG"): 1, ("", "NTE"): 100, ("", "CUR"): 1, ("", "REF"): 12, ("", "DTM"): 10, ("", "FOB"): 1,
    ("", "TDS"): 1, ("", "TXI"): 10, ("", "CAD"): 1, ("", "CTT"): 1, ("N1", "N2"): 2, ("N1", "N3"): 2, ("N1", "N4"): 1,
    ("N1", "REF"): 12, ("IT1", "TXI"): 10, ("IT1", "CTP"): 25, ("IT1", "PAM"): 10, ("IT1", "DTM"): 10,
    ("SAC", "TXI"): 10, ("N9", "MSG"): 10,
}  # fmt: skip
#: Segments that an 810 cannot do without, and their mandatory elements.
REQUIRED = ("BIG", "TDS")
MANDATORY: Mapping[str, tuple[int, ...]] = {
    "BIG": (1, 2), "NTE": (2,), "CUR": (1, 2), "REF": (1,), "N1": (1,), "N2": (1,), "N3": (1,), "DTM": (1,),
    "PID": (1,), "TXI": (1,), "SAC": (1,), "TDS": (1,), "AMT": (1, 2), "CTT": (1,), "PER": (1,), "QTY": (1,),
    "ISS": (), "MSG": (1,), "N9": (1,), "SLN": (1, 3),
}  # fmt: skip
#: Longest values by segment and element: (element number in the dictionary, length) of 004010.
LENGTHS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "BIG": ((373, 8), (76, 22), (373, 8), (324, 22), (328, 30), (327, 8), (640, 2), (353, 2), (306, 2), (76, 22)),
    "NTE": ((363, 3), (352, 80)),
    "CUR": ((98, 3), (100, 3), (280, 10), (98, 3), (100, 3), (669, 3), (374, 3), (373, 8), (337, 8), *((0, 0),) * 12),
    "REF": ((128, 3), (127, 30), (352, 80), (0, 0)),
    "N1": ((98, 3), (93, 60), (66, 2), (67, 80), (706, 2), (98, 3)),
    "N2": ((93, 60), (93, 60)),
    "N3": ((166, 55), (166, 55)),
    "N4": ((19, 30), (156, 2), (116, 15), (26, 3), (309, 2), (310, 30), (1715, 3)),
    "PER": ((366, 2), (93, 60), (365, 2), (364, 80), (365, 2), (364, 80), (365, 2), (364, 80), (443, 20)),
    "ITD": ((336, 2), (333, 2), (338, 6), (370, 8), (351, 3), (446, 8), (386, 3), (362, 10), (388, 8), (389, 10),
            (342, 5), (352, 80), (765, 2), (107, 2), (954, 10)),
    "DTM": ((374, 3), (373, 8), (337, 8), (623, 2), (1250, 3), (1251, 35)),
    "IT1": ((350, 20), (358, 10), (355, 2), (212, 17), (639, 2), *((235, 2), (234, 48)) * 10),
    "TXI": ((963, 2), (782, 18), (954, 10), (955, 2), (956, 10), (441, 1), (662, 1), (828, 9), (325, 20), (350, 20)),
    "CTP": ((687, 2), (236, 3), (212, 17), (380, 15), *((0, 0),) * 7),
    "PAM": ((673, 2), (380, 15), (0, 0), (522, 3), (782, 18), *((0, 0),) * 10),
    "PID": ((349, 1), (750, 3), (559, 2), (751, 12), (352, 80), (752, 2), (822, 15), (1073, 1), (819, 3)),
    "SAC": ((248, 1), (1300, 4), (559, 2), (1301, 10), (610, 15), (378, 1), (332, 6), (118, 9), (355, 2), (380, 15),
            (380, 15), (331, 2), (127, 30), (770, 20), (352, 80), (819, 3)),
    "TDS": ((610, 15), (610, 15), (610, 15), (610, 15)),
    "CAD": ((91, 2), (206, 4), (207, 10), (140, 4), (387, 35), (368, 2), (128, 3), (127, 30), (284, 2)),
    "AMT": ((522, 3), (782, 18), (478, 1)),
    "CTT": ((354, 6), (347, 10), *((0, 0),) * 5),
    "MSG": ((933, 264), (934, 2), (1470, 9)),
    "N9": ((128, 3), (127, 30), (369, 45), (373, 8), (337, 8), (623, 2), (0, 0)),
}  # fmt: skip
#: Data elements that grew: their length in 005010.
GREW = {127: 50, 234: 80, 364: 256, 610: 15, 358: 15, 782: 18}


@dataclass(frozen=True, eq=False)
class Directory:
    """One version of the 810."""

    version: str
    isa: str
    """ISA12."""
    repetition: str
    lengths: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    @property
    def grammar(self) -> Grammar:
        return _GRAMMAR

    @property
    def limits(self) -> Mapping[str, Limit]:
        """Lengths by place for the writer; the pairs of IT1 and PER stand apart."""
        found = {
            f"{tag}/{place}.1": Limit(length)
            for tag, row in self.lengths.items()
            for place, (_, length) in enumerate(row, 1)
            if length
        }
        return {**found, "+IT1/2.1": Limit(self.lengths["IT1"][6][1]), "+PER/2.1": Limit(self.lengths["PER"][3][1])}


_GRAMMAR = grammar(GRAMMAR)
DIRECTORIES = {
    "004010": Directory("004010", "00401", "", LENGTHS),
    "005010": Directory(
        "005010", "00501", "^",
        {tag: tuple((number, GREW.get(number, size)) for number, size in row) for tag, row in LENGTHS.items()},
    ),
}  # fmt: skip


def of_version(gs08: str) -> Directory:
    """The directory that reads a group of this version: the newest that is not newer than it."""
    return DIRECTORIES["005010" if gs08[:6] >= "005" else "004010"]
