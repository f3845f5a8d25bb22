"""The base of every settings model, and the value types that settings share."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from ..money import parse


def _no_float(value: object) -> object:
    if isinstance(value, float) or (isinstance(value, list) and any(isinstance(item, float) for item in value)):
        raise PydanticCustomError(
            "float", 'a number with a fraction is written as text, "5.50": a float changes digits'
        )
    return value


class Strict(BaseModel):
    """Base of every settings model: frozen, unknown keys refused, floats refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_floats(cls, data: object) -> object:
        for key, value in data.items() if isinstance(data, dict) else ():
            try:
                _no_float(value)
            except PydanticCustomError as error:
                raise PydanticCustomError("float", "{key}: " + error.message_template, {"key": str(key)}) from error
        return data


def _decimal_text(value: object) -> object:
    if isinstance(value, str) and parse(value) is None:
        raise PydanticCustomError("decimal_text", 'not a plain decimal number in text, such as "5.50"')
    return _no_float(value)


NoFloat = BeforeValidator(_no_float)
#: A percent, amount or version number as text: no digit is ever changed.
DecimalText = Annotated[str, BeforeValidator(_decimal_text), WithJsonSchema({"type": "string"})]
Percent = DecimalText
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,6})([smhd])", value)):
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    raise PydanticCustomError("duration", 'not a duration such as "30s", "15m", "24h" or "3d"')


def duration_text(value: timedelta) -> str:
    """*value* as it is written in a settings file, in the largest unit that loses nothing.

    >>> duration_text(timedelta(hours=24)), duration_text(timedelta(minutes=90))
    ('1d', '90m')
    """
    seconds = int(value.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,6}[smhd]$"}),
]
