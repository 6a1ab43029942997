# The masks of a result's or a COPY's columns, in order of their index.

cdef struct Column:
    Py_ssize_t index
    bint sparing                    # leaves most values as they are, and counts none
    Form form

cdef class Plan:
    cdef Column *columns
    cdef Py_ssize_t count
    cdef readonly tuple masks

    def __cinit__(self, tuple masks not None, Py_ssize_t width):
        """`masks` are those of the twins: index, mask, and whether it is sparing. Raises ValueError when they are not in order."""
        cdef Py_ssize_t last = -1, index
        self.columns = <Column *>PyMem_Calloc(max(1, len(masks)), sizeof(Column))
        if self.columns is NULL:
            raise MemoryError
        for index, mask, sparing in masks:
            if not last < index < width:
                raise ValueError("masks out of order, or beyond the columns")
            self.columns[self.count].index = last = index
            self.columns[self.count].sparing = sparing
            describe(&self.columns[self.count].form, mask)
            self.count += 1
        self.masks = tuple(mask for _, mask, _ in masks)

    def __dealloc__(self):
        PyMem_Free(self.columns)
