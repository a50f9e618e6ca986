libnnscope_core_la_SOURCES += \
	src/nn/nn.h src/nn/runtime.h src/nn/families.def \
	src/nn/registry.c src/nn/construct.c src/nn/copy.c src/nn/forward.c src/nn/members.c src/nn/methods.c src/nn/host.c src/nn/set.c \
	src/nn/linear.c src/nn/conv.c src/nn/pool.c src/nn/pad.c src/nn/activation.c src/nn/norm.c src/nn/dropout.c \
	src/nn/rnn.c src/nn/transformer.c src/nn/sparse.c src/nn/container.c src/nn/loss.c src/nn/vision.c src/nn/shape.c \
	src/nn/distance.c src/nn/adaptive.c
