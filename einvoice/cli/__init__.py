"""The command ``einvoice``: arguments in, text or JSON out. Each command is a module, imported when it is used.

Exit codes: 0 all done, 1 something needs a person, 2 usage or configuration, 3 could not start, 4 does not balance.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ._parser import parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. People never see a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["sandbox"]:  # a program of its own, with options of its own
        return int(import_module("..sandbox", __name__).main(words[1:]))
    args = parser().parse_args(words)
    if not args.command:
        parser().print_help()
        return 2
    from ..errors import EInvoiceError
    from ._output import broken, failed

    try:
        return int(import_module(f".{args.module}", __name__).run(args))
    except EInvoiceError as error:
        return failed(error, args)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except Exception as bug:
        if "EINVOICE_TRACEBACK" in os.environ:
            raise
        return failed(broken(bug), args)
