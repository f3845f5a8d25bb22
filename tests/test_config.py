"""Settings files: every problem at once, in plain words, with its place; secrets never inside, never shown."""

from __future__ import annotations

import re
import tomllib
import traceback
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.config import (
    Count,
    DecimalText,
    Duration,
    Flag,
    SecretRef,
    Strict,
    check_secret,
    load,
    read,
    resolve,
)
from einvoice.config.lines import lines
from einvoice.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
SECRET = "tr0ub4dor&3"


class Rules(Strict):
    po_required: Flag = False
    percent: DecimalText = "0"
    day: date | None = None


class Door(Strict):
    url: str
    secret: SecretRef | None = None
    timeout: Duration = timedelta(seconds=30)
    tries: Count = 1


class File(Strict):
    environment: Literal["test", "production"] = "test"
    transport: Door
    content_rules: Rules = Rules()
    row: tuple[Rules, ...] = ()


def problems(text: str, **later: str) -> list[tuple[str, str, str]]:
    """(rule, place, message with fix) of everything wrong with *text*."""
    with pytest.raises(ConfigError) as caught:
        load(text, File, "p.toml", later)
    return [(one.rule, one.place, f"{one.message} {one.fix}") for one in caught.value.findings]


def problem(text: str) -> tuple[str, str, str]:
    (found,) = problems(text)
    return found


GOOD = """
environment = "production"
[transport]
url = "https://network.example"
secret = "env:NETWORK_SECRET"
timeout = "15m"
"""


def test_a_good_file_becomes_its_model() -> None:
    settings = load(GOOD, File)
    assert settings.environment == "production"
    assert settings.transport.timeout == timedelta(minutes=15)


def test_every_problem_is_told_at_once_and_in_the_order_of_the_file() -> None:
    found = problems(
        """
        environment = "prod"
        [transport]
        urll = "x"
        tries = "3x"
        [content_rules]
        percent = 5.50
        [[row]]
        [[row]]
        day = "soon"
        """
    )
    assert [place for _, place, _ in found] == [
        "p.toml:2:environment",
        "p.toml:3:transport.url",
        "p.toml:4:transport.urll",
        "p.toml:5:transport.tries",
        "p.toml:7:content_rules.percent",
        "p.toml:10:row[1].day",
    ]


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    rule, place, told = problem(GOOD + 'secrt = "env:A"\n')
    assert (rule, place) == ("EINV-CONF-02", "p.toml:7:transport.secrt")
    assert "did you mean secret?" in told


def test_an_unknown_key_that_belongs_to_another_table_says_to_which() -> None:
    _, _, told = problem(GOOD + "po_required = true\n")
    assert "po_required belongs in [content_rules] or [row]" in told


def test_an_unknown_table_at_the_top_lists_what_is_known() -> None:
    _, _, told = problem(GOOD + "[zzz]\n")
    assert "environment" in told
    assert "content_rules" in told


def test_a_missing_key_says_what_to_add() -> None:
    assert problem("[transport]\n") == (
        "EINV-CONF-03",
        "p.toml:1:transport.url",
        "transport.url: required, and not there add url = ...",
    )


def test_a_float_is_refused_with_the_text_to_quote() -> None:
    rule, place, told = problem(GOOD + "[content_rules]\npercent = 5.50\n")
    assert (rule, place) == ("EINV-CONF-04", "p.toml:8:content_rules.percent")
    assert 'write "5.50" in quotes' in told


@pytest.mark.parametrize("value", ["nan", "inf", "1e3"])
def test_no_float_of_any_kind_passes(value: str) -> None:
    assert problem(GOOD + f"[content_rules]\npercent = {value}\n")[0] == "EINV-CONF-04"


def test_a_float_is_refused_when_the_model_is_built_in_code_too() -> None:
    with pytest.raises(ValueError, match="written as text"):
        Rules.model_validate({"percent": 5.5})


@pytest.mark.parametrize("value", ['"5,50"', '"1E3"', '"NaN"', '""'])
def test_a_decimal_in_text_is_plain(value: str) -> None:
    assert problem(GOOD + f"[content_rules]\npercent = {value}\n")[0] == "EINV-CONF-06"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('tries = "many"', "whole number"),
        ("tries = true", "whole number"),
        ("tries = -1", "greater than or equal to 0"),
        ('timeout = "5 minutes"', '"15m"'),
        ("timeout = 5", '"15m"'),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(line: str, told: str) -> None:
    assert told in problem(GOOD.replace('timeout = "15m"\n', "") + line + "\n")[2]


def test_yes_is_not_true() -> None:
    assert "true or false" in problem(GOOD + '[content_rules]\npo_required = "yes"\n')[2]


def test_a_choice_lists_the_choices() -> None:
    assert "'test' or 'production'" in problem(GOOD.replace('"production"', '"prod"'))[2]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = 1\nb = NO\n", "p.toml:2:5"),
        ("a = 1\na = 2\n", "p.toml:2"),
        ('a = "x', "p.toml:1"),
        ("x = 0106", "p.toml:1:"),
    ],
)
def test_a_syntax_error_has_its_line(text: str, where: str) -> None:
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        load(text, File, "p.toml")
    assert caught.value.where.startswith(where)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("data", "told"), [(b"\xff\xfe", "not UTF-8"), (b"# " + b"x" * 5_000_000, "larger"), (None, "No such file")]
)
def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path, data: bytes | None, told: str) -> None:
    path = tmp_path / "p.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError, match=told):
        load(path, File)


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(path, File).environment == "production"


def test_a_key_that_a_later_version_will_know_is_refused_by_name() -> None:
    (found,) = problems(GOOD + "mdn = 1\n", **{"transport.mdn": "it comes with AS2"})
    assert found[0] == "EINV-CONF-09"
    assert "not supported by this version: it comes with AS2" in found[2]


