"""einvoice schemas list, verify: the official files, which release, from where, and whether their hashes are right."""

from __future__ import annotations

from argparse import Namespace

from .. import artefacts
from . import _output as out


def run(args: Namespace) -> int:
    found = artefacts.list_sources()
    if args.json:
        for one in found:
            out.emit({"id": one.id, "state": one.state, "release": one.release, "path": one.path,
                      "publisher": one.publication.publisher, "licence": one.publication.licence,
                      "findings": [finding.as_dict() for finding in one.findings]})  # fmt: skip
    else:
        rows = [
            (one.id, one.publication.version, one.state, one.publication.publisher, one.path or "") for one in found
        ]
        out.table(rows, ("schema", "version", "state", "publisher", "file"))
        if args.verb == "verify":
            out.findings([finding for one in found for finding in one.findings])
    wrong = [one for one in found if one.state == "wrong" or (args.verb == "verify" and one.state != "verified")]
    return out.PERSON if wrong else out.DONE
