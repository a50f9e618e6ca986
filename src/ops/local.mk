libnnscope_core_la_SOURCES += \
	src/ops/op.h src/ops/record.h src/ops/schema.h src/ops/bind.h src/ops/families.def \
	src/ops/schema.c src/ops/op.c src/ops/op_call.c src/ops/broadcast.c \
	src/ops/bind.c src/ops/record.c src/ops/namespace.h src/ops/namespace.c src/ops/tensor.h src/ops/tensor.c src/ops/tensor_methods.c src/ops/operators.c src/ops/indexing.c src/ops/torchlib.c src/ops/methods.c \
	src/ops/functional.h src/ops/functional.c src/ops/functional_loss.c src/ops/functional_attention.c src/ops/functional_torch.c src/ops/functional_init.c \
	src/ops/shapes.h src/ops/shapes.c src/ops/layout.c src/ops/unary.c src/ops/alias.c src/ops/rearrange.c src/ops/fft.c \
	src/ops/pointwise.c src/ops/reduce.c src/ops/histogram.c src/ops/integrate.c src/ops/shape.c src/ops/reshape.c src/ops/index.c src/ops/create.c src/ops/matmul.c src/ops/contract.c src/ops/einsum.c src/ops/linalg.c \
	src/ops/conv.c src/ops/window.h src/ops/window.c src/ops/flops.h src/ops/flops.c src/ops/pool.c src/ops/pad.c src/ops/norm.c src/ops/activation.c src/ops/dropout.c \
	src/ops/attention.c src/ops/rnn.c src/ops/resize.c src/ops/loss.c src/ops/embedding.c src/ops/vision.c src/ops/gradient.c src/ops/detection.c
