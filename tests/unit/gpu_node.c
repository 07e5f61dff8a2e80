/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes are made only where nothing is, and only for a driver that is loaded. */
#include "gpu/port.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "gpu_sim.h"
#include "test.h"

#define LOADED "Character devices:\n  1 mem\n195 nvidia\n195 nvidiactl\n\nBlock devices:\n  8 sd\n"

/* A machine in a folder that is taken for a real one. */
static const char *machine(struct host *h, const char *devices)
{
	const char *d = tmpdir();

	put_file(d, "/dev/null", "");
	if (devices)
		put_file(d, "/proc/devices", devices);
	host_init(h);
	WORKS(host_set_sysroot(h, d, &e));
	h->simulated = false;
	return d;
}

static bool look(struct stat *st, const char *dir, const char *path)
{
	char full[512];

	snprintf(full, sizeof full, "%s%s", dir, path);
	return lstat(full, st) == 0;
}

static bool can_make(const char *dir)
{
	char full[512];

	snprintf(full, sizeof full, "%s/dev/probe", dir);
	return mknod(full, S_IFCHR | 0600, makedev(1, 3)) == 0 && unlink(full) == 0;
}

static void remove_node(const char *dir, const char *path)
{
	char full[512];

	snprintf(full, sizeof full, "%s%s", dir, path);
	EQ(unlink(full), 0);
}

TEST(node_make_makes_the_drivers_nodes_for_root_alone)
{
	static const char *const loaded[] = { LOADED, "Character devices:\n195 nvidia-frontend\n" };

	for (size_t i = 0; i < 2; i++) {
		struct host h;
		const char *d = machine(&h, loaded[i]);
		struct stat st;

		if (!can_make(d))
			SKIP("needs the right to make device nodes");
		WORKS(rm_node_make(&h, RM_CTL_MINOR, &e));
		WORKS(rm_node_make(&h, 3, &e));
		WORKS(rm_node_make(&h, 3, &e));		/* it is there now */
		OK(look(&st, d, "/dev/nvidiactl") && S_ISCHR(st.st_mode) && st.st_rdev == makedev(195, 255));
		OK(look(&st, d, "/dev/nvidia3") && S_ISCHR(st.st_mode) && st.st_rdev == makedev(195, 3));
		EQ(st.st_mode & 07777, 0600);
		remove_node(d, "/dev/nvidiactl");
		remove_node(d, "/dev/nvidia3");
		host_close(&h);
	}
}

TEST(node_make_leaves_everything_that_lies_there)
{
	struct host h;
	const char *d = machine(&h, LOADED);
	struct rm_port port;
	struct stat st;

	put_link(d, "/dev/nvidiactl", "target");
	put_file(d, "/dev/nvidia0", "mine");
	WORKS(rm_node_make(&h, RM_CTL_MINOR, &e));
	WORKS(rm_node_make(&h, 0, &e));
	OK(look(&st, d, "/dev/nvidiactl") && S_ISLNK(st.st_mode));
	OK(!look(&st, d, "/dev/target"));
	OK(look(&st, d, "/dev/nvidia0") && S_ISREG(st.st_mode) && st.st_size == 4);
	/* and what lies there is judged when it is opened */
	struct err e = { 0 };

	if (!rm_port_open_making(&port, &h, &e)) {
		EQ(port.open(port.arg, RM_CTL_MINOR, &e), -1);
		HAS(e.msg, "symbolic link");
		EQ(port.open(port.arg, 0, &e), -1);
		HAS(e.msg, "regular file");
	}
	host_close(&h);
}

TEST(node_make_wants_the_driver_to_be_loaded)
{
	static const char *const v[] = { NULL, "", "Character devices:\n  1 mem\n", "Character devices:\n 1195 nvidia\n195 other\n",
					 "Character devices:\n  1 mem\n\nBlock devices:\n195 nvidia\n" };

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct host h;
		const char *d = machine(&h, v[i]);
		struct stat st;

		FAILS(rm_node_make(&h, RM_CTL_MINOR, &e), EC_ABSENT);
		OK(!look(&st, d, "/dev/nvidiactl"));
		host_close(&h);
	}
}

TEST(node_make_makes_nothing_below_a_sysroot)
{
	struct host h;
	const char *d = machine(&h, LOADED);
	struct rm_port port;
	struct stat st;

	h.simulated = true;
	WORKS(rm_node_make(&h, RM_CTL_MINOR, &e));
	OK(!look(&st, d, "/dev/nvidiactl"));
	FAILS(rm_port_open_making(&port, &h, &e), EC_ABSENT);
	host_close(&h);
}

TEST(node_make_does_not_follow_a_linked_folder)
{
	struct host h;
	const char *d = tmpdir();
	struct stat st;

	put_file(d, "/proc/devices", LOADED);
	put_file(d, "/elsewhere/x", "");
	put_link(d, "/dev", "elsewhere");
	host_init(&h);
	WORKS(host_set_sysroot(&h, d, &e));
	h.simulated = false;
	EQ(rm_node_make(&h, RM_CTL_MINOR, &(struct err){ 0 }), -1);
	OK(!look(&st, d, "/elsewhere/nvidiactl"));
	host_close(&h);
}

TEST(queries_make_no_node)
{
	struct host h;
	const char *d = machine(&h, LOADED);
	struct rm_port port;
	struct stat st;

	FAILS(rm_port_open(&port, &h, &e), EC_ABSENT);
	OK(!look(&st, d, "/dev/nvidiactl"));
	host_close(&h);
}
