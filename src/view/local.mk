libnnscope_core_la_SOURCES += \
	src/view/drawing.h src/view/view.h \
	src/view/drawing.c src/view/views.c src/view/forward.c src/view/autograd.c
