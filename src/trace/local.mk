libnnscope_core_la_SOURCES += src/trace/trace.h
