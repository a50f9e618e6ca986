libnnscope_core_la_SOURCES += \
	src/lang/lang.h src/lang/ast.h src/lang/lex.h src/lang/parse.h src/lang/eval.h src/lang/builtins.h src/lang/script.h \
	src/lang/lex.c src/lang/parser.c src/lang/parse.c src/lang/parse_expr.c src/lang/parse_atom.c src/lang/strings.c \
	src/lang/eval.c src/lang/eval_items.c src/lang/eval_ops.c src/lang/run.c src/lang/call.c src/lang/sequence.c src/lang/operators.c \
	src/lang/methods.c src/lang/builtins.c src/lang/builtins_items.c src/lang/builtins_numbers.c src/lang/builtins_objects.c src/lang/format.c src/lang/script.c
