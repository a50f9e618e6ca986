libnnscope_core_la_SOURCES += src/trace/trace.h src/trace/trace.c src/trace/input.c src/trace/query.c src/trace/replay.h src/trace/replay.c
