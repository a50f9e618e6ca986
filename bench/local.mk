EXTRA_DIST += bench/process.py
EXTRA_DIST += bench/run

bench: nnscope
	srcdir=$(srcdir) sh $(srcdir)/bench/run

.PHONY: bench
