/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_FILE_H
#define CVMBOX_MODEL_FILE_H

/* One file of several, inside lib/model: as model.h, with threads that are kept and inputs of any kind. */

#include "model/pipeline.h"

int model_decrypt_input(uint64_t *size, struct pipeline *p, int out_fd, bool stream, struct input *in,
			const struct secret *key, const struct model_opts *o, struct err *e);
/* header: NULL, or takes the bytes in front of segment 0 (64 at most), which are different for every encryption. */
int model_encrypt_input(uint64_t *size, uint8_t *header, struct pipeline *p, int out_fd, bool stream,
			struct input *in, const struct secret *keyset, const struct model_opts *o, struct err *e);

#endif
