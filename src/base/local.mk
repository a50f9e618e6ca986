libnnscope_core_la_SOURCES += \
	src/base/error.h src/base/nearest.h src/base/arena.h src/base/text.h src/base/map.h src/base/file.h src/base/mapping.h src/base/datum.h \
	src/base/error.c src/base/nearest.c src/base/arena.c src/base/text.c src/base/map.c src/base/file.c src/base/mapping.c src/base/datum.c src/base/random.h src/base/random.c src/base/normal.c src/base/lanes.h src/base/reader.h src/base/machine.h src/base/machine.c
