"""The worker process: one Saxon processor, closed to files and network, each stylesheet compiled once.

Run as a script, not imported: ``python -I engine.py DIRECTORY-OF-SAXONCHE``. It reads requests from standard input
and answers each on standard output, one JSON value a line:

    {"sheets": {key: text or null}, "document": text}
    {"svrl": {key: text}, "crashed": {key: error}, "unusable": {key: error}}

A sheet is sent once; later its key is enough. ``crashed`` is what a rule came to on this document, ``unusable`` a
sheet that does not compile or a document that Saxon does not read.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_FEATURE = "http://saxon.sf.net/feature/"
#: Set before anything is parsed. Documents and stylesheets come as text; nothing else may be opened by either.
_CLOSED = {
    f"{_FEATURE}parserFeature?uri=http%3A//apache.org/xml/features/disallow-doctype-decl": "true",
    f"{_FEATURE}parserFeature?uri=http%3A//xml.org/sax/features/external-general-entities": "false",
    f"{_FEATURE}parserFeature?uri=http%3A//xml.org/sax/features/external-parameter-entities": "false",
    f"{_FEATURE}allowedProtocols": "",
    f"{_FEATURE}allow-external-functions": "false",
}


class Engine:
    """The processor and what it has compiled."""

    def __init__(self) -> None:
        from saxonche import PySaxonProcessor  # type: ignore[import-not-found]

        self.processor: Any = PySaxonProcessor(license=False)
        for name, value in _CLOSED.items():
            self.processor.set_configuration_property(name, value)
        self.compiler: Any = self.processor.new_xslt30_processor()
        self.compiled: dict[str, Any] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, dict[str, str]]:
        svrl: dict[str, str] = {}
        crashed: dict[str, str] = {}
        unusable: dict[str, str] = {}
        document: Any = None
        for key, text in request["sheets"].items():
            try:
                if key not in self.compiled:
                    self.compiled[key] = self.compiler.compile_stylesheet(stylesheet_text=text)
                document = document or self.processor.parse_xml(xml_text=request["document"])
            except Exception as error:  # saxonche has one kind of error for everything
                unusable[key] = str(error)[:2000]
                continue
            try:
                svrl[key] = self.compiled[key].transform_to_string(xdm_node=document) or ""
            except Exception as error:
                crashed[key] = str(error)[:2000]
        return {"svrl": svrl, "crashed": crashed, "unusable": unusable}


def main() -> int:
    sys.path.append(sys.argv[1])
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints does not go between the answers
    engine = Engine()
    for line in sys.stdin:
        answers.write(json.dumps(engine.answer(json.loads(line))) + "\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
