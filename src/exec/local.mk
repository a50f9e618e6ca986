libnnscope_core_la_SOURCES += \
	src/exec/tensor.h src/exec/kernel.h src/exec/operands.h src/exec/kernels.def \
	src/exec/plan.h src/exec/tensor.c src/exec/kernel.c src/exec/kernel_args.c src/exec/pointwise.c src/exec/pairs.h src/exec/pairs.c src/exec/parallel.c src/exec/plan.c src/exec/unread.c src/exec/run.c \
	src/exec/k_unary.c src/exec/k_special.c src/exec/k_pointwise.c src/exec/k_activation.c src/exec/k_view.c
libnnscope_core_la_SOURCES += src/exec/gemm.h src/exec/gemm.inc src/exec/gemm.c
libnnscope_core_la_SOURCES += src/exec/lanes.h src/exec/lanes.c src/exec/k_reduce.c \
	src/exec/order.h src/exec/order.c src/exec/k_extreme.c src/exec/k_scan.c src/exec/k_summary.c src/exec/k_histogram.c src/exec/k_segment.c src/exec/k_softmax.c \
	src/exec/positions.h src/exec/positions.c src/exec/k_index.c \
	src/exec/k_indexing.c src/exec/k_embedding.c src/exec/k_sort.c
libnnscope_core_la_SOURCES += src/exec/layout.h src/exec/layout.c src/exec/k_copy.c src/exec/k_create.c src/exec/k_rearrange.c src/exec/k_diagonal.c src/exec/k_matmul.c src/exec/k_grouped.c src/exec/k_distance.c src/exec/k_pad.c src/exec/k_loss.c src/exec/k_attention.c src/exec/k_rnn.c src/exec/decompose.h src/exec/decompose.c src/exec/eigen.c src/exec/ldl.c src/exec/batches.h src/exec/batches.c src/exec/k_linalg.c src/exec/k_fft.c src/exec/k_factors.c src/exec/k_orthogonal.c
libnnscope_core_la_SOURCES += src/exec/spatial.h src/exec/spatial.c \
	src/exec/slide.h src/exec/slide.c src/exec/conv.inc src/exec/k_conv.c src/exec/k_pool.c
libnnscope_core_la_SOURCES += src/exec/draw.h src/exec/draw.c src/exec/k_random.c src/exec/k_truncated.c src/exec/k_sample.c
libnnscope_core_la_SOURCES += src/exec/materialise.h src/exec/materialise.c src/exec/content.h src/exec/content.c src/exec/example.h src/exec/example.c
libnnscope_core_la_SOURCES += src/exec/k_norm.c
libnnscope_core_la_SOURCES += src/exec/k_resize.c src/exec/k_vision.c src/exec/k_gradient.c src/exec/k_detection.c
libnnscope_core_la_SOURCES += src/exec/backend.h src/exec/dnnl_backend.h src/exec/dnnl.c src/exec/dnnl_weights.c src/exec/dnnl_attr.c \
	src/exec/dnnl_conv.c src/exec/dnnl_matmul.c src/exec/dnnl_work.c src/exec/dnnl_own.c src/exec/dnnl_product.h src/exec/dnnl_product.c src/exec/dnnl_mlp.c src/exec/dnnl_planes.c src/exec/dnnl_stem.c src/exec/dnnl_rnn.c src/exec/dnnl_attention.c src/exec/dnnl_batch.c src/exec/dnnl_softmax.c src/exec/dnnl_reach.c \
	src/exec/floats.h src/exec/floats.c src/exec/rows.h src/exec/rows.c src/exec/avx512.h src/exec/product.h src/exec/product.c \
	src/exec/separable.h src/exec/separable.c src/exec/dense.h src/exec/dense.c src/exec/linear.h src/exec/linear.c src/exec/attend.h src/exec/attend.c src/exec/stem.h src/exec/stem.c src/exec/recurrent.h src/exec/recurrent.c src/exec/winograd.h src/exec/winograd.c src/exec/winograd_weights.h src/exec/winograd_weights.c \
	src/exec/fuse.h src/exec/fuse.c src/exec/fuse_read.c src/exec/fuse_post.c src/exec/fuse_further.c src/exec/chain.c \
	src/exec/fast.h src/exec/fast_plan.h src/exec/fast.c src/exec/lower.h src/exec/lower.c src/exec/lower_weights.c src/exec/lower_group.c src/exec/lower_product.c \
	src/exec/lower_chain.c src/exec/lower_plan.c src/exec/arrange.c src/exec/guard.h src/exec/guard.c src/exec/fast_run.c
libnnscope_core_la_SOURCES += src/exec/memory.h src/exec/memory.c src/exec/fast_memory.c
