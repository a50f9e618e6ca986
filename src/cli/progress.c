/* Runs that take their time: a bar on standard error, and Ctrl-C. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* sigaction */
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* The only state that a signal handler can reach. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* The first Ctrl-C ends the work at the next operator; a second one ends the process at once. */
static void catch_interrupt(bool on)
{
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = on ? on_interrupt : SIG_DFL;
	a.sa_flags = on ? SA_RESETHAND : 0;
	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
}

enum { WIDTH = 30 };

static const double begins_after = 1000, every = 100; /* ms */

static void draw(struct progress *p, const char *stage, double share, double ms)
{
	char bar[WIDTH + 1];
	int filled = (int)(share * WIDTH);
	for (int i = 0; i < WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[WIDTH] = 0;
	fprintf(stderr, "\r%-7s [%s] %3d %%  %.0f s ", stage, bar, (int)(share * 100), ms / 1000);
	fflush(stderr);
	p->shown = true;
}

static bool tell(void *data, const char *stage, size_t done, size_t total)
{
	struct progress *p = data;
	double now = now_ms();
	if (p->terminal && now - p->began >= begins_after && now - p->drawn >= every) {
		p->drawn = now;
		draw(p, stage, total ? (double)done / (double)total : 0, now - p->began);
	}
	return !interrupted;
}

void progress_begin(struct progress *p, nns_run_options *r)
{
	*p = (struct progress){ .terminal = isatty(STDERR_FILENO), .began = now_ms() };
	r->progress = tell;
	r->progress_data = p;
	interrupted = 0;
	catch_interrupt(true);
}

bool progress_end(struct progress *p)
{
	catch_interrupt(false);
	if (p->shown)
		fprintf(stderr, "\r%*s\r", WIDTH + 32, "");
	p->shown = false;
	return interrupted;
}
