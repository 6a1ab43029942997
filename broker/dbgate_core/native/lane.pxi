# The lane: exchanges of settled statements, begun and ended without a step of Python's.
# Twin: dbgate_core/pgwire/lane.py, which takes nothing on: the session's own way is the reference.

cimport cython

from dbgate_core.errors import DbgateError

cdef enum:
    MAX_FORMS = 16          # of end entries of one connection: their tags
    MAX_PARSED = 16         # of one connection
    MAX_SHAPES = 16
    MAX_PARSED_BYTES = 2048 # of each: dbgate_core/pgwire/lane.py
    LAST_PLACE = 32         # of durations (dbgate_core/counts.py)


cdef class Track:
    cdef readonly object permit
    cdef readonly bytes description
    cdef readonly object guard
    cdef tuple terms
    cdef int64_t until_ns
    cdef int values
    cdef object begin, filled, end, entry, append, clock_ns, counts, kind, ok
    cdef dict forms

    def __init__(
        self, *, permit, bytes description not None, int values, guard, tuple terms not None,
        int64_t until_ns, begin, end, dict forms not None, entry, append, clock_ns, counts, kind, ok
    ):
        self.permit, self.description, self.guard = permit, description, guard
        self.terms, self.until_ns, self.values = terms, until_ns, values
        self.begin, self.end, self.entry = begin, end, entry
        self.append, self.clock_ns = append, clock_ns
        self.counts, self.kind, self.ok = counts, kind, ok
        self.forms = forms

    def holds(self):
        """Whether all that it rests on is as it was."""
        return held(self) and self.clock_ns() < self.until_ns


cdef object begin_entry(Track track):
    """Made when it is first needed: many a statement is run once only."""
    if track.filled is None:
        track.filled = track.begin()
    return track.filled


cdef bint held(Track track) except -1:
    cdef object term, owner, name, value, found
    for term in track.terms:
        owner, name, value = <tuple>term
        found = getattr(owner, name)
        if found is not value and found != value:
            return False
    return True


@cython.final
@cython.freelist(64)
cdef class Flight:
    cdef readonly Track track
    cdef readonly object prepared
    cdef readonly object index
    cdef readonly int64_t started_ns
    cdef readonly int values
    cdef bytes data
    cdef Py_ssize_t values_at, values_end
    cdef Flight following
    cdef readonly bint parsed, own_describe
    cdef readonly object before
    cdef readonly object text

    @property
    def parameters(self):
        """What follows the two names in its Bind."""
        return self.data[self.values_at:self.values_end]


