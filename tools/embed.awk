# Makes a C string of a text file: awk -v name=builtin_classes -f embed.awk FILE
BEGIN {
	print "/* Made by tools/embed.awk. */"
	printf "extern const char %s[];\nconst char %s[] =\n", name, name
}

{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	print "\t\"" $0 "\\n\""
}

END {
	print "\t;"
}
