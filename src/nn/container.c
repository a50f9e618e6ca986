/*
 * Modules that hold others: torch/nn/modules/container.py, torch/nn/parallel.
 */
#include "nn/nn.h"

#include <stddef.h>

static const char sequential_build[] =
	"if len(args) == 1 and isinstance(args[0], dict):\n"
	"    for name in args[0].keys():\n"
	"        self.add_module(name, args[0][name])\n"
	"else:\n"
	"    for i in range(len(args)):\n"
	"        self.add_module(str(i), args[i])\n";

static const char module_list_build[] =
	"if modules is not None:\n"
	"    i = 0\n"
	"    for module in modules:\n"
	"        self.add_module(str(i), module)\n"
	"        i += 1\n";

static const char module_dict_build[] =
	"if modules is not None:\n"
	"    for name, module in (modules if isinstance(modules, (list, tuple)) else modules.items()):\n"
	"        self.add_module(name, module)\n";

/* `_names` tells those in it from what is set later. */
static const char parameter_list_build[] =
	"names = []\n"
	"if values is not None:\n"
	"    for value in values:\n"
	"        name = str(len(names))\n"
	"        self.register_parameter(name, value if isinstance(value, Parameter) else Parameter(value))\n"
	"        names.append(name)\n"
	"self._names = names\n";

/* A dict is taken in the order of its sorted keys, pairs as they come. */
static const char parameter_dict_build[] =
	"names = []\n"
	"if parameters is not None:\n"
	"    if isinstance(parameters, (list, tuple)):\n"
	"        pairs = parameters\n"
	"    else:\n"
	"        pairs = [(name, parameters[name]) for name in sorted(parameters.keys())]\n"
	"    for name, value in pairs:\n"
	"        self.register_parameter(name, value if isinstance(value, Parameter) else Parameter(value))\n"
	"        names.append(name)\n"
	"self._names = names\n";

#define LINES(type) \
	"'\\n'.join(['  (' + name + '): Parameter containing: [' + " type " + ' of size '" \
	" + 'x'.join([str(n) for n in getattr(self, name).shape]) + ']' for name in _names])"

/* ParameterDict says the type as PyTorch did before there were dtypes. */
#define OLD_TYPE \
	"'torch.' + {'torch.float32': 'Float', 'torch.float64': 'Double', 'torch.float16': 'Half', 'torch.bfloat16': 'BFloat16'," \
	" 'torch.complex64': 'ComplexFloat', 'torch.complex128': 'ComplexDouble', 'torch.int64': 'Long', 'torch.int32': 'Int'," \
	" 'torch.int16': 'Short', 'torch.int8': 'Char', 'torch.uint8': 'Byte', 'torch.bool': 'Bool'}" \
	".get(str(getattr(self, name).dtype), '') + 'Tensor'"

const struct nn_class container_classes[] = {
	{ .name = "Module", .signature = "" },
	{ .name = "Container",
	  .signature = "**kwargs",
	  .build = "for name in kwargs.keys():\n    self.add_module(name, kwargs[name])\n" },
	{ .name = "Sequential",
	  .signature = "*args",
	  .build = sequential_build,
	  .forward_signature = "input",
	  .forward = "for module in self:\n    input = module(input)\nreturn input\n" },
	{ .name = "ModuleList", .container = true,
	  .signature = "modules=None",
	  .build = module_list_build },
	{ .name = "ModuleDict",
	  .signature = "modules=None",
	  .build = module_dict_build },
	{ .name = "ParameterList",
	  .signature = "values=None",
	  .build = parameter_list_build,
	  .repr = LINES("str(getattr(self, name).dtype)") },
	{ .name = "ParameterDict",
	  .signature = "parameters=None",
	  .build = parameter_dict_build,
	  .repr = LINES(OLD_TYPE) },
	/* On one processor both just call what they hold. */
	{ .name = "DataParallel",
	  .signature = "module, device_ids=None, output_device=None, dim=0",
	  .build = "self.module = module\n",
	  .forward_signature = "*inputs, **kwargs",
	  .forward = "return self.module(*inputs, **kwargs)\n" },
	{ .name = "DistributedDataParallel",
	  .signature = "module, device_ids=None, output_device=None, dim=0, broadcast_buffers=True, **kwargs",
	  .build = "self.module = module\n",
	  .forward_signature = "*inputs, **kwargs",
	  .forward = "return self.module(*inputs, **kwargs)\n" },
	{ .name = NULL },
};
