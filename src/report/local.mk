libnnscope_core_la_SOURCES += \
	src/report/report.h src/report/table.h src/report/table.c src/report/tree.c src/report/params.c src/report/shapes.c src/report/flops.c \
	src/report/layers.h src/report/layers.c src/report/summary.c src/report/diff.c src/report/overview.c
