/* SPDX-License-Identifier: Apache-2.0 */
/* See stand_in.h. */

#include <unistd.h>

#include "stand_in.h"
#include "test.h"

static void answer(void *arg, const struct httpd_request *q, struct httpd_reply *r)
{
	struct service *s = arg;
	char all[1024];

	snprintf(all, sizeof all, "%s%s%s", q->path, *q->query ? "?" : "", q->query);
	pthread_mutex_lock(&s->lock);
	s->requests++;
	r->status = 404;
	r->content_type = "text/html";
	buf_puts(&r->body, "<html>no such thing</html>");
	for (size_t i = s->answers && s->answers(s->arg, q, r) ? s->n : 0; i < s->n; i++) {
		struct route *x = &s->v[i];

		if (strncmp(all, x->path, strlen(x->path)))
			continue;
		x->asked++;
		buf_reset(&r->body);
		r->content_type = x->type ? x->type : "application/octet-stream";
		if (x->headers)
			buf_puts(&r->headers, x->headers);
		if (x->busy > 0) {
			x->busy--;
			r->status = x->busy_status ? x->busy_status : 429;
			break;
		}
		r->status = x->status ? x->status : 200;
		buf_slice(&r->body, buf_view(&x->body));
		break;
	}
	pthread_mutex_unlock(&s->lock);
	if (s->slow_ms)
		usleep((useconds_t)s->slow_ms * 1000);
}

static void is_up(void *arg, const char *url)
{
	struct service *s = arg;

	snprintf(s->url, sizeof s->url, "%s", url);
	if (write(s->up[1], "", 1) != 1)
		abort();
}

static void *serve(void *arg)
{
	struct service *s = arg;
	struct err e = { 0 };

	if (httpd_run(&s->d, &s->h, &e) && write(s->up[1], "", 1) != 1)
		abort();
	return NULL;
}

void service_start(struct service *s, int64_t now)
{
	char c;

	host_init(&s->h);
	s->h.has_now = true;
	s->h.now_fixed = now;
	pthread_mutex_init(&s->lock, NULL);
	OK(!pipe(s->stop) && !pipe(s->up));
	s->d = (struct httpd){ .listen = "127.0.0.1:0", .max_body = 4096, .handle = answer, .ready = is_up, .arg = s, .stop_fd = s->stop[0],
			       .timeout_ms = 20000 };
	OK(!pthread_create(&s->thread, NULL, serve, s));
	OK(read(s->up[0], &c, 1) == 1);
}

void service_stop(struct service *s)
{
	OK(write(s->stop[1], "", 1) == 1);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < 2; i++) {
		close(s->stop[i]);
		close(s->up[i]);
	}
	for (size_t i = 0; i < s->n; i++)
		buf_free(&s->v[i].body);
	s->n = 0;
	host_close(&s->h);
}

struct route *service_route(struct service *s, const char *path)
{
	struct route *r = &s->v[s->n++];

	*r = (struct route){ 0 };
	snprintf(r->path, sizeof r->path, "%s", path);
	return r;
}
