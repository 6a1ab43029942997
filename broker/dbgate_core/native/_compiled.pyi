from dbgate_core.masking.rows import RowMask as RowMask
from dbgate_core.pgwire.exchange import answered as answered
from dbgate_core.pgwire.exchange import asked as asked
from dbgate_core.pgwire.runs import count_rows as count_rows
from dbgate_core.pgwire.runs import end_of_run as end_of_run
from dbgate_core.pgwire.runs import end_of_whole_run as end_of_whole_run
