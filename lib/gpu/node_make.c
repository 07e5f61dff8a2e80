/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes where nobody has made them, as in an initramfs.  The driver's major number is fixed, so nothing has to be looked up but whether it is
 * loaded.  Mode 0600: they are for the call that is running, which is root's; NVIDIA's own helper widens them when it comes (spec 1.1). */
#include "gpu/port.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cursor.h"

#define PROC_DEVICES_MAX ((size_t)64 << 10)

/* "195 nvidia", among the character devices: older drivers say nvidia-frontend. */
static bool is_driver(struct slice line)
{
	struct slice t = slice_trim(line);

	return t.n >= 10 && !memcmp(t.p, "195 nvidia", 10);
}

static bool driver_loaded(const struct host *h)
{
	AUTO_BUF text = { .max = PROC_DEVICES_MAX };
	struct slice line;
	bool character = true;
	struct rd r;

	if (host_read(&text, h, "/proc/devices", PROC_DEVICES_MAX, NULL))
		return false;
	r = rd_of(buf_view(&text));
	while (rd_line(&r, &line)) {
		if (slice_eqs(slice_trim(line), "Block devices:"))
			character = false;
		if (character && is_driver(line))
			return true;
	}
	return false;
}

int rm_node_make(const struct host *h, unsigned number, struct err *e)
{
	AUTO_FD dev = -1;
	char path[32];

	rm_node_path(path, number);
	dev = host_open(h, "/dev", O_PATH | O_DIRECTORY | O_NOFOLLOW, e);
	if (dev < 0)
		return -1;

	struct stat st;
	const char *name = path + sizeof "/dev";	/* with its slash in the place of the NUL */

	if (!fstatat(dev, name, &st, AT_SYMLINK_NOFOLLOW) || h->simulated)
		return 0;
	if (!driver_loaded(h)) {
		err_set(e, EC_ABSENT, "'%s' does not exist, and no NVIDIA driver is loaded", path);
		return err_hint(e, "load the nvidia module ('modprobe nvidia')");
	}
	/* Fails where something has come to lie there meanwhile, and never follows a link. */
	if (mknodat(dev, name, S_IFCHR | 0600, makedev(RM_MAJOR, number)) && errno != EEXIST) {
		err_sys(e, EC_IO, "cannot make device node '%s' (%u:%u)", path, (unsigned)RM_MAJOR, number);
		return err_hint(e, "that takes root with CAP_MKNOD; or run 'nvidia-modprobe -c %u' first, or give the node to this container", number);
	}
	host_log(h, LOG_INFO, "made device node '%s' (%u:%u)", path, (unsigned)RM_MAJOR, number);
	return 0;
}
