nnsinclude_HEADERS = include/nnscope/error.h
