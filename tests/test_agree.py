"""Native and official rules say the same: on the official unit tests, on whole documents, on broken ones."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from einvoice import official
from tools import agree, conformance_official, mutate

pytestmark = pytest.mark.slow
pytest.importorskip("saxonche", reason="the extra 'official' is not installed")
#: Broken documents looked at here; ``./run mutate`` looks at 5,000.
FEW = 300


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("EINVOICE_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    official.stop()
    patch.undo()


def test_the_official_rules_meet_every_expectation_of_their_own_unit_tests(reference: Path) -> None:
    results = conformance_official.run(reference)
    failed = [one for one in results if one.outcome == "failed"]
    assert not failed, [f"{one.case.rule} {one.case.name}: {one.why}" for one in failed[:10]]
    assert sum(one.outcome == "passed" for one in results) >= 1168


def test_whole_documents_get_the_same_fatal_ids_but_for_the_listed_differences(reference: Path) -> None:
    results = [one for found in agree.run(reference).values() for one in found]
    assert len(results) >= 240
    new = agree.unlisted(results)
    assert not new, [str(one) for one in new[:10]]


def test_broken_documents_get_the_same_fatal_ids_but_for_the_listed_differences(reference: Path) -> None:
    results = [one for found in mutate.run(reference, FEW, seed=1).values() for one in found]
    assert len(results) == FEW
    assert sum(bool(one.fatal) for one in results) > FEW / 2, "most broken documents are found to be broken"
    new = agree.unlisted(results)
    assert not new, [str(one) for one in new[:10]]


def test_the_same_seed_breaks_documents_in_the_same_way(reference: Path) -> None:
    path = reference / "en16931" / "examples" / "ubl" / "examples" / "ubl-tc434-example1.xml"
    source = [("one", path.read_bytes())]
    first, again = (list(mutate.mutants(source, 60, 7)) for _ in range(2))
    other = list(mutate.mutants(source, 60, 8))
    assert first == again
    assert first != other
    assert len({one.data for one in first}) > 50
    assert {one.name.partition(" ")[0] for one in first} == {change.__name__ for change in mutate.MUTATORS}


def test_a_difference_without_a_reason_counts_and_is_shown(
    reference: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (reference / "en16931" / "examples" / "ubl" / "examples" / "ubl-tc434-example1.xml").read_bytes()
    root = etree.fromstring(data)
    (currency,) = root.findall("{*}DocumentCurrencyCode")
    currency.text = "XYZ"
    monkeypatch.setattr(agree, "native", lambda *_: [])
    found = agree.compare(etree.tostring(root), "broken.xml")
    assert "BR-CL-04" in {one.rule for one in found.differences}
    assert agree.report({"here": [found]}) == 1
    told = capsys.readouterr().out
    assert "differs: BR-CL-04 official only, ubl: 1, first broken.xml" in told
    assert told.endswith("agree: 0/1\n")


def test_every_listed_difference_says_why() -> None:
    listed = tomllib.loads(agree.REASONS.read_text(encoding="utf-8"))["reasons"]
    assert all(len(one["reason"]) > 30 for one in listed)
    assert not any(one.get("open") for one in listed), "a known fault is mended, not kept"
    assert {one["side"] for one in listed} <= {"native", "official"}
    assert len(agree.reasons()) == len(listed)


def test_a_directory_without_invoices_is_no_success(tmp_path: Path) -> None:
    assert agree.main([str(tmp_path)]) == 3
    assert mutate.main(["5", "--dir", str(tmp_path)]) == 3
