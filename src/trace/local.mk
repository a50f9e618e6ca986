libnnscope_core_la_SOURCES += src/trace/trace.h src/trace/trace.c src/trace/input.c src/trace/query.c src/trace/replay.h src/trace/replay.c src/trace/replayer.h src/trace/higher_order.c \
	src/trace/script.h src/trace/script_run.c src/trace/script_names.c src/trace/script_types.c src/trace/script_calls.c src/trace/script_content.c src/trace/script_inputs.c
