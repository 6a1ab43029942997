"""The judge against texts that nobody wrote: only its declared errors leave, and no disguise helps."""

from __future__ import annotations

import re
from collections.abc import Callable

import postgast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbgate_core.errors import LimitExceeded
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger, Predicate
from dbgate_core.sql.parser import NotParsed
from tests.unit.sql.notation import FOLDER, cases

CORPUS = [case.text for file in sorted((FOLDER / "cases").glob("*.txt")) for case in cases(file)]
WRITES = [
    text for text in CORPUS
    if re.match(r"(insert|update|delete|merge) ", text) and ";" not in text and "--" not in text
]  # fmt: skip
READS = [text for text in CORPUS if text.startswith(("select ", "values ")) and ";" not in text
         and " into " not in text and "--" not in text and "/*" not in text
         and "for update" not in text and "for share" not in text]  # fmt: skip
PLAIN = [
    text
    for text in CORPUS
    if not set(text) & set("'\"$\\") and "--" not in text and "/*" not in text
]
WORDS = st.sampled_from(
    sorted({word for text in CORPUS for word in re.findall(r"\w+|[^\w\s]", text)})
)
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def judged(text: str) -> Analysis | None:
    """The analysis, or None for a declared refusal. Anything else is a failure of the test."""
    try:
        return analyse(text)
    except (NotParsed, LimitExceeded):
        return None


def seen(analysis: Analysis) -> set[tuple[Action, str, Danger, Predicate, bool]]:
    """What policy decides by. A `select` of nothing says nothing."""
    return {
        (effect.action, effect.object, effect.danger, effect.predicate, effect.destructive)
        for effect in analysis.effects
        if effect.action is not Action.SELECT or effect.object
    }


@FEW
@given(st.text(max_size=200))
def test_any_text_is_judged_or_refused(text: str) -> None:
    judged(text)


@FEW
@given(st.lists(WORDS, max_size=40))
def test_any_words_of_sql_are_judged_or_refused(words: list[str]) -> None:
    judged(" ".join(words))


@FEW
@given(st.sampled_from(CORPUS), st.data())
def test_a_damaged_statement_is_judged_or_refused(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    judged(text[:start] + data.draw(st.text(max_size=5) | WORDS) + text[end:])


@FEW
@given(st.sampled_from(CORPUS), st.sampled_from(CORPUS), st.data())
def test_two_statements_grown_together_are_judged_or_refused(
    first: str, second: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(first)))
    judged(first[:cut] + second[data.draw(st.integers(0, len(second))) :])


@FEW
@given(st.sampled_from(PLAIN), st.data())
def test_blanks_comments_and_case_change_nothing(text: str, data: st.DataObject) -> None:
    blanks = st.sampled_from(
        [" ", "\n", "\t", "\r\n", "/**/", " /* ; drop table x */ ", "--x\n", "--\r"]
    )
    words = re.findall(r"\w+|[^\w\s]+", text)
    if any(len(word) > 1 and not word[0].isalnum() and "_" not in word for word in words):
        return  # operators run together are read as one
    spaced = "".join(
        (word.upper() if data.draw(st.booleans()) else word) + data.draw(blanks) for word in words
    )
    if (told := judged(spaced)) is None:
        return
    assert seen(told) == seen(analyse(text))


@FEW
@given(st.sampled_from(WRITES), st.booleans())
def test_a_write_in_a_with_query_is_the_same_write(text: str, materialized: bool) -> None:
    how = "materialized" if materialized else ""
    told = judged(f"with wrapped as {how} ({text}) select 1")
    assert told is not None
    assert seen(told) >= seen(analyse(text))


@FEW
@given(st.sampled_from(WRITES + READS), st.sampled_from(
    ["explain analyze", "explain (analyze)", "explain (verbose, analyze on)", "prepare p as",
     "begin;", "select 1;", "/* x */"]))  # fmt: skip
def test_a_statement_in_another_is_the_same_statement(text: str, before: str) -> None:
    told = judged(f"{before} {text}")
    assert told is not None
    assert seen(told) >= seen(analyse(text))


