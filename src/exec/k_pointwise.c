/* Element-wise operators (aten/src/ATen/native/cpu/{BinaryOps,UnaryOps}Kernel.cpp). */
#include "exec/kernel.h"

const struct kernel_row pointwise_kernels[] = {
	{ 0 }
};
