"""Typed settings: the class is the schema. TOML in, every problem at once, unknown keys name the nearest known one.

    settings = load(Path("profile.toml"), Model)      # or load(text, Model)

A secret is a reference (``env:``, ``file:``, ``keyring:``, ``pkcs11:``), never a value; ``resolve`` fetches it.
"""

from .lines import Place as Place
from .lines import dotted as dotted
from .reading import Source as Source
from .reading import load as load
from .reading import read as read
from .reading import validate as validate
from .secrets import SecretRef as SecretRef
from .secrets import check_secret as check_secret
from .secrets import is_reference as is_reference
from .secrets import resolve as resolve
from .types import Count as Count
from .types import DecimalText as DecimalText
from .types import Duration as Duration
from .types import Flag as Flag
from .types import NoFloat as NoFloat
from .types import Percent as Percent
from .types import Strict as Strict
from .types import duration_text as duration_text
