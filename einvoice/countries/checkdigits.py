"""Check digits of identifiers, by the name country files use; they are in ``codes``, where rules find them too."""

from __future__ import annotations

from ..codes.checkdigits import CHECKS, fr_vat, gs1, luhn, mod11_10, mod97_10

__all__ = ["CHECKS", "fr_vat", "gs1", "luhn", "mod11_10", "mod97_10"]
