/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_INFER_LAUNCH_H
#define CVMBOX_INFER_LAUNCH_H

/* Starts an external inference engine with the least it needs and stays with it until it ends.
 *
 * The engine gets: descriptors 0 to 2 and, if the model is a memory file, descriptor LAUNCH_MODEL_FD, open for reading; an environment of
 * allowed names only; a session of its own; no capabilities, and none to be had again (bounding and ambient set empty, no_new_privs);
 * umask 077; no core dumps; SIGKILL when this process dies.  SIGTERM, SIGINT, SIGQUIT and SIGHUP that reach this process go to the
 * engine's whole group; after the first three it has grace_ms to end before SIGKILL. */

#include "base/host.h"
#include "base/opt.h"

#define LAUNCH_MODEL_FD 3
#define LAUNCH_MODEL_PATH "/proc/self/fd/3"

struct launch {
	char *const *argv;		/* command and arguments, NULL ended; every {model} in them becomes the path */
	const char *model_path;		/* a path on disk; NULL: the memory file */
	int model_fd;			/* the memory file; -1: none */
	const char *user;		/* NAME, UID or UID:GID; NULL: stay who we are */
	const struct opt_list *env;	/* further variables: NAME (as here) or NAME=VALUE */
	int64_t grace_ms;		/* 0: 30 s */
};
/* Returns when the engine has ended; status: its exit status, or 128 + n if signal n ended it.  -1: it was never started (EC_USAGE,
 * EC_ABSENT: no such program or user; EC_IO). */
int launch_run(int *status, const struct host *h, const struct launch *l, struct err *e);

#endif
