libnnscope_core_la_SOURCES += src/lang/lang.h
