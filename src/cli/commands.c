/* The table of commands. */
#include "cli/cli.h"

#define MODEL "expr set classes program torch "
#define TRACED MODEL "mode input "
#define TABLE "format width colour "

const struct command commands[] = {
	{ "tree", "print the module tree, as print(model) does", "FILE", MODEL,
	  "FILE is a description (JSON), the text of print(model), or any file of PyTorch's, safetensors or arrays; - is standard input. "
	  "A printed tree is printed again as it came, or as --torch prints it.",
	  "nnscope tree --expr 'Sequential(Linear(10, 20), ReLU())'", run_tree },
	{ "params", "list parameters and buffers", "FILE", MODEL TABLE, NULL,
	  "nnscope params --expr 'Linear(10, 20)'", run_params },
	{ "shapes", "list what every module returns", "FILE", TRACED TABLE, NULL,
	  "nnscope shapes --expr 'Conv2d(3, 64, 7)' --input 1x3x224x224", run_shapes },
	{ "summary", "print torchinfo's table", "FILE", TRACED "depth columns rows ", NULL,
	  "nnscope summary --expr 'Linear(10, 20)' --input 5x10", run_summary },
	{ "flops", "count multiply-adds by fvcore's rules", "FILE", TRACED TABLE, NULL,
	  "nnscope flops --expr 'Linear(10, 20)' --input 5x10", run_flops },
	{ "diff", "show what differs between two models", "FILE [FILE]", TRACED TABLE,
	  "With one file, the model before and after --set.  Tensors that both files hold are compared value by value.  "
	  "Exits 1 when they differ. "
	  "Outputs of modules are compared when both models have inputs.",
	  "nnscope diff --expr 'Linear(10, 20)' --set 'out_features=30'", run_diff },
	{ "graph", "draw the gradient graph, or the forward one", "FILE",
	 TRACED "run show seed weights weights-strict executor threads memory view format output open show-attrs show-saved max-attr-chars depth direction timing ",
	  "Without --output the picture is NAME_structure.pdf.  The format is that of the suffix. "
	  "The mode is train, as a freshly built module is.",
	  "nnscope graph --expr 'Linear(10, 20)' --input 5x10 -o linear.svg", run_graph },
	{ "run", "run the model on real numbers and prove every shape", "FILE",
	  TRACED "seed weights weights-strict inputs expect rtol atol save save-weights threads memory repeat executor precision deterministic "
	         "compare profile depth no-check format ",
	  "Parameters and inputs are drawn as PyTorch draws them after torch.manual_seed(N), unless files give them. "
	  "Exits 1 when an output differs from what --expect holds.  The mode is eval.",
	  "nnscope run --expr 'Linear(10, 20)' --input 5x10 --seed 0", run_run },
	{ "weights", "write parameters and buffers to a file", "FILE", MODEL "seed weights weights-strict memory output ",
	  "The file is .safetensors or .npz.  Without --weights parameters are as PyTorch makes them after torch.manual_seed(N).",
	  "nnscope weights --expr 'Linear(10, 20)' --seed 0 -o linear.safetensors", run_weights_command },
	{ "get", "print the value of expressions", "FILE EXPRESSION...", TRACED,
	  "Expressions see the model's members as names, and model, input, output, parameters(), modules().",
	  "nnscope get --expr 'Linear(10, 20)' 'out_features' 'weight.shape'", run_get },
	{ "check", "check that expressions hold", "FILE EXPRESSION...", TRACED,
	  "Exits 1 when one does not hold, and shows both sides of it.",
	  "nnscope check --expr 'Linear(10, 20)' 'out_features == 20'", run_check },
	{ "audit", "say what a file would run in Python, and what it hides", "FILE...", "format ",
	  "Pickles are read as data: what they would import and call is listed, with the entry and the byte.  So is what archives "
	  "hide: entries twice, one in another, paths that leave the folder, data before and after.  Exits 1 when something is "
	  "dangerous.  Formats: table, json, sarif.",
	  "nnscope audit samples/resnet18.json", run_audit },
	{ "code", "show the code in a TorchScript file", "FILE [NAME]", "", "With a name, only the parts that have it in theirs.",
	  "nnscope code model.pt", run_code },
	{ "ops", "list the operators that are known", "[NAME...]", "", "An operator with a star has a shape rule.",
	  "nnscope ops conv2d", run_ops },
	{ "classes", "list the module classes that are known", "[NAME...]", "", NULL,
	  "nnscope classes Conv2d", run_classes },
	{ "help", "explain a command", "[COMMAND]", "", NULL, "nnscope help graph", run_help },
	{ "version", "print the version", "", "", NULL, "nnscope version", run_version },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL }
};
