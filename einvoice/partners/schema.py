"""The JSON Schema of a profile, for editors that complete and check while one types; kept in ``schemas/``."""

from __future__ import annotations

import json
from functools import reduce
from typing import Annotated, Any

from pydantic import Field, create_model

from .loading import AREAS, Area, kinds_of, table_of
from .profile import Profile

ADDRESS = "https://json-schema.org/draft/2020-12/schema"


def profile_schema() -> dict[str, Any]:
    """The schema of a profile with every format and transport that this version has.

    [format] and [transport] need not be whole: a network preset may fill them. Loading checks what came together.
    """
    tables: dict[str, Any] = {area: (_either(area), ...) for area in AREAS}
    model = create_model("Profile", __base__=Profile, **tables)
    schema = model.model_json_schema()
    kinds = [reference for area in AREAS for reference in _loosened(schema["properties"][area])]
    for reference in kinds:
        schema["$defs"][reference.rpartition("/")[2]].pop("required", None)
    schema["required"] = [name for name in schema["required"] if name not in AREAS]
    return {"$schema": ADDRESS, **schema, "title": "einvoice profile"}


def _loosened(choice: dict[str, Any]) -> list[str]:
    """Turns one-of-by-kind into any-of, since the kind may be the preset's; gives the tables it refers to."""
    choice.pop("discriminator")
    choice["anyOf"] = choice.pop("oneOf")
    return [row["$ref"] for row in choice["anyOf"]]


def profile_schema_text() -> str:
    """The schema as it is kept in ``schemas/profile.schema.json``."""
    return json.dumps(profile_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _either(area: Area) -> Any:
    tables: list[Any] = [table_of(area, kind) for kind in kinds_of(area)]
    return Annotated[reduce(lambda one, two: one | two, tables), Field(discriminator="kind")]
