/* SPDX-License-Identifier: Apache-2.0 */
/* After the keyset was released, no page of the process holds the key: neither raw, nor as the base64 text of the keyset. */

#include <fcntl.h>

#include "model.h"

#define MASK 0x5a
#define PART 16		/* bytes that are looked for */

/* Masked, so that the search does not find itself. */
static void remember(uint8_t ret[static PART], const uint8_t *p)
{
	for (unsigned i = 0; i < PART; i++)
		ret[i] = p[i] ^ MASK;
}

static unsigned count(const uint8_t *p, size_t n, const uint8_t masked[static PART])
{
	unsigned found = 0;

	for (size_t i = 0; i + PART <= n; i++) {
		unsigned k = 0;

		while (k < PART && (p[i + k] ^ MASK) == masked[k])
			k++;
		found += k == PART;
	}
	return found;
}

#define PAGE 4096
static uint8_t *window;		/* what is being searched: a page, and the beginning of the next */

static unsigned count_in_process(const uint8_t masked[static PART])
{
	AUTO_FD mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned found = 0;
	char line[512];

	while (maps && fgets(line, sizeof line, maps)) {
		char *dash = NULL;
		const unsigned long from = strtoul(line, &dash, 16), to = strtoul(dash + 1, NULL, 16);

		if (!strstr(line, " rw-") || to - from > 1ul << 30)	/* a sanitizer's shadow is huge, and no copy */
			continue;
		for (unsigned long at = from; at < to; at += PAGE) {
			const size_t want = to - at < PAGE + PART - 1 ? to - at : PAGE + PART - 1;
			const bool own = at >= (uintptr_t)window && at < (uintptr_t)window + 2 * PAGE;
			const ssize_t n = own ? 0 : pread(mem, window, want, (off_t)at);

			if (n > 0)
				found += count(window, (size_t)n, masked);
		}
	}
	if (maps)
		fclose(maps);
	return found;
}

TEST(secrets_no_copy_of_the_key_stays_behind)
{
	uint8_t raw[PART], text[PART];
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 }, back = { 0 };
	const struct model_opts o = { .threads = 2 };
	struct tink_keyset k = { .n = 0 };
	const char *value;

	window = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (window == MAP_FAILED)
		SKIP("no memory");
	WORKS(model_new_key(&key, &e));
	WORKS(tink_keyset_parse(&k, secret_view(&key), &e));
	value = memmem(key.p, key.n, "\"value\":\"", 9);
	OK(value && k.n == 1);
	if (test_failed())
		return;
	remember(raw, k.key[0].ikm.p + 7);
	remember(text, (const uint8_t *)value + 9 + 20);
	OK(count_in_process(raw) >= 1);		/* the search finds what is there */
	OK(count_in_process(text) >= 1);
	tink_keyset_free(&k);
	WORKS(crypt_mem(&file, true, 0, SLICE("a model"), &key, &o, &e));
	WORKS(crypt_mem(&back, false, 0, buf_view(&file), &key, &o, &e));
	file.p[file.n - 1] ^= 1;
	FAILS(crypt_mem(&back, false, 0, buf_view(&file), &key, &o, &e), EC_REFUSED);
	secret_wipe(&key);
	EQ(count_in_process(raw), 0);
	EQ(count_in_process(text), 0);
	munmap(window, 2 * PAGE);
}
