/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes: see device.h. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/recording.h"
#include "tee/device.h"

#define CALL_MAX ((size_t)64 << 10)

void device_close(struct device *d)
{
	fd_close(&d->fd);
	recording_close(d->recorded);
	d->recorded = NULL;
}

static int replay(struct device *ret, const struct host *h, const char *path, struct err *e)
{
	AUTO_BUF text = { .max = RECORDING_TEXT_MAX };
	struct device d = DEVICE_NONE;

	if (host_read(&text, h, path, RECORDING_TEXT_MAX, e) || recording_open(&d.recorded, buf_view(&text), e))
		return err_ctx(e, "cannot replay '%s'", path);
	*ret = d;
	return 0;
}

/* What lies there is looked at before it is opened: opening some things acts. */
int device_open(struct device *ret, const struct host *h, const char *path, struct err *e)
{
	AUTO_FD there = host_open(h, path, O_PATH | O_NOFOLLOW, e);
	struct stat st;
	int fd;

	if (there < 0)
		return -1;
	if (fstat(there, &st))
		return err_sys(e, EC_IO, "'%s'", path);
	if (h->simulated && S_ISREG(st.st_mode))
		return replay(ret, h, path, e);
	if (!S_ISCHR(st.st_mode))
		return err_set(e, EC_IO, "'%s' is not a character device", path);
	fd = host_open(h, path, O_RDWR | O_NOFOLLOW, e);
	if (fd < 0) {
		if (e)
			e->code = EC_IO;	/* the node is there: what is missing is an answer */
		return errno == EACCES || errno == EPERM ? err_hint(e, "run as root, or check who may open '%s'", path)
							 : err_hint(e, "is the driver behind '%s' still loaded? see dmesg", path);
	}
	*ret = (struct device){ .fd = fd };
	return 0;
}

static void put_addresses(const struct device_part *v, size_t n, bool zero)
{
	for (size_t i = 1; i < n; i++) {
		const uint64_t a = zero || !v[i].n ? 0 : (uintptr_t)v[i].p;

		memcpy((uint8_t *)v[v[i].in].p + v[i].at, &a, sizeof a);
	}
}

static int call_recorded(struct recording *r, uint32_t request, const struct device_part *v, size_t n)
{
	AUTO_BUF all = { .max = CALL_MAX };
	size_t at = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		buf_put(&all, v[i].p, v[i].n);
	if (all.bad)
		return ENOMEM;
	rc = recording_call(r, request, all.p, all.n);
	for (size_t i = 0; i < n; at += v[i++].n)
		if (v[i].n)
			memcpy(v[i].p, all.p + at, v[i].n);
	return rc;
}

int device_call(struct device *d, uint32_t request, const struct device_part *v, size_t n)
{
	int rc;

	put_addresses(v, n, d->recorded != NULL);
	if (d->recorded)
		return call_recorded(d->recorded, request, v, n);
	do
		rc = ioctl(d->fd, (int)request, v[0].p);
	while (rc < 0 && errno == EINTR);
	rc = rc < 0 ? errno : 0;
	put_addresses(v, n, true);
	return rc;
}
