libnnscope_core_la_SOURCES += src/api/api.h src/api/model.c src/api/report.c src/api/draw.c src/api/run.h src/api/run.c src/api/run_inputs.c src/api/run_report.c src/api/run_compare.c