cdef class Lane:
    cdef public bint open
    cdef public int status
    cdef Flight first, last
    cdef Py_ssize_t count
    cdef dict statements, portals, parsed, shapes
    cdef object kept, settled
    cdef list changes

    def __init__(self, dict statements not None, dict portals not None, kept, settled):
        self.statements, self.portals = statements, portals
        self.kept, self.settled = kept, settled
        self.parsed = {}
        self.shapes = {}
        self.changes = []

    @property
    def busy(self):
        """Whether an exchange was taken on since `leave`."""
        return self.count > 0

    def knows(self, bytes parsed not None, prepared):
        """Remember a Parse of the unnamed statement that came to this."""
        if len(parsed) > MAX_PARSED_BYTES:
            return
        if len(self.parsed) >= MAX_PARSED:
            self.parsed.clear()
        self.parsed[parsed] = prepared

    def wants(self, bytes key not None):
        """Whether a Query of that shape came before, and has no track that holds."""
        if key not in self.shapes:
            if len(self.shapes) >= MAX_SHAPES:
                self.shapes.clear()
            self.shapes[key] = None
            return False
        track = self.shapes[key]
        return track is None or (track is not False and not track.holds())

    def knows_shape(self, bytes key not None, track):
        """Remember the track of Queries of that shape; None: they have none."""
        self.shapes[key] = track or False

    def ask(self, bytes data not None):
        """Begin the exchanges that the data begins with; how many bytes they are."""
        cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data), done = 0, end
        while done < size:
            end = self.one_asked(data, raw, size, done)
            if not end:
                break
            done = end
        return done

    def answer(self, bytes data not None):
        """End the exchanges whose answers the data begins with; how many bytes they are."""
        cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data), done = 0, end
        while done < size and self.first is not None:
            end = self.one_answered(data, raw, size, done)
            if not end:
                break
            done = end
        return done

    def out(self, bytes data not None, Py_ssize_t done):
        """What goes to the other side for so many bytes that were taken on."""
        cdef list parts
        cdef Py_ssize_t position = 0, start, end
        if not self.changes:
            return data if done == PyBytes_GET_SIZE(data) else data[:done]
        parts = []
        for start, end, other in self.changes:
            parts += (data[position:start], other)
            position = end
        parts.append(data[position:done])
        self.changes.clear()
        return b"".join(parts)

    def leave(self):
        """Close: how many were taken on, and those of them that the server has not answered."""
        cdef list flights = []
        cdef Flight flight = self.first
        while flight is not None:
            flights.append(flight)
            flight = flight.following
        count, self.count = self.count, 0
        self.first = self.last = None
        self.open = False
        return count, flights

    cdef Py_ssize_t one_asked(
        self, bytes data, const uint8_t *raw, Py_ssize_t size, Py_ssize_t position
    ) except -1:
        cdef Shape found
        cdef Track track
        cdef Flight flight
        cdef Py_ssize_t parsed
        if raw[position] == 0x51:
            return self.one_queried(data, raw, size, position)
        parsed = end_of(raw, size, position, 0x50)
        if not shaped(raw, size, parsed or position, &found):
            return 0
        if parsed:
            if found.name != found.name_end or parsed - position > MAX_PARSED_BYTES:
                return 0
            prepared = self.parsed.get(data[position + HEADER_BYTES:parsed])
        else:
            try:
                prepared = self.statements.get(raw[found.name:found.name_end].decode("utf-8"))
            except UnicodeDecodeError:
                return 0
        if type(prepared) is not self.kept or prepared.track is None:
            return 0
        track = prepared.track
        if found.values != track.values:
            return 0
        now = track.clock_ns()
        if now >= track.until_ns or not held(track):
            return 0
        try:
            index = track.append("statement", begin_entry(track))
        except DbgateError:     # nothing runs; the long way tells the client why
            return 0
        flight = Flight.__new__(Flight)
        flight.track, flight.prepared, flight.index, flight.started_ns = track, prepared, index, now
        flight.data, flight.values = data, found.values
        flight.values_at, flight.values_end = found.name_end + 1, found.bind_end
        if parsed:
            flight.parsed, flight.before = True, self.statements.get("")
            self.statements[""] = prepared
        if not found.described:
            flight.own_describe = True
            self.changes.append((found.bind_end, found.bind_end, DESCRIBE))
        self.took(flight)
        return found.end

    cdef Py_ssize_t one_queried(
        self, bytes data, const uint8_t *raw, Py_ssize_t size, Py_ssize_t position
    ) except -1:
        cdef uint8_t key[MAX_KEY_BYTES]
        cdef Py_ssize_t end = end_of(raw, size, position, 0x51), start = position + HEADER_BYTES, written
        cdef Track track
        cdef Flight flight
        if not self.shapes or end <= start or raw[end - 1]:
            return 0
        written = put_key(raw + start, end - 1 - start, key)
        found = self.shapes.get(PyBytes_FromStringAndSize(<char *>key, written)) if written > 0 else None
        if not found:
            return 0
        track = found
        now = track.clock_ns()
        if now >= track.until_ns or not held(track):
            return 0
        text = (<const char *>raw)[start:end - 1].decode("ascii")
        try:
            index = track.append("statement", track.begin(text))
        except DbgateError:
            return 0
        flight = Flight.__new__(Flight)
        flight.track, flight.text, flight.index, flight.started_ns = track, text, index, now
        flight.before = self.statements.pop("", None)
        self.took(flight)
        return end

    cdef int took(self, Flight flight) except -1:
        cdef Track track = flight.track
        track.guard.statements += 1
        add_one(track.counts.allowed, track.kind)
        if self.last is None:
            self.first = flight
        else:
            self.last.following = flight
        self.last = flight
        self.count += 1
        return 0

    cdef Py_ssize_t one_answered(
        self, bytes data, const uint8_t *raw, Py_ssize_t size, Py_ssize_t position
    ) except -1:
        cdef Flight flight = self.first
        cdef Track track = flight.track
        cdef Py_ssize_t tag, tag_end, end, row, described
        cdef object form
        if flight.parsed:
            position = empty(raw, size, position, 0x31)
            if not position:
                return 0
        end = position if flight.text is not None else empty(raw, size, position, 0x32)
        if not end and flight.text is None:
            return 0
        described = end
        end = after(raw, size, end, track.description)
        row = end
        while row:
            end = row
            row = end_of(raw, size, end, DATA_ROW)
        tag = end + HEADER_BYTES
        tag_end = end_of(raw, size, end, 0x43) if end else 0
        if not tag < tag_end <= tag + MAX_TAG_BYTES:
            return 0
        end = end_of(raw, size, tag_end, 0x5a)
        if end - tag_end != READY_BYTES or raw[end - 1] not in (0x49, 0x54, 0x45) or not held(track):
            return 0
        form = end_form(track, raw[tag:tag_end])
        if form is None:
            return 0
        if flight.own_describe:
            self.changes.append((described, described + PyBytes_GET_SIZE(track.description), b""))
        self.first = flight.following
        if self.first is None:
            self.last = None
        flight.following = None
        duration_us = (<int64_t>track.clock_ns() - flight.started_ns) // 1000
        count_end(track, duration_us)
        track.append("statement_end", track.entry(form, (flight.index, duration_us)))
        if raw[end - 1] != self.status or self.portals:
            self.settled(flight, raw[end - 1:end].decode("ascii"))
        return end


cdef inline Py_ssize_t empty(const uint8_t *raw, Py_ssize_t size, Py_ssize_t at, int kind) noexcept:
    """Where the message of this type without a body ends, if it stands at `at`; else 0."""
    cdef Py_ssize_t end = end_of(raw, size, at, kind)
    return end if end - at == HEADER_BYTES else 0


cdef inline int add_one(dict counts, object key) except -1:
    counts[key] = counts[key] + 1
    return 0


cdef int count_end(Track track, int64_t duration_us) except -1:
    """As dbgate_core/counts.py."""
    cdef object counts = track.counts
    cdef list durations = counts.durations
    cdef int place = 0
    while place < LAST_PLACE and duration_us >> place:
        place += 1
    durations[place] += 1
    add_one(counts.ended, track.ok)
    counts.duration_us += duration_us
    return 0


cdef object end_form(Track track, bytes tag):
    """The form of the end entry of a statement with this tag; None: no tag that is whole and ASCII."""
    form = track.forms.get(tag)
    if form is None and tag.isascii() and tag.find(b"\0") == len(tag) - 1:
        if len(track.forms) >= MAX_FORMS:
            track.forms.clear()
        form = track.forms[tag] = track.end(tag[:-1].decode("ascii"))
    return form
