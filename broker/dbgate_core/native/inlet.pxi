# Where a leg's bytes come in. Twin: dbgate_core/pgwire/inlet.py.

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE

cdef enum:
    TURN_BYTES = 128 * 1024     # dbgate_core/pgwire/inlet.py


cdef class Inlet:
    cdef bytearray store
    cdef object view, received, rests, pass_on, failed
    cdef Lane lane
    cdef bint asks
    cdef Py_ssize_t turn_bytes

    def __init__(self, bytearray store not None, received, rests):
        self.store, self.received, self.rests = store, received, rests
        self.view = memoryview(store)

    def through(self, Lane lane not None, bint asks, pass_on, failed):
        """From now on by the lane: the client's bytes ask, the server's answer."""
        self.lane, self.asks, self.pass_on, self.failed = lane, asks, pass_on, failed

    def past(self):
        """No longer by the lane."""
        self.lane = self.pass_on = self.failed = None

    def get_buffer(self, sizehint):
        """Where the next read goes."""
        return self.view

    def buffer_updated(self, Py_ssize_t nbytes):
        """Hand on a copy, by the lane where it goes."""
        cdef bytes data
        cdef Py_ssize_t done
        if not 0 <= nbytes <= PyByteArray_GET_SIZE(self.store):
            raise ValueError("more bytes than there are")
        data = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(self.store), nbytes)
        self.turn_bytes += nbytes
        if self.turn_bytes >= TURN_BYTES:
            self.turn_bytes = 0
            self.rests()
        if self.lane is None or not self.lane.open:
            self.received(data)
            return
        try:
            done = self.lane.ask(data) if self.asks else self.lane.answer(data)
            if done:
                self.pass_on(self.lane.out(data, done))
        except Exception as exc:
            self.failed(exc)
            return
        if done < nbytes:
            self.received(data if done == 0 else data[done:])
