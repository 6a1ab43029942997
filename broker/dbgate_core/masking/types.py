"""PostgreSQL's types as far as masks know them, by their fixed OIDs (catalog pg_type.dat)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class Family(Enum):
    """Types whose values are written alike."""

    TEXT = auto()
    BOOL = auto()
    INT2 = auto()
    INT4 = auto()
    INT8 = auto()
    FLOAT4 = auto()
    FLOAT8 = auto()
    NUMERIC = auto()
    DATE = auto()
    TIMESTAMP = auto()
    TIMESTAMPTZ = auto()
    UUID = auto()
    INET = auto()
    CIDR = auto()
    MACADDR = auto()
    JSON = auto()
    JSONB = auto()
    XML = auto()
    BYTEA = auto()


TEXT_OID: Final = 25
FAMILIES: Final[dict[int, Family]] = {
    16: Family.BOOL,
    17: Family.BYTEA,
    18: Family.TEXT,  # "char"
    19: Family.TEXT,  # name
    20: Family.INT8,
    21: Family.INT2,
    23: Family.INT4,
    TEXT_OID: Family.TEXT,
    114: Family.JSON,
    142: Family.XML,
    650: Family.CIDR,
    700: Family.FLOAT4,
    701: Family.FLOAT8,
    705: Family.TEXT,  # unknown
    829: Family.MACADDR,
    869: Family.INET,
    1042: Family.TEXT,  # character(n)
    1043: Family.TEXT,  # character varying(n)
    1082: Family.DATE,
    1114: Family.TIMESTAMP,
    1184: Family.TIMESTAMPTZ,
    1700: Family.NUMERIC,
    2950: Family.UUID,
    3802: Family.JSONB,
}

ELEMENTS: Final[dict[int, int]] = {
    143: 142, 199: 114, 651: 650, 1000: 16, 1001: 17, 1002: 18, 1003: 19, 1005: 21, 1007: 23,
    1009: TEXT_OID, 1014: 1042, 1015: 1043, 1016: 20, 1021: 700, 1022: 701, 1040: 829, 1041: 869,
    1115: 1114, 1182: 1082, 1185: 1184, 1231: 1700, 2951: 2950, 3807: 3802,
}  # fmt: skip
"""Array type to element type."""

LENGTHS: Final[dict[int, int]] = {18: 1, 19: 63}
"""The most bytes of a type that has a fixed bound."""


def character_limit(type_oid: int, type_modifier: int) -> int | None:
    """The most characters of varchar(n) or character(n): typmod less its header of 4."""
    if type_oid in LENGTHS:
        return LENGTHS[type_oid]
    return type_modifier - 4 if type_oid in (1042, 1043) and type_modifier >= 4 else None
