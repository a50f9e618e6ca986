# Makes op_facts.c of data/aten.tsv: one struct op_fact (ops/op.h) a row.
# The rows come sorted by their first column with LC_ALL=C, without the
# header line, so that they can be found by binary search with strcmp.

function quoted(s) {
	gsub(/\\/, "\\\\&", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\""
}

# Names of the arguments that are tensors.
function tensor_arguments(schema,    inside, parts, n, i, words, names) {
	inside = schema
	sub(/^[^(]*\(/, "", inside)
	sub(/\) -> .*$/, "", inside)
	n = split(inside, parts, ", ")
	for (i = 1; i <= n; i++) {
		split(parts[i], words, " ")
		sub(/=.*/, "", words[2])
		if (words[1] ~ /^Tensor/)
			names = names (names ? "," : "") words[2]
	}
	return names
}

BEGIN {
	FS = "\t"
	# DONT_REQUIRE_DERIVATIVE and MANUAL_AUTOGRAD of tools/autograd/gen_variable_type.py and gen_trace_type.py
	n = split("empty_like ones_like full_like zeros_like rand_like randn_like new_empty new_empty_strided new_full new_zeros new_ones " \
		"__and__ __iand__ __ilshift__ __ior__ __irshift__ __ixor__ __lshift__ __or__ __rshift__ __xor__ " \
		"_sobol_engine_draw _sobol_engine_ff _sobol_engine_scramble_ _sobol_engine_initialize_state_ _coalesced_ quantize_per_tensor " \
		"quantize_per_channel argmax argmin argsort searchsorted bucketize isnan isposinf isneginf isinf signbit isin allclose record_stream " \
		"logical_and logical_xor logical_not logical_or _nested_tensor_size _nested_tensor_strides _nested_tensor_storage_offsets " \
		"options data set_data is_leaf output_nr _version retain_grad _backward requires_grad_ " \
		"resize_ resize_as_ detach detach_ copy_ _fw_primal _make_dual", names, " ")
	for (i = 1; i <= n; i++)
		without_gradient[names[i]] = 1
	print "/* Made from data/aten.tsv by tools/facts.awk. */"
	print "#include \"ops/op.h\""
	print ""
	print "const struct op_fact op_facts[] = {"
}

NF != 6 || $1 !~ /^([A-Za-z0-9_]+::)?[A-Za-z0-9_.]+$/ || index($2, $1 "(") != 1 {
	print "data/aten.tsv: not a row of six columns: " $0 > "/dev/stderr"
	failed = 1
	exit 1
}

$1 == last {
	print "data/aten.tsv: " $1 " is there twice" > "/dev/stderr"
	failed = 1
	exit 1
}

# PyTorch writes this one's derivative by hand (torch/csrc/autograd/VariableTypeManual.cpp).
$1 == "copy_" {
	$4 = "CopyBackwards"
	$5 = "self,src"
}

# The code generator gives what has no formula a node that fails when it is run.
{
	base = $1
	sub(/\..*/, "", base)
}
$4 == "" && $3 !~ /composite|view|out/ && !(base in without_gradient) && $2 ~ /-> .*Tensor/ {
	$5 = tensor_arguments($2)
	$4 = $5 == "" ? "" : "NotImplemented"
}

{
	last = $1
	print "\t{ " quoted($1) ", " quoted($2) ", " quoted($3) ","
	print "\t  " quoted($4) ", " quoted($5) ", " quoted($6) " },"
}

END {
	if (failed)
		exit 1
	print "};"
	print "const size_t op_facts_count = sizeof op_facts / sizeof op_facts[0];"
}
