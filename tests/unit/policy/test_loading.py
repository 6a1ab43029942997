"""Which sets of rules are taken, and what is said of those that are not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dbgate_core.errors import UsageError
from dbgate_core.policy import Policies
from dbgate_core.policy.bounds import (
    MAX_DEPTH,
    MAX_DOTS,
    MAX_FILE_CHARS,
    MAX_FILES,
    MAX_POLICIES,
    MAX_POLICY_CHARS,
    demand_bounded,
)
from tests.unit.policy.people import EVERYTHING, POLICIES, SCHEMA, rules

FORBID = "forbid(principal, action, resource);"


def refusal(*texts: str) -> str:
    with pytest.raises(UsageError) as caught:
        rules(*texts)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit(principal, action, resource)", "unexpected end"),
        ("permit(principal action, resource);", "unexpected token"),
        ("permit(principal, action, resource);", "policy 1: has no @id"),
        ('@id("") permit(principal, action, resource);', "policy 1: has no @id"),
        ("@id permit(principal, action, resource);", "has no @id"),
        (f'@id("A b") {FORBID}', "'A b' is not made of"),
        (f'@id("{"x" * 81}") {FORBID}', "is not made of"),
        (f'@id("lexing-settings") {FORBID}', "dbgate's own"),
        (EVERYTHING + EVERYTHING, "stands in 0.cedar:1 already"),
        (f'@id("x") @aproval("dba:1") {FORBID}', "@aproval does not exist"),
        (f'@id("x") @approval("dba") {FORBID}', "'dba' is not a quorum"),
        (f'@id("x") @approval("dba:99") {FORBID}', "people"),
        (f'@id("x") @approval("") {FORBID}', "@approval is empty"),
        (f'@id("x") @rows("10") {FORBID}', "@rows belongs on a permit"),
        (f'@id("x") @mask("null") {FORBID}', "@mask belongs on a permit"),
        (f'@id("x") @free_text("mask") {FORBID}', "@free_text belongs on a permit"),
        ('@id("x") @free_text("on") permit(principal, action, resource);', '@free_text is "mask"'),
        (
            '@id("x") @mask("half") permit(principal, action, resource);',
            "'half' is none of partial",
        ),
        ('@id("x") @rows("many") permit(principal, action, resource);', "'many' is not a number"),
        (f'@id("x") @session_rows("10") {FORBID}', "@session_rows belongs on a permit"),
        ('@id("x") @statement_seconds("5m") permit(principal, action, resource);', "not a number"),
        (
            '@id("x") @session_rows("1") permit(principal, action in Action::"read", resource);',
            "0.cedar:1: x: it limits sessions, and permits none",
        ),
        ('@id("x") @rows("0") permit(principal, action, resource);', "'0' is not a number"),
        ('@id("x") @rows("-1") permit(principal, action, resource);', "'-1' is not a number"),
        ('@id("x") @rows("٣") permit(principal, action, resource);', "is not a number"),
        ('@id("x") @rows("99999999999") permit(principal, action, resource);', "is not a number"),
        ('@id("x") @approval("dba:1") permit(principal, action, resource);', "belongs on a forbid"),
        ('@id("x") @message("m") permit(principal, action, resource);', "belongs on a forbid"),
        (f'@id("x") @role("admin") {FORBID}', "needs @approval"),
        (f'@id("x") @message("{{objekt}}") {FORBID}', "{objekt} is no placeholder"),
        (f'@id("x") @message("{{object.__class__}}") {FORBID}', "is no placeholder"),
        (f'@id("x") @message("{{object!r}}") {FORBID}', "is no placeholder"),
        (f'@id("x") @hint("{{object:>9}}") {FORBID}', "is no placeholder"),
        (f'@id("x") @hint("{{") {FORBID}', "is not readable"),
        (f'@id("x") @mode("enforce") {FORBID}', '@mode is "observe"'),
        ('@id("x") @mode("observe") permit(principal, action, resource);', "belongs on a forbid"),
        (f'@id("x") @message("{{0}}") {FORBID}', "is no placeholder"),
        ('@id("x") permit(principal, action == Action::"fly", resource);', 'Action::"fly"'),
        ('@id("x") permit(principal in Grp::"a", action, resource);', "Grp"),
        ('@id("x") permit(principal, action, resource) when { context.danger == 1 };', "x:"),
        (
            '@id("x") forbid(principal, action == Action::"connect", resource)'
            ' when { context.danger == "" };',
            "danger",
        ),
        ('@id("x") permit(principal == ?principal, action, resource);', "templates"),
        ("", "no policy in them"),
        ("// nothing but words", "no policy in them"),
        (f'@id("x") @id("y") {FORBID}', "duplicate"),
    ],
)
def test_a_mistake_is_found(text: str, said: str) -> None:
    assert said in refusal(text)


def test_all_mistakes_are_told_at_once_with_their_files() -> None:
    message = refusal(
        "permit(",
        "permit(principal, action, resource);",
        f'@id("x") @aproval("dba:1") @rows("1") {FORBID}',
        f"{EVERYTHING}",
        EVERYTHING,
        '@id("y") permit(principal, action == Action::"fly", resource);',
    )
    files = [line.split(":")[0].strip() for line in message.splitlines()[1:]]
    assert list(dict.fromkeys(files)) == ["0.cedar", "1.cedar", "2.cedar", "4.cedar", "5.cedar"]
    assert "@aproval" in message
    assert "@rows" in message


def test_each_mistake_of_one_file_has_its_line() -> None:
    message = refusal(
        f"// why\n{EVERYTHING}\n\n@id('a')\npermit(principal action, resource);\n"
        f'@id("b") @hint(";") {FORBID}\n@id("c")\npermit(principal, action, resource) when {{ 1 + }};\n'
    )
    places = [line.split(": ")[0].strip() for line in message.splitlines()[1:]]
    assert places == ["0.cedar:4", "0.cedar:7"]
    typed = refusal(
        f'{EVERYTHING}\n\n@id("y") permit(principal, action == Action::"fly", resource);'
    )
    assert "0.cedar:3: y: unrecognized action" in typed


def test_a_mistake_anywhere_refuses_the_whole_set() -> None:
    assert "1.cedar" in refusal(EVERYTHING, "permit(")


def test_a_schema_that_is_none_or_of_another_product_is_refused() -> None:
    for schema in (
        "entity",
        "entity User; action fly appliesTo {principal: User, resource: User};",
    ):
        with pytest.raises(UsageError):
            Policies.load({"a.cedar": EVERYTHING}, schema)


def test_no_files_are_no_policies() -> None:
    with pytest.raises(UsageError, match="no policy"):
        Policies.load({}, SCHEMA)


def test_the_version_changes_with_any_text() -> None:
    def version(**files: str) -> str:
        return Policies.load(
            {f"{name}.cedar": text for name, text in files.items()}, SCHEMA
        ).version

    first = version(a=EVERYTHING)
    assert first == version(a=EVERYTHING)
    others = [
        version(a=EVERYTHING + " "),
        version(b=EVERYTHING),
        version(a=EVERYTHING, b="// words"),
        Policies.load({"a.cedar": EVERYTHING}, SCHEMA + " ").version,
    ]
    assert len({first, *others}) == 5


def test_the_words_of_the_first_rule_by_file_and_place_are_used() -> None:
    some = rules(
        EVERYTHING,
        f'@id("z") @message("first") {FORBID}',
        f'@id("a") @message("second") {FORBID} @id("b") @message("third") {FORBID}',
    )
    assert [rule.id for rule in some.rules] == ["everything", "z", "a", "b"]


def test_comments_and_strings_do_not_count_as_depth() -> None:
    deep = "(" * 500
    rules(f'// {deep}\n@id("x") forbid(principal, action, resource) when {{ "{deep}\\"" == "" }};')


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 5_000 + "true" + ")" * 5_000,
        "[" * 5_000 + "]" * 5_000 + " == []",
        "true" + " && true" * 5_000,
        "if true then true else " * 8_000 + "true",
        "context has a" + ".b" * 8_000,
        "context" + ".a" * 8_000 + " == 1",
        'context["' + '" "' * 8_000 + '"]',
        "!" * 100_000 + "true",
        '")' + "(" * 5_000,
        "(" * (MAX_DEPTH + 1) + "true" + ")" * (MAX_DEPTH + 1),
        "true" + " || true" * 200,
    ],
)
def test_a_rule_too_deep_or_long_is_refused_and_nothing_falls_over(condition: str) -> None:
    """In a process of its own: Cedar's parser takes the whole process down with it."""
    program = (
        "import sys\n"
        "from dbgate_core.policy import Policies\n"
        "from dbgate_core.errors import UsageError\n"
        "schema, text = open(sys.argv[1]).read(), sys.stdin.read()\n"
        "try: Policies.load({'a.cedar': text}, schema)\n"
        "except UsageError: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(POLICIES / "schema.cedarschema")],
        input=f'@id("x") permit(principal, action, resource) when {{ {condition} }};',
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "refused"), done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a" + ".b" * (MAX_DOTS + 1), "too long"),
        ("a + " * MAX_POLICY_CHARS, "too long"),
        ("(" * (MAX_DEPTH + 1), "nested"),
        (" " * (MAX_FILE_CHARS + 1), "longer"),
    ],
)
def test_each_bound_holds(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        demand_bounded(text)
    demand_bounded(";".join(["a.b(c)"] * MAX_POLICY_CHARS))


def test_too_many_files_or_policies_are_refused() -> None:
    with pytest.raises(UsageError, match="files"):
        Policies.load({f"{i}.cedar": "" for i in range(MAX_FILES + 1)}, SCHEMA)
    many = "".join(f'@id("p{i}") {FORBID}\n' for i in range(MAX_POLICIES + 1))
    assert "policies" in refusal(many)
