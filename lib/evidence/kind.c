/* SPDX-License-Identifier: Apache-2.0 */
/* Ownership of collected evidence: see kind.h. */

#include "evidence/kind.h"

void evidence_free(struct evidence *ev)
{
	buf_free(&ev->raw);
	buf_free(&ev->certs);
	buf_free(&ev->manifest);
	for (size_t i = 0; i < N_LOGS; i++)
		buf_free(&ev->logs[i]);
}
