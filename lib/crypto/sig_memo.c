/* SPDX-License-Identifier: Apache-2.0 */
/* What was verified once: see sig_memo.h. */

#include "crypto/sig_memo.h"

#include <pthread.h>

#define ENTRIES 256
#define COORD_LARGEST 66

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t entry[ENTRIES][SIG_MEMO_ID];
static size_t used, next;

/* Lengths stand before what is of any length, so that no two inputs have the same bytes. */
int sig_memo_id(uint8_t ret[static SIG_MEMO_ID], const struct pubkey *k, enum sig_form form, enum hash h, struct slice digest, struct slice sig,
		struct err *e)
{
	const size_t n = key_type_coord(k->type);
	uint8_t xy[2 * COORD_LARGEST], head[8] = { (uint8_t)k->type, (uint8_t)form, (uint8_t)h, (uint8_t)digest.n, (uint8_t)(sig.n >> 8), (uint8_t)sig.n };
	AUTO_BUF all = { .max = 1024 };

	if (pubkey_ec_xy(xy, xy + n, k, e))
		return -1;
	buf_put(&all, head, sizeof head);
	buf_put(&all, xy, 2 * n);
	buf_slice(&all, digest);
	buf_slice(&all, sig);
	return buf_check(&all, e) ? -1 : hash_of(ret, HASH_SHA256, buf_view(&all), e);
}

bool sig_memo_has(const uint8_t id[static SIG_MEMO_ID])
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < used && !found; i++)
		found = !memcmp(entry[i], id, SIG_MEMO_ID);
	pthread_mutex_unlock(&lock);
	return found;
}

void sig_memo_add(const uint8_t id[static SIG_MEMO_ID])
{
	pthread_mutex_lock(&lock);
	memcpy(entry[next], id, SIG_MEMO_ID);
	next = (next + 1) % ENTRIES;
	used = used < ENTRIES ? used + 1 : ENTRIES;
	pthread_mutex_unlock(&lock);
}
