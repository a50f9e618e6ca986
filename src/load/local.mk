libnnscope_core_la_SOURCES += \
	src/load/load.h src/load/format.h src/load/load.c src/load/description.c src/load/class.c src/load/printed.h src/load/printed.c src/load/printed_module.c src/load/printed_tensor.c src/load/foreign.c \
	src/load/archive.h src/load/archive.c src/load/json.h src/load/json.c src/load/npy.h src/load/npy.c src/load/npy_header.h src/load/npy_header.c src/load/npz.c src/load/state.h src/load/state.c src/load/safetensors.c src/load/pickle.h src/load/pickle.c src/load/pickle_machine.h src/load/pickle_machine.c src/load/pickle_text.c \
	src/load/torch_pickle.h src/load/torch_pickle.c src/load/torch_tensors.c src/load/numpy_pickle.c src/load/checkpoint.h src/load/checkpoint.c src/load/torch_file.c src/load/tar.h src/load/torch_tar.c src/load/script_file.h src/load/script_file.c src/load/script_classes.c src/load/class_rows.h src/load/class_rows.c src/load/pt2.h src/load/pt2.c src/load/pt2_tensor.c src/load/pt2_modules.c src/load/pt2_state.c src/load/pt2_weights.c src/load/pt2_examples.c src/load/pt2_graph.c src/load/pt2_classes.c

# The classes of torchvision's models, as a string.
builtin_classes = src/load/builtin_classes.c
nodist_libnnscope_core_la_SOURCES += $(builtin_classes)
BUILT_SOURCES += $(builtin_classes)
CLEANFILES += $(builtin_classes)
EXTRA_DIST += data/torchvision.json tools/embed.awk

$(builtin_classes): $(srcdir)/data/torchvision.json $(srcdir)/tools/embed.awk
	$(AM_V_GEN)$(MKDIR_P) src/load && \
	LC_ALL=C $(AWK) -v name=builtin_classes -f $(srcdir)/tools/embed.awk $(srcdir)/data/torchvision.json >$@.tmp && mv $@.tmp $@
libnnscope_core_la_SOURCES += src/load/audit.h src/load/audit.c src/load/audit_archive.c src/load/audit_known.c src/load/audit_pickle.c src/load/audit_tar.c
libnnscope_core_la_SOURCES += src/load/torch_code.h src/load/torch_code.c
