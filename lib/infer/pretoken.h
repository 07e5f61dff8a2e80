/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_PRETOKEN_H
#define CVMBOX_INFER_PRETOKEN_H

/* How byte-level BPE cuts text into words before merging (inference.md 4.4). */

#include "base/buf.h"

struct codepoint {
	uint32_t cp;
	uint32_t at;		/* offset of its first byte */
	unsigned cls;		/* UNI_LETTER ... */
};
struct pretoken {
	const char *name;	/* tokenizer.ggml.pre */
	bool ignore_merges;	/* a word that is a token is taken whole */
	bool add_bos;		/* default of tokenizer.ggml.add_bos_token */
	/* Length in code points, at least 1, of the word that starts at c[i]; the fragment ends at c[n]. */
	size_t (*word)(const struct codepoint *c, size_t i, size_t n);
};
const struct pretoken *pretoken_find(struct slice name);	/* NULL: not known */

#endif
