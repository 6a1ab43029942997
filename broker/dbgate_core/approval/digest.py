"""What the approval of a statement is bound to."""

from __future__ import annotations

import hashlib
from typing import Final

DOMAIN: Final = b"dbgate statement approval v1"
DEFAULT_SEARCH_PATH: Final = ('"$user"', "public")


def statement_digest(
    canonical: str,
    database: str,
    access_role: str,
    search_path: tuple[str, ...] = DEFAULT_SEARCH_PATH,
) -> str:
    """SHA-256, in hex, over the exact text, the database, the access role and the search_path.

    `canonical` is the analysis's source text, stripped of outer blanks and semicolons. Each part
    is preceded by its length, so no two lists of parts give the same bytes. Another search_path
    gives unqualified names another meaning, hence another digest.
    """
    digest = hashlib.sha256(DOMAIN)
    for part in (canonical, database, access_role, *search_path):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()
