/* SPDX-License-Identifier: Apache-2.0 */
/* fetch-key - attest to a key broker and fetch secrets */

#include <sys/stat.h>

#include "base/applet.h"
#include "broker/key.h"
#include "broker/protocol.h"
#include "codec/out.h"

struct args {
	struct key_env kbs;
	struct opt_list output;
	bool force;
};

static const struct opt opts[] = {
	KEY_OPTS(kbs),
	OPT_ENUM(0, "key-type", kbs.key_type, key_type_words, "key that the broker encrypts to: ec (P-256, default) or rsa (OAEP)"),
	OPT_LIST('o', "output", output, "DST", "where the secret goes; once per URI, or one folder (default for one URI: standard output)"),
	OPT_FLAG('f', "force", force, "overwrite existing outputs"),
	OPT_END
};

static bool is_folder(const char *path)
{
	struct stat st;

	return path[strlen(path) - 1] == '/' || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

struct target {
	const char *dst;
	char *own;		/* holds dst where it was put together here */
};

static int folder_target(struct target *ret, const char *dir, const char *uri, struct err *e)
{
	struct resource_name n;

	if (resource_uri_parse(&n, uri, e))
		return -1;
	ret->own = str_printf(e, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", n.part[2]);
	ret->dst = ret->own;
	return ret->own ? 0 : -1;
}

/* Where each secret goes, settled before anything is asked for. */
static int targets(struct target *t, const struct ctx *cx, struct err *e)
{
	const struct args *a = cx->args;
	const size_t n = (size_t)cx->argc;
	const bool folder = a->output.n == 1 && *a->output.v[0] && is_folder(a->output.v[0]);

	if (!folder && a->output.n != n && !(n == 1 && !a->output.n)) {
		err_set(e, EC_USAGE, "%zu resources and %zu outputs are named", n, a->output.n);
		return err_hint(e, "give -o once per resource, in their order, or -o FOLDER");
	}
	for (size_t i = 0; i < n; i++) {
		if (folder && folder_target(&t[i], a->output.v[0], cx->argv[i], e))
			return -1;
		if (!folder)
			t[i].dst = a->output.n ? a->output.v[i] : "-";
		for (size_t j = 0; j < i; j++)
			if (!strcmp(t[i].dst, t[j].dst))
				return err_set(e, EC_USAGE, "two resources would go to '%s'", t[i].dst);
		if (cx->json && !strcmp(t[i].dst, "-"))
			return err_set(e, EC_USAGE, "--json and a secret cannot both go to standard output: give -o DST");
	}
	return 0;
}

static int hand_over(const struct ctx *cx, struct secret *s, const struct target *t, struct err *e)
{
	const struct args *a = cx->args;
	struct json *list = NULL;

	for (int i = 0; i < cx->argc; i++) {
		struct json *o;

		if (key_put(&s[i], cx->host, t[i].dst, a->force, e))
			return -1;
		if (!strcmp(t[i].dst, "-"))
			continue;
		if (!list)
			list = json_add_array(cx->out->claims, "resources");
		o = json_add_object(list, NULL);
		json_add_str(o, "uri", cx->argv[i]);
		json_add_str(o, "output", t[i].dst);
		json_add_u64(o, "size", s[i].n);
		out_text(cx->out, "%s -> %s (%zu bytes)", cx->argv[i], t[i].dst, s[i].n);
		secret_wipe(&s[i]);
	}
	return 0;
}

static int run(const struct ctx *cx, struct err *e)
{
	const struct args *a = cx->args;
	const size_t n = (size_t)cx->argc;
	struct secret *s = calloc(n, sizeof *s);
	struct target *t = calloc(n, sizeof *t);
	int rc = -1;

	if (!s || !t)
		err_oom(e);
	else if (!targets(t, cx, e) &&
		 !key_get_many(s, n, cx->host, &a->kbs, (const char *const *)cx->argv, e))
		rc = hand_over(cx, s, t, e);
	for (size_t i = 0; s && i < n; i++)
		secret_wipe(&s[i]);
	for (size_t i = 0; t && i < n; i++)
		free(t[i].own);
	free(s);
	free(t);
	return rc;
}

static const struct verb *const verbs[] = {
	&(const struct verb){ .summary = "attest to a key broker and fetch secrets", .operands = "kbs:///REPO/TYPE/TAG... [-o DST]", .opts = opts,
	  .args_size = sizeof(struct args), .min_operands = 1, .max_operands = 32, .releases_secrets = true, .run = run },
};

const struct applet applet_fetch_key = {
	.name = "fetch-key",
	.summary = "attest to a key broker and fetch secrets",
	.notes = "Several resources share one attestation.  The broker judges the evidence; what comes back is encrypted to a key "
		 "that exists only in this process.  The sample TEE is used only when --tee sample says so.",
	VERBS(verbs),
};
