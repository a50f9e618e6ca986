libnnscope_core_la_SOURCES += \
	src/view/view.h src/view/drawing.h src/view/backward.h src/view/saved.h \
	src/view/drawing.c src/view/backward.c src/view/saved.c src/view/autograd.c src/view/forward.c src/view/views.c
