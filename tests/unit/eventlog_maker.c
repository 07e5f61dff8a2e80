/* SPDX-License-Identifier: Apache-2.0 */
/* See eventlog_maker.h. */

#include <stdio.h>

#include "eventlog_maker.h"
#include "test.h"

const uint8_t log_global_guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };

static enum hash hash_of_id(uint16_t id)
{
	return id == 4 ? HASH_SHA1 : id == 0xb ? HASH_SHA256 : id == 0xc ? HASH_SHA384 : id == 0xd ? HASH_SHA512 : HASH_NONE;
}

void log_head(struct buf *b, const char *signature, const uint16_t *algs, size_t n)
{
	buf_le32(b, 0);
	buf_le32(b, EV_NO_ACTION);
	buf_fill(b, 0, 20);
	buf_le32(b, (uint32_t)(29 + 4 * n));
	buf_puts(b, signature);
	buf_fill(b, 0, 16 - strlen(signature) + 4);
	buf_put(b, "\x00\x02\x00\x02", 4);
	buf_le32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_le16(b, algs[i]);
		buf_le16(b, algs[i] == 0x12 ? 32 : (uint16_t)hash_size(hash_of_id(algs[i])));
	}
	buf_byte(b, 0);
}

void log_event(struct buf *b, uint32_t reg, uint32_t type, const uint16_t *algs, size_t n, struct slice data, struct slice hashed)
{
	buf_le32(b, reg);
	buf_le32(b, type);
	buf_le32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		uint8_t d[HASH_MAX] = { 0 };

		buf_le16(b, algs[i]);
		if (hash_of_id(algs[i]))
			WORKS(hash_of(d, hash_of_id(algs[i]), hashed, &e));
		buf_put(b, d, algs[i] == 0x12 ? 32 : hash_size(hash_of_id(algs[i])));
	}
	buf_le32(b, (uint32_t)data.n);
	buf_slice(b, data);
}

void log_variable(struct buf *ret, const uint8_t *guid, const char *name, struct slice value)
{
	buf_put(ret, guid, 16);
	buf_le64(ret, strlen(name));
	buf_le64(ret, value.n);
	utf8_to_utf16(ret, slice_str(name));
	buf_slice(ret, value);
}

void registers_of(struct registers *ret, struct slice log, enum log_form form, enum hash alg, bool cc)
{
	struct log_events l = { 0 };
	struct reg_state st[LOG_REGS];
	char unused[2 * HASH_MAX + 1];

	*ret = (struct registers){ .cc = cc, .alg = alg };
	WORKS(events_parse(&l, log, form, NULL, &e));
	WORKS(events_replay(st, &l, NULL, alg, cc, NULL, unused, &e));
	for (size_t i = 0; i < (cc ? 5 : 24); i++) {
		ret->v[i].known = true;
		ret->v[i].n = hash_size(alg);
		memcpy(ret->v[i].v, st[i].v, hash_size(alg));
	}
	events_free(&l);
}

static enum rule no_rule(const void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return RULE_DEFAULT;
}

void log_judge(struct log_verdict *ret, const struct registers *regs, const struct slice logs[static N_LOGS], const struct limits *limits)
{
	struct limits strict = { 0 };
	struct expect x = { .limits = limits ? limits : &strict };
	struct stage st = { 0 };
	struct tally t = { 0 };

	*ret = (struct log_verdict){ .list = json_array() };
	memcpy(x.logs, logs, sizeof x.logs);
	WORKS(eventlog_stage(&st, &ret->s, regs, &x, &e));
	if (!st.checks)
		return;
	t.list = ret->list;
	ret->holds = checks_run(&t, st.checks, st.n_checks, st.subject, &st.x, no_rule, NULL);
	ret->warned = t.warned;
	snprintf(ret->reason, sizeof ret->reason, "%s", buf_cstr(&t.reason));
	buf_free(&t.reason);
}

void log_verdict_free(struct log_verdict *v)
{
	json_free(v->list);
	eventlog_free(v->s);
	*v = (struct log_verdict){ 0 };
}

const char *log_result(const struct log_verdict *v, const char *id)
{
	for (const struct json *c = json_first(v->list); c; c = json_next(c))
		if (!strcmp(json_string(json_get(c, "id")), id))
			return json_string(json_get(c, "result"));
	return NULL;
}