def test_defaults_lie_under_the_file_table_by_table() -> None:
    source = read(GOOD).over({"transport": {"url": "https://default.example", "tries": 4}, "row": [{}]})
    settings = File.model_validate(source.data)
    assert (settings.transport.url, settings.transport.tries, len(settings.row)) == ("https://network.example", 4, 1)


# --- secrets ----------------------------------------------------------------


@pytest.mark.parametrize("value", [f'"{SECRET}"', f'"env:{SECRET}"', f'["{SECRET}"]', f'{{ value = "{SECRET}" }}'])
def test_an_inline_secret_is_refused_and_never_repeated(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f'[transport]\nurl = "x"\nsecret = {value}\n', File, "p.toml")
    assert caught.value.findings[0].rule == "EINV-CONF-05"
    assert SECRET not in str(caught.value) + repr(caught.value) + str(caught.value.as_dict())
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_secret_under_a_wrong_key_is_not_repeated_either() -> None:
    with pytest.raises(ConfigError) as caught:
        load(f'[transport]\nurl = "x"\nshared_secret = "{SECRET}"\n', File)
    assert SECRET not in str(caught.value.as_dict())


@pytest.mark.parametrize("ref", ["env:A_B", "file:keys/a.txt", "keyring:einvoice/ariba", "pkcs11:token=a;object=b"])
def test_references_are_taken(ref: str) -> None:
    assert Door(url="x", secret=ref).secret == ref


def test_a_secret_comes_from_the_environment_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EINVOICE_TEST_SECRET", SECRET)
    (tmp_path / "secret.txt").write_text(SECRET + "\n", "utf-8")
    assert resolve("env:EINVOICE_TEST_SECRET") == SECRET
    assert resolve("file:secret.txt", tmp_path) == SECRET
    assert resolve(f"file:{tmp_path}/secret.txt") == SECRET


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("env:EINVOICE_NOT_SET", "not set, or empty"),
        ("file:nowhere.txt", "No such file"),
        ("keyring:einvoice/ariba", "not read by this version"),
        ("pkcs11:token=a", "not read by this version"),
        (SECRET, "given as a value"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_without_its_value(ref: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        resolve(ref, tmp_path)
    assert SECRET not in str(caught.value)


def test_a_binary_file_is_no_secret_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff" + SECRET.encode())
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        resolve("file:key", tmp_path)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_secret_that_others_may_read_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET, "utf-8")
    path.chmod(0o600)
    assert check_secret("file:secret.txt", tmp_path) == []
    path.chmod(0o644)
    (found,) = check_secret("file:secret.txt", tmp_path)
    assert (found.rule, found.fatal, found.fix) == ("EINV-CONF-08", False, "chmod 600")
    assert SECRET not in str(found)


def test_a_secret_that_is_absent_is_found_before_the_run(tmp_path: Path) -> None:
    (found,) = check_secret("env:EINVOICE_NOT_SET", tmp_path, "transport.secret")
    assert (found.rule, found.place) == ("EINV-CONF-07", "transport.secret")


def test_an_address_with_a_password_in_it_is_not_repeated() -> None:
    (found,) = problems(GOOD.replace('timeout = "15m"', f'timeout = "https://user:{SECRET}@host/"'))
    assert found[1] == "p.toml:6:transport.timeout"
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace('"15m"', f'"https://user:{SECRET}@host/"'), File)
    assert SECRET not in str(caught.value.as_dict())


# --- places -----------------------------------------------------------------


def leaves(value: Any, at: tuple[int | str, ...] = ()) -> list[tuple[int | str, ...]]:
    if isinstance(value, dict):
        return [place for key, child in value.items() for place in leaves(child, (*at, key))]
    if isinstance(value, list):
        return [place for index, child in enumerate(value) for place in leaves(child, (*at, index))]
    return [at]


@pytest.mark.parametrize(
    "path",
    [
        *sorted((ROOT / "einvoice").rglob("*.toml")),
        *sorted((ROOT / "fixtures").rglob("*.toml")),
        ROOT / "pyproject.toml",
    ],
    ids=lambda path: path.name,
)
def test_every_value_of_every_file_we_ship_has_its_line(path: Path) -> None:
    text = path.read_text("utf-8")
    found, rows = lines(text), text.splitlines()
    for place in leaves(tomllib.loads(text)):
        named = [step for step in place if isinstance(step, str)][-1]
        last = place[: len(place) - place[::-1].index(named)]
        assert named in rows[found[last] - 1], f"{place} is not on line {found[last]}"


KEYS = st.sampled_from(["a", "b", '"c.d"', "e-f", "'g h'"])
VALUES = st.recursive(
    st.sampled_from(['"x # no"', "'''\ny\n]'''", '"""z\\""""', "1", "2026-09-01", "true", '"[["', "'}'"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n# ]\n".join(items) + "]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda pairs: (
                "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items() if "\n" not in value) + " }"
            )
        )
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.booleans(), st.dictionaries(KEYS, VALUES, max_size=4)), max_size=4))
def test_any_toml_has_a_line_for_each_value(tables: list[tuple[bool, dict[str, str]]]) -> None:
    text = ""
    for number, (many, pairs) in enumerate(tables):
        text += ("[[list]]" if many else f"[table.t{number}]") + " # [x]\n"
        text += "".join(f"{key} = {value}\n" for key, value in pairs.items())
    rows, found = text.splitlines(), lines(text)
    for place in leaves(tomllib.loads(text)):
        key = next(step for step in place[::-1] if isinstance(step, str))
        at = place[: len(place) - place[::-1].index(key)]
        assert re.search(re.escape(key), rows[found[at] - 1]), (place, found)
