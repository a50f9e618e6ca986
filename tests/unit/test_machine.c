/* What the machine has left, read from the texts of the kernel. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine.h"

static int n, failures;

static void check(int good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++n, name);
	failures += !good;
}

static void check_path(const char *text, const char *path, int unified, const char *name)
{
	int is;
	char *found = group_path(text, &is);
	check(path ? found && strcmp(found, path) == 0 && is == unified : !found, name);
	free(found);
}

int main(void)
{
	puts("1..11");
	check(meminfo_available("MemTotal:  100 kB\nMemAvailable:   24 kB\n") == 24 * 1024, "MemAvailable in kB");
	check(meminfo_available("MemTotal:  100 kB\n") == SIZE_MAX, "an old kernel has none");
	check(meminfo_available("MemAvailable: 18446744073709551615 kB\n") == SIZE_MAX, "more than can be counted");
	check(group_amount("1073741824\n") == 1073741824, "a limit");
	check(group_amount("max\n") == SIZE_MAX, "no limit");
	check(group_idle("inactive_file 5\ntotal_inactive_file 7\n", 1) == 5 && group_idle("inactive_file 5\ntotal_inactive_file 7\n", 0) == 7, "idle pages");
	check(group_idle("anon 5\n", 1) == 0, "no idle pages");
	check_path("0::/user.slice/a\n", "/user.slice/a", 1, "version 2");
	check_path("9:name=systemd:/x\n4:memory:/a/b\n0::/\n", "/a/b", 0, "version 1");
	check_path("9:cpu:/x\n", NULL, 0, "no group of memory");
	check(machine_memory() > 0, "this machine has some");
	return failures != 0;
}
