libnnscope_core_la_SOURCES += src/load/load.h
