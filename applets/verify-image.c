/* SPDX-License-Identifier: Apache-2.0 */
/* verify-image - check every digest and the signatures of an OCI image on disk */

#include "base/applet.h"
#include "broker/key.h"
#include "codec/out.h"
#include "image/content.h"
#include "image/verified.h"

enum { POLICY_MAX = 4 << 20 };

struct args {
	struct key_env kbs;
	const char *policy, *platform;
	struct opt_list keys;
	bool ignore_tlog;
	uint64_t max_size, max_ratio;
};

/* What decides about acceptance is never read from the environment. */
static const struct opt opts[] = {
	{ OPT_KIND_STR, 'p', "policy", offsetof(struct args, policy), "SRC", "policy (containers-policy.json) that has to accept the image",
	  NULL, OPT_F_NOENV },
	{ OPT_KIND_LIST, 'k', "key", offsetof(struct args, keys), "SRC",
	  "public key that has to have signed the image; several: any one of them", NULL, OPT_F_NOENV },
	OPT_STR(0, "platform", platform, "OS/ARCH", "platform to take from an index, e.g. linux/arm64 (default: this machine's)"),
	{ OPT_KIND_SIZE, 0, "max-size", offsetof(struct args, max_size), "SIZE", "all layers together, uncompressed (default: 256G)",
	  NULL, OPT_F_NOENV },
	{ OPT_KIND_UINT, 0, "max-ratio", offsetof(struct args, max_ratio), "N",
	  "how many times a gzip layer may expand, beyond its first 16 MiB (default: 200)", NULL, OPT_F_NOENV },
	OPT_INSECURE("insecure-ignore-tlog", ignore_tlog, "accept sigstore bundles by the key alone: no transparency log is checked"),
	KEY_OPTS(kbs),
	OPT_END
};

struct source {
	const struct host *host;
	const struct key_env *env;
};

/* lib/image asks for keys through this: it does not know the broker. */
static int get_source(void *arg, struct buf *ret, const char *src, size_t max, struct err *e)
{
	const struct source *s = arg;
	AUTO_SECRET bytes = { 0 };

	if (key_get(&bytes, s->host, s->env, src, max, e))
		return -1;
	buf_slice(ret, secret_view(&bytes));
	return buf_check(ret, e);
}

static void describe(const struct ctx *cx, const struct verified_image *v)
{
	struct json *claims = cx->out->claims, *list;
	const struct signer *s;
	const size_t n = verified_image_signers(&s, v);

	json_add_str(claims, "image", cx->argv[0]);
	/* The reference may name an index that nobody signed, around a manifest that somebody did: what counts is what was signed. */
	json_add_str(claims, "digest", n ? s[0].signed_digest.text : verified_image_named(v)->text);
	json_add_str(claims, "named", verified_image_named(v)->text);
	json_add_str(claims, "manifest", verified_image_manifest(v)->text);
	if (*verified_image_platform(v))
		json_add_str(claims, "platform", verified_image_platform(v));
	json_add_bool(claims, "signed", !verified_image_unsigned(v));
	list = json_add_array(claims, "signers");
	for (size_t i = 0; i < n; i++) {
		struct json *o = json_add_object(list, NULL);

		json_add_str(o, "key_sha256", s[i].key_sha256);
		json_add_str(o, "key", s[i].key_source);
		json_add_str(o, "kind", s[i].kind);
		json_add_str(o, "signed_digest", s[i].signed_digest.text);
		if (s[i].name)
			json_add_str(o, "name", s[i].name);
	}
	if (n)
		out_verdict(cx->out, "accepted %s, signed by key %.16s... (%s)", verified_image_manifest(v)->text, s[0].key_sha256,
			    s[0].key_source);
	else
		out_verdict(cx->out, "accepted %s by policy, NOT SIGNED", verified_image_manifest(v)->text);
}

static int verify(const struct ctx *cx, struct image_verify_in *in, struct source *src, struct err *e)
{
	const struct args *a = cx->args;
	AUTO_VERIFIED_IMAGE *v = NULL;
	AUTO_BUF policy = { .max = POLICY_MAX + 1 };

	if (a->policy && get_source(src, &policy, a->policy, POLICY_MAX, e))
		return err_ctx(e, "cannot read policy '%s'", a->policy);
	in->has_policy = a->policy != NULL;
	in->policy = buf_view(&policy);
	if (image_verify(&v, in, cx->out, e))
		return err_ctx(e, "cannot accept '%s'", cx->argv[0]);
	describe(cx, v);
	return 0;
}

static int run(const struct ctx *cx, struct err *e)
{
	const struct args *a = cx->args;
	struct source src = { cx->host, &a->kbs };
	struct image_verify_in in = { .host = cx->host, .keys = a->keys.v, .n_keys = a->keys.n, .getter = { get_source, &src },
				      .ignore_tlog = a->ignore_tlog, .platform_asked = a->platform != NULL,
				      .max_size = a->max_size, .max_ratio = a->max_ratio };
	int rc;

	platform_here(&in.platform);
	if (a->platform && platform_parse(&in.platform, a->platform, e))
		return -1;
	if (image_ref_parse(&in.ref, cx->argv[0], e))
		return -1;
	rc = verify(cx, &in, &src, e);
	if (rc && e->code != EC_USAGE)
		out_verdict(cx->out, e->code == EC_REFUSED ? "REFUSED" : "NOT ACCEPTED");
	image_ref_free(&in.ref);
	return rc;
}

static const struct verb *const verbs[] = {
	&(const struct verb){ .summary = "check every digest and the signatures of an OCI image on disk",
	  .operands = "oci:DIR[:TAG][@DIGEST]|oci-archive:FILE[:TAG][@DIGEST]", .opts = opts, .args_size = sizeof(struct args),
	  .min_operands = 1, .max_operands = 1, .run = run },
};

const struct applet applet_verify_image = {
	.name = "verify-image",
	.summary = "check every digest and the signatures of an OCI image on disk",
	.notes = "Accepted is what --policy accepts and what one of the keys signed; without either nothing is.  Every digest from the "
		 "named index or manifest down to the layers is compared with the bytes.  With --key alone the name inside the signature "
		 "is shown but not checked: a policy's signedIdentity does that.",
	VERBS(verbs),
};
