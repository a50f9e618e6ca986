EXTRA_DIST += bench/process.py bench/executor.py bench/run bench/files.py

bench: nnscope
	srcdir=$(srcdir) sh $(srcdir)/bench/run

.PHONY: bench
