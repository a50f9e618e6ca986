/* What the machine has left, read from the texts of the kernel. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "tap.h"

static void check_path(const char *text, const char *path, int unified, const char *name)
{
	int is;
	char *found = group_path(text, &is);
	tap(path ? found && strcmp(found, path) == 0 && is == unified : !found, "%s", name);
	free(found);
}

int main(void)
{
	tap(meminfo_available("MemTotal:  100 kB\nMemAvailable:   24 kB\n") == 24 * 1024, "MemAvailable in kB");
	tap(meminfo_available("MemTotal:  100 kB\n") == SIZE_MAX, "an old kernel has none");
	tap(meminfo_available("MemAvailable: 18446744073709551615 kB\n") == SIZE_MAX, "more than can be counted");
	tap(group_amount("1073741824\n") == 1073741824, "a limit");
	tap(group_amount("max\n") == SIZE_MAX, "no limit");
	tap(group_idle("inactive_file 5\ntotal_inactive_file 7\n", 1) == 5 && group_idle("inactive_file 5\ntotal_inactive_file 7\n", 0) == 7, "idle pages");
	tap(group_idle("anon 5\n", 1) == 0, "no idle pages");
	check_path("0::/user.slice/a\n", "/user.slice/a", 1, "version 2");
	check_path("9:name=systemd:/x\n4:memory:/a/b\n0::/\n", "/a/b", 0, "version 1");
	check_path("9:cpu:/x\n", NULL, 0, "no group of memory");
	tap(machine_memory() > 0, "this machine has some");
	return tap_end();
}
