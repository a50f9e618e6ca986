# Makes op_facts.c of data/aten.tsv: one struct op_fact (ops/op.h) a row.
# The rows come sorted by their first column with LC_ALL=C, without the
# header line, so that they can be found by binary search with strcmp.

function quoted(s) {
	gsub(/\\/, "\\\\&", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\""
}

BEGIN {
	FS = "\t"
	print "/* Made from data/aten.tsv by tools/facts.awk. */"
	print "#include \"ops/op.h\""
	print ""
	print "const struct op_fact op_facts[] = {"
}

NF != 6 || $1 !~ /^[A-Za-z0-9_.]+$/ || index($2, $1 "(") != 1 {
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
