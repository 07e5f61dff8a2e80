/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_UNICODE_H
#define CVMBOX_INFER_UNICODE_H

/* UTF-8 and the three classes of code points that pre-tokenizers ask for. */

#include "base/buf.h"

struct unicode_range {
	uint32_t first, last;
};
extern const struct unicode_range unicode_letter[], unicode_number[], unicode_space[];
extern const size_t unicode_letter_n, unicode_number_n, unicode_space_n;

enum { UNI_LETTER = 1, UNI_NUMBER = 2, UNI_SPACE = 4 };		/* general category L, N; property White_Space */
unsigned unicode_class(uint32_t cp);

/* One code point at s (s.n > 0).  Bytes that are not UTF-8 count one by one as U+FFFD.  Returns the bytes used, 1..4. */
size_t utf8_next(uint32_t *ret, struct slice s);
/* Appends cp (< 0x110000). */
void utf8_put(struct buf *b, uint32_t cp);
/* Bytes of s up to an unfinished sequence at its end (for streaming: keep the rest back, at most 3 bytes). */
size_t utf8_whole(struct slice s);

#endif
