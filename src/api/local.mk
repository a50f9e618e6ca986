libnnscope_core_la_SOURCES += src/api/api.h src/api/model.c src/api/report.c src/api/draw.c
