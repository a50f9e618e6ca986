nnsinclude_HEADERS = include/nnscope/error.h include/nnscope/nnscope.h include/nnscope/run.h
