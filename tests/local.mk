TEST_EXTENSIONS = .test
AM_TESTS_ENVIRONMENT = MAKE='$(MAKE)'; CC='$(CC)'; export MAKE CC; $(sanitized_environment)
if SANITIZERS
sanitized_environment = SANITIZED=1; LSAN_OPTIONS=suppressions=$(abs_srcdir)/tests/lsan.supp:print_suppressions=0; export SANITIZED LSAN_OPTIONS;
EXTRA_DIST += tests/lsan.supp
else
sanitized_environment =
endif
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_LOG_DRIVER = $(LOG_DRIVER)

# Programs that read their cases from tables; all write TAP.
check_PROGRAMS += tests/unit/test_kernel_table tests/unit/test_values tests/unit/test_ops tests/unit/test_flops tests/unit/test_nn tests/unit/test_nn_table tests/unit/test_printed tests/unit/test_alloc
tests_unit_test_kernel_table_SOURCES = tests/unit/test_kernel_table.c
tests_unit_test_kernel_table_LDADD = libnnscope_core.la
tests_unit_test_values_SOURCES = tests/unit/test_values.c
tests_unit_test_values_LDADD = libnnscope_core.la -lm
tests_unit_test_alloc_SOURCES = tests/unit/test_alloc.c
tests_unit_test_alloc_LDADD = libnnscope_core.la
case_sources = tests/unit/case_files.c tests/unit/case_files.h tests/unit/case_tensors.c tests/unit/case_tensors.h
tests_unit_test_ops_SOURCES = tests/unit/test_ops.c $(case_sources)
tests_unit_test_ops_LDADD = libnnscope_core.la
tests_unit_test_flops_SOURCES = tests/unit/test_flops.c $(case_sources)
tests_unit_test_flops_LDADD = libnnscope_core.la
tests_unit_test_nn_SOURCES = tests/unit/test_nn.c $(case_sources)
tests_unit_test_nn_LDADD = libnnscope_core.la
tests_unit_test_nn_table_SOURCES = tests/unit/test_nn_table.c
tests_unit_test_nn_table_LDADD = libnnscope_core.la
tests_unit_test_printed_SOURCES = tests/unit/test_printed.c tests/unit/case_files.c tests/unit/case_files.h
tests_unit_test_printed_LDADD = libnnscope_core.la
TESTS += tests/unit/test_kernel_table tests/unit/test_values tests/unit/test_ops tests/unit/test_flops tests/unit/test_nn tests/unit/test_nn_table tests/unit/test_printed tests/unit/test_alloc

check_PROGRAMS += tests/unit/test_kernels_matmul
tests_unit_test_kernels_matmul_SOURCES = tests/unit/test_kernels_matmul.c
tests_unit_test_kernels_matmul_LDADD = libnnscope_core.la
TESTS += tests/unit/test_kernels_matmul

check_PROGRAMS += tests/unit/test_kernels_index
tests_unit_test_kernels_index_SOURCES = tests/unit/test_kernels_index.c
tests_unit_test_kernels_index_LDADD = libnnscope_core.la
TESTS += tests/unit/test_kernels_index

check_PROGRAMS += tests/unit/test_random
tests_unit_test_random_SOURCES = tests/unit/test_random.c
tests_unit_test_random_LDADD = libnnscope_core.la
TESTS += tests/unit/test_random

# The command line against what PyTorch, torchinfo, fvcore and torchviz printed.
dist_check_SCRIPTS += tests/run-cases.test tests/run.test tests/commands.test tests/pictures.test tests/includes.test tests/docs.test tests/executors.test tests/fuzz.test tests/embedding.test
TESTS += tests/run-cases.test tests/run.test tests/commands.test tests/pictures.test tests/includes.test tests/docs.test tests/executors.test tests/fuzz.test tests/embedding.test

EXTRA_DIST += tests/unit/tap.h tests/executors tests/ops tests/flops tests/nn tests/values tools/value-cases.py tests/cases tools/check-includes tools/op-cases.py tools/flop-cases.py tools/module-cases.py tools/file-cases.py tools/checkpoint-cases.py tools/script-cases.py tools/program-cases.py tools/audit-cases.py tests/conformance.floor

check_PROGRAMS += tests/unit/test_json
tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_LDADD = libnnscope_core.la
TESTS += tests/unit/test_json

check_PROGRAMS += tests/unit/test_files
tests_unit_test_files_SOURCES = tests/unit/test_files.c
tests_unit_test_files_LDADD = libnnscope_core.la
TESTS += tests/unit/test_files

# Damaged files through every reader.
check_PROGRAMS += tests/fuzz/fuzz
tests_fuzz_fuzz_SOURCES = tests/fuzz/fuzz.c
tests_fuzz_fuzz_LDADD = libnnscope_core.la

# The same under libFuzzer; tests/fuzz/run feeds it.
if FUZZERS
noinst_PROGRAMS += tests/fuzz/libfuzzer
tests_fuzz_libfuzzer_SOURCES = tests/fuzz/fuzz.c
tests_fuzz_libfuzzer_CFLAGS = $(AM_CFLAGS) -DLIBFUZZER
tests_fuzz_libfuzzer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_libfuzzer_LDADD = libnnscope_core.la
endif
EXTRA_DIST += tests/fuzz/run

check_PROGRAMS += tests/unit/test_machine
tests_unit_test_machine_SOURCES = tests/unit/test_machine.c
tests_unit_test_machine_LDADD = libnnscope_core.la
TESTS += tests/unit/test_machine

check_PROGRAMS += tests/unit/test_api
tests_unit_test_api_SOURCES = tests/unit/test_api.c
tests_unit_test_api_LDADD = libnnscope_core.la
TESTS += tests/unit/test_api
