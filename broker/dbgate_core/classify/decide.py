"""All evidence of one column, put together: its classes, how sure, and why.

What the name says stands, and content adds to it. Sound content convicts every column; the rest only
one that its name neither protects nor explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dbgate_core.classify.content import MAX_VALUE_CHARS, other_findings, sound_findings
from dbgate_core.classify.documents import are_documents, members
from dbgate_core.classify.finding import Finding, Path, Source
from dbgate_core.classify.markup import as_document
from dbgate_core.masking.classes import DataClass, classify_column, words_of

BY_NAME: Final = 95
_EXPLAINING: Final = """
article artikel asin avatar barcode batch bestellung bic blob body brand build checksum cidr
city color commande commit content coordinate correlation country cursor cusip data digest duns
ean epoch etag factura facture fattura file filename fingerprint firmware gtin guid hash iccid
icon image imei invoice isbn isin item kernel latitude lei logo longitude lot md5 model netmask
node nonce order ordine part partition path pedido photo prodotto product producto produit
produkt rechnung ref reference release request revision serial sha sha256 shard shipment
signature sku slug span subnet swift thumbnail timestamp title trace tracking transaction upc
uuid version vin zip
"""
EXPLAINING: Final = frozenset(_EXPLAINING.split())
"""A word of a column's name that says what its numbers and strings are, if they are no one's."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A column that was looked at: `values` were sampled; `paths` are its documents' scalar members."""

    findings: tuple[Finding, ...] = ()
    values: int = 0
    paths: tuple[Path, ...] = ()


def look(
    table: str,
    column: str,
    named: frozenset[DataClass],
    values: Sequence[str],
    *,
    filled: frozenset[DataClass] = frozenset(),
    documents: bool = False,
    markup: bool = False,
) -> Looked:
    """What a column holds. `named` are the classes of its name, type and comment, `filled` those that code brings.

    `values` are texts of sampled values that are not null; `documents` says that its type is JSON,
    `markup` that it is XML: its elements and attributes tell what the whole column holds.
    """
    whole = [text for value in dict.fromkeys(values) if (text := value.strip())]
    by_name = tuple(
        Finding(one, BY_NAME, "its name, type or comment says so", Source.NAME)
        for one in sorted(named)
    )
    by_name += tuple(
        Finding(one, BY_NAME, "a trigger or rule writes it there", Source.CODE)
        for one in sorted(filled - named)
    )
    named |= filled
    if whole and markup:
        return Looked((*by_name, *_markup(table, column, named, whole)), len(whole))
    if whole and (documents or are_documents(whole)):
        found, paths = _documents(table, column, whole)
        return Looked((*by_name, *found), len(whole), paths)
    return Looked((*by_name, *_content(column, named, whole)), len(whole))


def _markup(
    table: str, column: str, named: frozenset[DataClass], values: Sequence[str]
) -> list[Finding]:
    """The classes of all members, each once, with the evidence that is surest; none has a path of its own."""
    texts = [text for value in values if (text := as_document(value))]
    found, _ = _documents(table, column, texts)
    best: dict[DataClass, Finding] = {}
    for one in sorted(found, key=lambda finding: finding.confidence):
        best[one.data_class] = replace(one, source=Source.CONTENT, path=())
    return [best[name] for name in sorted(best) if name not in named]


def _content(column: str, named: frozenset[DataClass], texts: Sequence[str]) -> list[Finding]:
    if not texts:
        return []
    texts = [text[:MAX_VALUE_CHARS] for text in texts]
    found = [one for one in sound_findings(texts) if one.data_class not in named]
    if found or named or not EXPLAINING.isdisjoint(words_of(column)):
        return found
    return other_findings(texts)


def _documents(
    table: str, column: str, values: Sequence[str]
) -> tuple[list[Finding], tuple[Path, ...]]:
    """Each member as a column of its own: its key is the name, what holds it is the table.

    Bare strings, and elements of a bare array, have the column's own name.
    """
    found: list[Finding] = []
    seen = members(values)
    for path, inside in seen.items():
        if not inside.texts:
            continue
        texts = list(dict.fromkeys(inside.texts))
        *_, holder, key = (table, column, *(key for key in path if key != "*"))
        type_name = "text" if inside.strings else "numeric"
        named = classify_column(holder, key, type_name)
        reason = f"its key {key!r} says so"[:200]
        found += [Finding(one, BY_NAME, reason, Source.NAME, path) for one in sorted(named)]
        for one in _content(key, named, texts):
            found.append(Finding(one.data_class, one.confidence, one.reason, one.source, path))
    told = (path for path, one in seen.items() if one.scalars and not one.containers)
    return found, tuple(path for path in told if path)
