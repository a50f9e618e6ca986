libnnscope_core_la_SOURCES += src/report/report.h
