/* SPDX-License-Identifier: Apache-2.0 */
/* See ends.h. */

#include "model/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/host.h"

/* The descriptor that '-' or "fd:N" names, -1 for anything else, -2 after an error. */
static int named_fd(const char *s, int dash, struct err *e)
{
	uint64_t n;

	if (!strcmp(s, "-"))
		return dash;
	if (strncmp(s, "fd:", 3))
		return -1;
	if (parse_u64(&n, s + 3, 1 << 20, e)) {
		err_ctx(e, "'%s'", s);
		return -2;
	}
	return (int)n;
}

static int copy_of(int fd, const char *name, struct err *e)
{
	const int ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return ret >= 0 ? ret : err_sys(e, errno == EBADF ? EC_USAGE : EC_IO, "cannot use '%s'", name);
}

int model_in_open(const char *src, struct err *e)
{
	const int n = named_fd(src, STDIN_FILENO, e);
	int fd;

	if (n == -2)
		return -1;
	if (n >= 0)
		return copy_of(n, src, e);
	if (!strncmp(src, "https://", 8) || !strncmp(src, "http://", 7) || !strncmp(src, "s3://", 5)) {
		err_set(e, EC_ABSENT, "'%s': models cannot be read from URLs yet", src);
		return err_hint(e, "pipe it in: curl -fsS URL | cvmbox ... -");
	}
	fd = open(src, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, EC_IO, "cannot open '%s'", src);
}

int model_out_open(struct model_out *o, const char *dst, unsigned mode, bool overwrite, struct err *e)
{
	const int n = named_fd(dst, STDOUT_FILENO, e);

	if (n == -2)
		return -1;
	if (n < 0) {
		if (outfile_open(&o->file, dst, mode, overwrite, e))
			return -1;
		o->fd = o->file.fd;
		return 0;
	}
	if (isatty(n)) {
		err_set(e, EC_USAGE, "'%s' is a terminal: binary data is not written there", dst);
		return err_hint(e, "name a file with -o, or pipe it on");
	}
	o->fd = copy_of(n, dst, e);
	o->stream = true;
	return o->fd < 0 ? -1 : 0;
}

int model_out_commit(struct model_out *o, struct err *e)
{
	int rc;

	if (!o->stream)
		return outfile_commit(&o->file, e);
	rc = close(o->fd);	/* where network file systems tell that writing failed */
	o->fd = -1;
	return rc ? err_sys(e, EC_IO, "cannot write the output") : 0;
}

void model_out_drop(struct model_out *o)
{
	if (o->stream)
		fd_close(&o->fd);
	outfile_drop(&o->file);
	o->fd = -1;
}
