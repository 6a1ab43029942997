"""The command line: what people type. Holds a token, talks to the broker, decides nothing."""

from typing import Final

VERSION: Final = "0.1.0"
