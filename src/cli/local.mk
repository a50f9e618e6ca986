nnscope_SOURCES += \
	src/cli/cli.h src/cli/main.c src/cli/commands.c src/cli/options.c src/cli/help.c src/cli/reports.c src/cli/graph.c src/cli/run.c src/cli/progress.c src/cli/files.c
