/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_FUZZ_MODEL_FILE_H
#define CVMBOX_FUZZ_MODEL_FILE_H

/* A container opened or made in memory, for the fuzz targets of lib/model. */

#include <sys/mman.h>
#include <unistd.h>

#include "base/host.h"
#include "model/file.h"

static inline int in_memory(struct buf *ret, bool seal, bool stream, struct slice data, const struct secret *key,
			    const struct model_opts *o)
{
	AUTO_PIPELINE *p = NULL;
	AUTO_INPUT in = { 0 };
	AUTO_FD out = memfd_create("fuzz", MFD_CLOEXEC);
	struct err e = { 0 };
	uint64_t size = 0;

	input_mem(&in, data, !stream, "fuzz");
	if (out < 0 || pipeline_new(&p, o, &e))
		return -1;
	if (seal ? model_encrypt_input(&size, NULL, p, out, stream, &in, key, o, &e) :
		   model_decrypt_input(&size, p, out, stream, &in, key, o, &e)) {
		if (e.code == EC_OK || e.code == EC_BUG)
			__builtin_trap();
		return -1;
	}
	buf_reset(ret);
	return lseek(out, 0, SEEK_SET) ? -1 : fd_read_all(ret, out, (size_t)64 << 20, &e);
}

#endif
