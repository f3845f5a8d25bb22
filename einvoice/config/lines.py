"""Where each key of a TOML text stands: ``("rule", 2, "formats")`` on line 41. The text is valid TOML already."""

from __future__ import annotations

import re
from collections.abc import Mapping

Place = tuple[int | str, ...]

_WORD = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' + r"'''.*?'{3,5}|"
    r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|"
    r"#[^\n]*|\n|\[\[|\]\]|[\[\]{},=.]|[^\s\[\]{},=.#\"']+",
    re.DOTALL,
)


def dotted(place: Place) -> str:
    """A place in TOML as people write it.

    >>> dotted(("rule", 2, "formats", 0))
    'rule[2].formats[0]'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def line_of(found: Mapping[Place, int], place: Place) -> int | None:
    """The line of *place*, or of the nearest key around it."""
    while place and place not in found:
        place = place[:-1]
    return found.get(place)


def lines(text: str) -> dict[Place, int]:
    """The line (from 1) of every key, table and array element."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.words: list[tuple[str, int]] = []
        line = 1
        for match in _WORD.finditer(text):
            if not match[0].startswith("#"):
                self.words.append((match[0], line))
            line += match[0].count("\n")
        self.at = 0
        self.found: dict[Place, int] = {}
        self.sizes: dict[Place, int] = {}

    def run(self) -> dict[Place, int]:
        table: Place = ()
        while self.at < len(self.words):
            word, line = self.words[self.at]
            if word == "\n":
                self.at += 1
            elif word in ("[", "[["):
                table = self._header(word == "[[", line)
            else:
                self._pair(table)
        return self.found

    def _header(self, array: bool, line: int) -> Place:
        self.at += 1
        place = self._entered(self._key(), array)
        self.found.setdefault(place, line)
        while self.at < len(self.words) and self.words[self.at][0] != "\n":
            self.at += 1
        return place

    def _entered(self, key: list[str], array: bool) -> Place:
        """The place of a header's key: a step that names an array of tables means its last element."""
        place: Place = ()
        for index, step in enumerate(key):
            place = (*place, step)
            if array and index == len(key) - 1:
                self.sizes[place] = self.sizes.get(place, 0) + 1
            if place in self.sizes:
                place = (*place, self.sizes[place] - 1)
        return place

    def _key(self) -> list[str]:
        steps = []
        while self.words[self.at][0] not in ("=", "]", "]]", "\n"):
            word = self.words[self.at][0]
            if word != ".":
                steps.append(word[1:-1] if word[0] in "\"'" else word)
            self.at += 1
        return steps

    def _pair(self, table: Place) -> None:
        line = self.words[self.at][1]
        place = table
        for step in self._key():
            place = (*place, step)
            self.found.setdefault(place, line)
        self.at += 1
        self._value(place)

    def _value(self, place: Place) -> None:
        word, line = self.words[self.at]
        self.found.setdefault(place, line)
        if word in ("[", "[["):
            # "[[" inside a value is a list that starts with a list.
            self.words[self.at : self.at + 1] = [("[", line)] * len(word)
            self.at += 1
            self._items(place)
        elif word == "{":
            self.at += 1
            self._inline(place)
        else:
            while self.at < len(self.words) and self.words[self.at][0] not in (",", "]", "]]", "}", "\n"):
                self.at += 1

    def _items(self, place: Place) -> None:
        index = 0
        while True:
            word, line = self.words[self.at]
            if word == "]]":
                self.words[self.at : self.at + 1] = [("]", line), ("]", line)]
                word = "]"
            if word == "]":
                self.at += 1
                return
            if word in ("\n", ","):
                self.at += 1
                index += word == ","
            else:
                self._value((*place, index))

    def _inline(self, place: Place) -> None:
        while self.words[self.at][0] != "}":
            if self.words[self.at][0] in ("\n", ","):
                self.at += 1
            else:
                self._pair(place)
        self.at += 1
