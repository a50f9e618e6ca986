/* Work in pieces, each on a thread. */
#include "exec/kernel.h"

#include <pthread.h>

enum { MAX_THREADS = 64 };

struct piece {
	int64_t from, to;
	void (*work)(int64_t from, int64_t to, void *data);
	void *data;
	pthread_t thread;
	bool started;
};

static void *piece_run(void *p)
{
	struct piece *piece = p;
	piece->work(piece->from, piece->to, piece->data);
	return NULL;
}

void in_parallel(struct kernel_call *k, int64_t n, int64_t grain, void (*work)(int64_t from, int64_t to, void *data), void *data)
{
	struct piece pieces[MAX_THREADS];
	int64_t count = grain > 0 ? n / grain : n;
	count = count > k->threads ? k->threads : count;
	count = count > MAX_THREADS ? MAX_THREADS : count;
	if (count <= 1) {
		work(0, n, data);
		return;
	}
	for (int64_t i = 0; i < count; i++) {
		pieces[i] = (struct piece){ .from = n * i / count, .to = n * (i + 1) / count, .work = work, .data = data };
		pieces[i].started = i > 0 && pthread_create(&pieces[i].thread, NULL, piece_run, &pieces[i]) == 0;
	}
	for (int64_t i = 0; i < count; i++)
		if (!pieces[i].started)
			piece_run(&pieces[i]);
	for (int64_t i = 0; i < count; i++)
		if (pieces[i].started)
			pthread_join(pieces[i].thread, NULL);
}
