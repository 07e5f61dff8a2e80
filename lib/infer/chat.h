/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_CHAT_H
#define CVMBOX_INFER_CHAT_H

/* What a model wants to see around a question: a system text and one user text, rendered as text parts.  The markers may form control
 * tokens, what system and user say may not. */

#include "infer/tokenizer.h"

struct chat_template;
extern const char *const chat_names[];		/* NULL ended */
const struct chat_template *chat_by_name(const char *name);	/* NULL: not known */
/* Recognises the Jinja text of tokenizer.chat_template by what it mentions; NULL: not known. */
const struct chat_template *chat_recognise(struct slice jinja);
const char *chat_name(const struct chat_template *t);
/* The system text a template puts in when there is none (it is written out in the Jinja text); empty: none. */
struct slice chat_default_system(const struct chat_template *t, struct slice jinja);

#define CHAT_PARTS_MAX 8
/* Fills parts; returns their number.  All of it points into the arguments and static text.  sys.n 0: none. */
size_t chat_render(struct text_part parts[static CHAT_PARTS_MAX], const struct chat_template *t, struct slice sys, struct slice user);

#endif
