/* SPDX-License-Identifier: Apache-2.0 */
/* The device nodes themselves.  A path is not enough to trust: what is opened has to be the character
 * device with the driver's fixed major number, seen before it is opened (opening some devices acts)
 * and again on the open descriptor. */
#include "gpu/port.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define RECORDING_MAX ((size_t)16 << 20)

void rm_node_path(char ret[static 32], unsigned minor)
{
	if (minor == RM_CTL_MINOR)
		snprintf(ret, 32, "/dev/nvidiactl");
	else
		snprintf(ret, 32, "/dev/nvidia%u", minor);
}

static const char *kind_of(mode_t mode)
{
	return S_ISREG(mode) ? "a regular file" : S_ISLNK(mode) ? "a symbolic link" : S_ISDIR(mode) ? "a directory"
	     : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : S_ISBLK(mode) ? "a block device" : "not a device";
}

static int check_node(const struct stat *st, const char *path, unsigned number, struct err *e)
{
	if (!S_ISCHR(st->st_mode))
		return err_set(e, EC_IO, "'%s' is %s, wanted character device %u:%u", path, kind_of(st->st_mode),
			       (unsigned)RM_MAJOR, number);
	if (major(st->st_rdev) != RM_MAJOR || minor(st->st_rdev) != number)
		return err_set(e, EC_IO, "'%s' is character device %u:%u, wanted %u:%u", path,
			       (unsigned)major(st->st_rdev), (unsigned)minor(st->st_rdev), (unsigned)RM_MAJOR, number);
	return 0;
}

/* What lies at the path, without opening it and without following a link. */
static int peek(struct stat *ret, const struct host *h, const char *path, struct err *e)
{
	AUTO_FD fd = host_open(h, path, O_PATH | O_NOFOLLOW, e);

	if (fd < 0)
		return -1;
	if (fstat(fd, ret))
		return err_sys(e, EC_IO, "'%s'", path);
	return 0;
}

static int open_hint(int error, const char *path, struct err *e)
{
	if (error == EACCES || error == EPERM)
		return err_hint(e, "run as root, or check who may open '%s' (mode, container device rules)", path);
	if (error == EIO)
		return err_hint(e, "the GPU did not start: 'dmesg | grep NVRM' says why (on a confidential GPU often a "
				   "driver and VBIOS that do not fit, or a failed SPDM session)");
	return err_hint(e, "see 'dmesg | grep NVRM', and whether the nvidia module is still loaded");
}

static int node_open(void *arg, unsigned number, struct err *e)
{
	const struct host *h = arg;
	struct stat before, after;
	char path[32];
	AUTO_FD fd = -1;

	rm_node_path(path, number);
	if (peek(&before, h, path, e) || check_node(&before, path, number, e))
		return -1;
	errno = 0;
	fd = host_open(h, path, O_RDWR | O_NOFOLLOW, e);
	if (fd < 0) {
		if (e)
			e->code = EC_IO;	/* the node is there: what is missing is an answer */
		return open_hint(errno, path, e);
	}
	if (fstat(fd, &after))
		return err_sys(e, EC_IO, "'%s'", path);
	if (check_node(&after, path, number, e))
		return -1;

	const int ret = fd;

	fd = -1;
	return ret;
}

/* request = 0xc0004600 | number | size << 16: read and write, magic 'F' (spec 1.2). */
static int node_call(void *arg, int node, struct rm_msg *m)
{
	const unsigned request = 0xc0004600u | m->nr | (unsigned)m->n << 16;
	const uint64_t address = (uintptr_t)m->params;
	int rc;

	(void)arg;
	if (m->n > 0x3fff)
		return EINVAL;
	if (m->pointer_at) {
		if (m->pointer_at + sizeof address > m->n)
			return EINVAL;
		memcpy(m->s + m->pointer_at, &address, sizeof address);
	}
	do
		rc = ioctl(node, (int)request, m->s);
	while (rc < 0 && errno == EINTR && !m->once);
	if (m->pointer_at)
		memset(m->s + m->pointer_at, 0, sizeof address);
	return rc < 0 ? errno : 0;
}

static void node_close(void *arg, int node)
{
	(void)arg;
	close(node);
}

static void node_release(void *arg)
{
	(void)arg;
}

static int node_open_making(void *arg, unsigned number, struct err *e)
{
	return rm_node_make(arg, number, e) ? -1 : node_open(arg, number, e);
}

static int port_open(struct rm_port *ret, const struct host *h, bool making, struct err *e)
{
	AUTO_BUF text = { .max = RECORDING_MAX };
	struct stat st;
	char path[32];

	rm_node_path(path, RM_CTL_MINOR);
	if ((making && rm_node_make(h, RM_CTL_MINOR, e)) || peek(&st, h, path, e))
		return -1;
	if (h->simulated && S_ISREG(st.st_mode)) {
		if (host_read(&text, h, path, RECORDING_MAX, e) || rm_replay_open(ret, h, buf_view(&text), e))
			return err_ctx(e, "cannot replay '%s'", path);
		return 0;
	}
	/* The host outlives the session (see rm_open); it is only read. */
	*ret = (struct rm_port){ making ? node_open_making : node_open, node_call, node_close, node_release, (void *)(uintptr_t)h };
	return 0;
}

int rm_port_open(struct rm_port *ret, const struct host *h, struct err *e)
{
	return port_open(ret, h, false, e);
}

int rm_port_open_making(struct rm_port *ret, const struct host *h, struct err *e)
{
	return port_open(ret, h, true, e);
}
