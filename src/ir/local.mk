libnnscope_core_la_SOURCES += \
	src/ir/dtype.h src/ir/elements.h src/ir/float8.h src/ir/program.h src/ir/graph.h src/ir/module.h \
	src/ir/dtype.c src/ir/elements.c src/ir/float8.c src/ir/program.c src/ir/graph.c src/ir/module.c src/ir/walk.c
