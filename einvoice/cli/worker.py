"""einvoice worker: the standing worker, until it is told to stop."""

from __future__ import annotations

import random
import signal
from argparse import Namespace

from ..dispatch import Local, work, worker_name
from ..errors import ConfigError
from . import _output as out
from ._home import Home, now


def run(args: Namespace) -> int:
    if not args.idle.isdigit():
        raise ConfigError(
            f"{args.idle!r} is not a number of seconds", where="--idle", fix="write whole seconds, such as 5"
        )
    stopping: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: stopping.append(number))
    home = Home(args)
    with home.ledger(make=True) as ledger:
        work(
            ledger, home.pipeline(ledger), clock=now, worker=worker_name(), rng=random.Random(),  # noqa: S311  jitter, not a secret

            stop=lambda: bool(stopping), engine=Local(idle=int(args.idle)),
        )  # fmt: skip
    return out.DONE
