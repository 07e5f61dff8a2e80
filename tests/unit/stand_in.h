/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_STAND_IN_H
#define CVMBOX_STAND_IN_H

/* A service on loopback that knows what a test tells it. */

#include <pthread.h>

#include "base/host.h"
#include "net/httpd.h"

#define ROUTES 16

struct route {			/* what the service knows */
	char path[256];		/* prefix of path?query */
	int status;		/* 0: 200 */
	int busy, busy_status;	/* so many times this first */
	const char *type, *headers;
	struct buf body;
	int asked;
};

struct service {
	struct host h;
	struct httpd d;
	pthread_t thread;
	int stop[2], up[2];
	char url[128];
	struct route v[ROUTES];
	size_t n;
	int requests, slow_ms;
	pthread_mutex_t lock;
	/* Before the routes, under the lock: true where it answered. */
	bool (*answers)(void *arg, const struct httpd_request *q, struct httpd_reply *r);
	void *arg;
};

void service_start(struct service *s, int64_t now);	/* now: of its host, that clients use, too */
void service_stop(struct service *s);
struct route *service_route(struct service *s, const char *path);	/* a new one, zero but for its path */

#endif