@FEW
@given(
    st.sampled_from(READS),
    st.sampled_from(
        ["select * from ({}) wrapped", "select (select count(*) from ({}) w)", "copy ({}) to stdout",
         "create table wrapped as {}", "create view wrapped as {}", "declare c cursor for {}",
         "insert into other {}", "select 1 where exists ({})", "select array({})",
         "with w as ({}) select 1", "select 1 union ({})", "select case when exists ({}) then 1 end",
         "update other set a = (select 1 from ({}) w) where id = 3", "delete from other where id in ({})",
         "select lower('x') from generate_series(1, (select 1 from ({}) w))",
         "select count(*) filter (where exists ({}))", "values ((select 1 from ({}) w))",
         "select 1 order by (select 1 from ({}) w)", "select 1 limit (select 1 from ({}) w)",
         "do nothing"]
    ),
)  # fmt: skip
def test_a_query_in_another_reads_and_calls_the_same(text: str, around: str) -> None:
    told = judged(around.format(text))
    if told is None:
        return
    assert seen(told) >= seen(analyse(text))


@FEW
@given(st.integers(0, 400), st.sampled_from(["({})", "(select {})", "coalesce({}, 1)", "- {}", "{} + 1",
                                             "array[{}]", "case when true then {} end", "{}::int"]))  # fmt: skip
def test_a_call_is_seen_at_any_depth(depth: int, step: str) -> None:
    expression = "pg_sleep(1)"
    for _ in range(depth):
        expression = step.format(expression)
    told = judged(f"select {expression}")
    if told is not None:
        assert Danger.RESOURCE in {effect.danger for effect in told.effects}


IDENT, SCONST = (postgast.pg_query_pb2.Token.Value(name) for name in ("IDENT", "SCONST"))


def requoted(text: str, draw: Callable[[st.SearchStrategy[str]], str]) -> str:
    """The text with its names and strings spelled in other ways that PostgreSQL reads alike."""
    raw, parts, at = text.encode(), [], 0
    for token in postgast.scan(text).tokens:
        word = raw[token.start : token.end].decode()
        spelled = word
        if token.token == IDENT and re.fullmatch("[a-z_]+", word):
            coded = "".join(f"\\{ord(letter):04x}" for letter in word)
            spelled = draw(st.sampled_from([word, word.upper(), f'"{word}"', f'U&"{coded}"']))
        elif token.token == SCONST and re.fullmatch(r"'[A-Za-z0-9_ /.%]*'", word):
            inside = word[1:-1]
            coded = "".join(f"\\x{ord(letter):02x}" for letter in inside)
            spelled = draw(st.sampled_from([word, f"E'{coded}'", f"$q${inside}$q$", f"U&{word}"]))
        parts += [raw[at : token.start].decode(), spelled]
        at = token.end
    return "".join([*parts, raw[at:].decode()])


@FEW
@given(st.sampled_from(CORPUS), st.data())
def test_names_and_strings_spelled_otherwise_change_nothing(text: str, data: st.DataObject) -> None:
    plain = judged(text)
    spelled = requoted(text, data.draw) if plain is not None else ""
    if plain is None or (told := judged(spelled)) is None:
        return  # a word that is no name there, or a string that has to be plain
    assert seen(told) == seen(plain), spelled


@FEW
@given(st.sampled_from(WRITES), st.sampled_from(
    ["do $judged$ begin {}; end $judged$",
     "do $judged$ begin if true then {}; end if; end $judged$",
     "do $judged$ begin loop begin {}; exception when others then null; end; end loop; end $judged$",
     "create function f() returns void language sql as $judged$ {} $judged$",
     "create function f() returns void language plpgsql as $judged$ begin {}; end $judged$",
     "create procedure f() begin atomic {}; end",
     "create rule r as on insert to t do also {}"]))  # fmt: skip
def test_code_that_writes_is_the_same_write(text: str, around: str) -> None:
    told = judged(around.format(text))
    if told is None or told.incomplete:
        return
    assert seen(told) >= seen(analyse(text))
