"""einvoice template: a table for an ERP, or a person, to fill in."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from .. import formats
from . import _output as out
from .convert import write


def run(args: Namespace) -> int:
    data = formats.template(args.kind)
    if args.output:
        write(Path(args.output), data)
    else:
        sys.stdout.buffer.write(data)
    return out.DONE
