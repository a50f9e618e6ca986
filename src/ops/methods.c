/*
 * Methods of tensors that take other arguments than an operator of their name,
 * or that PyTorch writes in Python (torch/_tensor.py,
 * tools/autograd/templates/python_variable_methods.cpp).
 */
#include "ops/record.h"

/* x.float(), x.half(), ...: dispatch_to() with a dtype only. */
#define TO_DTYPE(method, dtype) \
	{ "Tensor." method, "self, memory_format=None", "return aten.to.dtype(self, torch." dtype ", False, False, memory_format)" }
#define TO_DEVICE(method) \
	{ "Tensor." method, "self, device=None, non_blocking=False, memory_format=None", \
	  "return aten.to.dtype_layout(self, dtype=self.dtype, layout=self.layout, device=self.device, non_blocking=non_blocking, memory_format=memory_format)" }
#define ITSELF(method) { "Tensor." method, "self, *args, **kwargs", "return self" }

const struct function_rule method_rules[] = {
	{ "Tensor.to", "self, *args, dtype=None, device=None, other=None, non_blocking=False, copy=False, memory_format=None",
	  "flags = []\n"
	  "for a in args:\n"
	  "    if isinstance(a, Tensor):\n"
	  "        other = a\n"
	  "    elif isinstance(a, torch.dtype):\n"
	  "        dtype = a\n"
	  "    elif isinstance(a, bool):\n"
	  "        flags.append(a)\n"
	  "    elif a is not None:\n"
	  "        device = a\n"
	  "if len(flags) > 0:\n"
	  "    non_blocking = flags[0]\n"
	  "if len(flags) > 1:\n"
	  "    copy = flags[1]\n"
	  "if other is not None:\n"
	  "    return aten.to.dtype_layout(self, dtype=other.dtype, layout=other.layout, device=other.device, non_blocking=non_blocking, copy=copy, "
	  "memory_format=memory_format)\n"
	  "if dtype is None:\n"
	  "    return aten.to.dtype_layout(self, dtype=self.dtype, layout=self.layout, device=self.device, non_blocking=non_blocking, copy=copy, "
	  "memory_format=memory_format)\n"
	  "if device is not None:\n"
	  "    return aten.to.device(self, device, dtype, non_blocking, copy, memory_format)\n"
	  "return aten.to.dtype(self, dtype, non_blocking, copy, memory_format)" },
	TO_DTYPE("float", "float32"), TO_DTYPE("double", "float64"), TO_DTYPE("half", "float16"), TO_DTYPE("bfloat16", "bfloat16"),
	TO_DTYPE("long", "int64"), TO_DTYPE("int", "int32"), TO_DTYPE("short", "int16"), TO_DTYPE("char", "int8"),
	TO_DTYPE("byte", "uint8"), TO_DTYPE("bool", "bool"), TO_DTYPE("cfloat", "complex64"), TO_DTYPE("cdouble", "complex128"),
	TO_DEVICE("cpu"), TO_DEVICE("cuda"),
	ITSELF("pin_memory"), ITSELF("share_memory_"), ITSELF("rename"), ITSELF("refine_names"),
	{ "Tensor.type", "self, dtype, non_blocking=False", "return aten.to.dtype(self, dtype, non_blocking)" },
	{ "Tensor.split", "self, split_size, dim=0",
	  "if isinstance(split_size, int):\n"
	  "    return aten.split.Tensor(self, split_size, dim)\n"
	  "return aten.split_with_sizes(self, split_size, dim)" },
	{ "Tensor.norm", "self, p='fro', dim=None, keepdim=False, dtype=None", "return torch.norm(self, p, dim, keepdim, dtype=dtype)" },
	{ "Tensor.unique", "self, sorted=True, return_inverse=False, return_counts=False, dim=None",
	  "return torch.unique(self, sorted=sorted, return_inverse=return_inverse, return_counts=return_counts, dim=dim)" },
	{ "Tensor.unique_consecutive", "self, return_inverse=False, return_counts=False, dim=None",
	  "return torch.unique_consecutive(self, return_inverse=return_inverse, return_counts=return_counts, dim=dim)" },
	{ "Tensor.new_tensor", "self, data, dtype=None, device=None, requires_grad=False",
	  "return torch.tensor(data, dtype=self.dtype if dtype is None else dtype, requires_grad=requires_grad)" },
	{ "Tensor.where", "self, condition, other", "return torch.where(condition, self, other)" },
	{ "Tensor.copy", "self", "return self.clone()" },
	{ 0 }
};
