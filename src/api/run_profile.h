/* Where the time of a run went, added up.  Everything lies in the run's arena. */
#ifndef API_RUN_PROFILE_H
#define API_RUN_PROFILE_H

#include "api/run.h"

struct tally {
	const char *name, *kernel; /* an operator and what did it; of a module the kernel that took most */
	size_t calls;
	double ms, most;         /* most: of its kernel, at once */
	double flops;            /* floating-point operations: two for each multiply-add by fvcore's rules; 0: not counted */
	int64_t bytes;           /* read and written */
};

struct profile {
	const struct run *run;
	struct tally *operators; size_t n_operators; /* the longest first */
	struct tally *modules;   /* by the serial number of a call, with what it calls */
	double ms;
};

/* Of an event: the operator, or "reorder" for what only moves a tensor into another layout. */
const char *event_name(const struct run *r, const struct run_event *e);
const char *event_kernel(const struct run_event *e);
double event_flops(const struct run *r, const struct run_event *e);
int64_t event_bytes(const struct run *r, const struct run_event *e);
/* The module call that it belongs to. */
const struct call *event_call(const struct run *r, const struct run_event *e);

#endif
