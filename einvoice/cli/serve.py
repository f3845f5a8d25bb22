"""einvoice serve --inbound: stores what partners push before it answers. Business work comes later, elsewhere."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ..config import SecretRef, Strict, load, resolve
from ..errors import ConfigError
from ..exchange import Inbound
from ..transport.inbound import Door, InboundServer
from . import _output as out
from ._home import Home, now


class InboundFile(Strict):
    """inbound.toml: where the door is, and which secret each partner was given."""

    door: Door = Door()
    accounts: Mapping[str, SecretRef]
    """Channel name to the secret we gave that partner: ``ariba = "env:EINVOICE_INBOUND_ARIBA"``."""


def run(args: Namespace) -> int:
    home = Home(args)
    file = Path(args.settings) if args.settings else home.path / "inbound.toml"
    if not file.is_file():
        fix = 'write there: [accounts] and a line such as ariba = "env:EINVOICE_INBOUND_ARIBA"'
        raise ConfigError("there are no settings for the inbound endpoint", where=str(file), fix=fix)
    settings = load(file, InboundFile)
    with home.ledger(make=True) as ledger:

        def store(inbound: Inbound) -> bool:
            return ledger.take_in(inbound, at=now())[1]

        accounts = {name: partial(resolve, ref, home.path) for name, ref in settings.accounts.items()}
        server = InboundServer(settings.door, accounts=accounts, store=store, clock=now)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})  # the thread below waits for them
        stop = threading.Thread(target=_close_on_signal, args=(server,), daemon=True)
        stop.start()
        print(f"listening on {server.url}", flush=True)
        server.serve()
    return out.DONE


def _close_on_signal(server: InboundServer) -> None:
    """Ends the server cleanly on SIGTERM or SIGINT: answers under way are finished."""
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.close()
