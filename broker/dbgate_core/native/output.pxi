# Bytes that grow. Room is made before it is written to, and freed with the object.

cdef class Output:
    cdef uint8_t *start
    cdef Py_ssize_t size, capacity

    def __cinit__(self, Py_ssize_t expected):
        self.capacity = expected
        self.start = <uint8_t *>PyMem_Malloc(expected)
        if self.start is NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.start)

    cdef int grow(self, Py_ssize_t more) except -1:
        """Twice the room, so that growing costs no more than the bytes themselves."""
        cdef Py_ssize_t capacity = 2 * (self.size + more)
        cdef void *start = PyMem_Realloc(self.start, capacity)
        if start is NULL:
            raise MemoryError
        self.start, self.capacity = <uint8_t *>start, capacity
        return 0

    cdef inline int room(self, Py_ssize_t more) except -1:
        """Make sure of so many bytes."""
        if self.capacity - self.size < more:
            self.grow(more)
        return 0

    cdef inline int put(self, const uint8_t *data, Py_ssize_t size) except -1:
        """Append."""
        self.room(size)
        memcpy(self.start + self.size, data, size)
        self.size += size
        return 0

    cdef bytes taken(self):
        return PyBytes_FromStringAndSize(<char *>self.start, self.size)
