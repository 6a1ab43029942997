# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What of the core is compiled. Each function's reference is its twin in Python, named beside it.

The bytes come from a server that may be hostile or broken: every length is compared with what is
left, in 64 bits, before it is used. Errors are those of the twin, word for word.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport getenv
from libc.string cimport memchr, memcmp, memcpy, memset

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc

from dbgate_core.errors import ProtocolViolation

if getenv(b"DBGATE_PURE") is not NULL and getenv(b"DBGATE_PURE")[0] != 0:
    raise ImportError("DBGATE_PURE is set")

VERSION = 15     # dbgate_core/native/__init__.py

include "big_endian.pxi"
include "pgwire.pxi"
include "exchange.pxi"
include "output.pxi"
include "siphash.pxi"
include "typed.pxi"
include "entries.pxi"
include "forms.pxi"
include "glance.pxi"
include "constants.pxi"
include "lane.pxi"
include "inlet.pxi"
include "masks.pxi"
include "rows.pxi"
include "copy.pxi"
