from collections.abc import Callable

from dbgate_core.audit.filling import entered as entered
from dbgate_core.audit.filling import filled as filled
from dbgate_core.audit.filling import timestamp as timestamp
from dbgate_core.classify.glance import worth_reading as worth_reading
from dbgate_core.masking.binary_rows import end_of_values as end_of_values
from dbgate_core.masking.copy import CopyMask
from dbgate_core.masking.rows import RowMask
from dbgate_core.masking.siphash import siphash as siphash
from dbgate_core.pgwire.exchange import answered as answered
from dbgate_core.pgwire.exchange import asked as asked
from dbgate_core.pgwire.exchange import replied as replied
from dbgate_core.pgwire.inlet import Inlet as Inlet
from dbgate_core.pgwire.lane import Flight as Flight
from dbgate_core.pgwire.lane import Lane as Lane
from dbgate_core.pgwire.lane import Track as Track
from dbgate_core.pgwire.runs import count_rows as count_rows
from dbgate_core.pgwire.runs import end_of_run as end_of_run
from dbgate_core.pgwire.runs import end_of_whole_run as end_of_whole_run
from dbgate_core.sql.constants import key_of as key_of

VERSION: int

class Plan:
    def __init__(
        self, masks: tuple[tuple[int, Callable[[bytes], bytes | None], bool], ...], width: int
    ) -> None: ...

def mask_rows(owner: RowMask, plan: Plan, messages: bytes, width: int) -> bytes: ...
def mask_copy(
    owner: CopyMask,
    plan: Plan,
    data: bytes,
    width: int,
    csv: bool,
    delimiter: int,
    null: bytes,
    quote: int,
    escape: int,
) -> tuple[bytes, int]: ...
