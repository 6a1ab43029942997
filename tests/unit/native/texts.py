"""Random texts in which marks of something worth reading are common, whole or nearly so."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = st.sampled_from(
    [
        "@", "ada@example.com", "-----", "----", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000",
        "AB12 cde", "123-45-6789", "123-456-789", "4929 1234 5678 9012", "4929-1234", "+44 20", "+0", "\\u0040",
        "\\u00e9", "\\", "Zeichenketten", "a_b-c", "1 2 3 4 5 6 7 8 9 0 1 2 3 4", "x", " ", "-", "12", "Ab", "\t", "é",
    ]
)  # fmt: skip
TEXTS = st.lists(_PIECES, max_size=8).map("".join).map(str.encode) | st.binary(max_size=40)
