libnnscope_core_la_SOURCES += src/save/save.h src/save/save.c
