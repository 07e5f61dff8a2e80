/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the collateral cache: see cache.h. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "attest/cache.h"
#include "base/host.h"
#include "base/outfile.h"

static char *path_of(const char *dir, const char *key, struct err *e)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (key[0] == '.' || key[0] == '\0' || key[strspn(key, ok)]) {
		err_set(e, EC_BUG, "no name for the cache: '%s'", key);
		return NULL;
	}
	return str_printf(e, "%s/%s", dir, key);
}

bool cache_get(struct buf *ret, int64_t *written, const char *dir, const char *key, size_t max)
{
	struct err no = { 0 };
	AUTO_STR *path = path_of(dir, key, &no);
	struct stat st;
	AUTO_FD fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || fd_read_all(ret, fd, max, &no))
		return false;
	*written = st.st_mtime;
	return true;
}

int cache_put(const char *dir, const char *key, struct slice data, struct err *e)
{
	AUTO_STR *path = path_of(dir, key, e);

	if (!path)
		return -1;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_sys(e, EC_IO, "cannot make the cache '%s'", dir);
	return outfile_write(path, data, 0644, true, e);
}
