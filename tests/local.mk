TEST_EXTENSIONS = .test
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_LOG_DRIVER = $(LOG_DRIVER)

# Programs that read their cases from tables; both write TAP.
check_PROGRAMS += tests/unit/test_ops tests/unit/test_nn
tests_unit_test_ops_SOURCES = tests/unit/test_ops.c
tests_unit_test_ops_LDADD = libnnscope_core.la
tests_unit_test_nn_SOURCES = tests/unit/test_nn.c
tests_unit_test_nn_LDADD = libnnscope_core.la
TESTS += tests/unit/test_ops tests/unit/test_nn

# The command line against what PyTorch, torchinfo, fvcore and torchviz printed.
dist_check_SCRIPTS += tests/run-cases.test tests/includes.test
TESTS += tests/run-cases.test tests/includes.test

EXTRA_DIST += tests/ops tests/nn tests/cases tools/check-includes tools/op-cases.py tools/module-cases.py tests/conformance.floor
