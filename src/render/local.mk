libnnscope_core_la_SOURCES += src/render/render.h src/render/dot.c src/render/render.c
