/* SPDX-License-Identifier: Apache-2.0 */
/* containers-policy.json: strict reading, the most specific scope, names and identities. */

#include "image/policy.h"
#include "test.h"

static int parse(const char *text, struct err *e)
{
	AUTO_IMAGE_POLICY *p = NULL;

	return image_policy_parse(&p, slice_str(text), e);
}

TEST(policy_that_is_good_is_read)
{
	static const char *const good[] = {
		"{\"default\":[{\"type\":\"reject\"}]}", "{\"default\":[]}",
		"{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"new-one\":{\"any thing\":[{\"type\":\"reject\"}]}}}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyDatas\":[\"YQ==\",\"Yg==\"],\"signedIdentity\":{\"type\":\"remapIdentity\",\"prefix\":\"a.io/x\",\"signedPrefix\":\"b.io\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{\"caPath\":\"/a\",\"oidcIssuer\":\"i\",\"subjectEmail\":\"m\"},\"rekorPublicKeyPath\":\"/r\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"pki\":{\"caRootsPath\":\"/a\",\"subjectHostname\":\"h\"}}]}",
		"{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci\":{\"/srv/images\":[{\"type\":\"reject\"}]},\"docker\":{\"*.example.com\":[{\"type\":\"reject\"}]}}}",
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		WORKS(parse(good[i], &e));
}

TEST(policy_with_anything_unknown_is_refused_as_a_whole)
{
	static const char *const bad[] = {
		"", "{}", "[]", "{\"default\":{}}", "{\"default\":[{}]}", "{\"default\":[7]}", "{\"default\":[{\"type\":7}]}",
		"{\"default\":[{\"type\":\"accept\"}]}", "{\"default\":[{\"type\":\"reject\"}],\"default\":[]}",
		"{\"default\":[{\"type\":\"reject\"}],\"more\":1}", "{\"default\":[{\"type\":\"reject\"}]} x",
		"{\"default\":[{\"type\":\"reject\",\"x\":1}]}", "{\"default\":[{\"type\":\"insecureAcceptAnything\",\"keyPath\":\"/a\"}]}",
		"{\"default\":[],\"transports\":[]}", "{\"default\":[],\"transports\":{\"oci\":[]}}",
		"{\"default\":[],\"transports\":{\"oci\":{\"\":{}}}}",
		"{\"default\":[],\"transports\":{\"oci\":{\"relative\":[]}}}", "{\"default\":[],\"transports\":{\"oci\":{\"/\":[]}}}",
		"{\"default\":[],\"transports\":{\"oci\":{\"/a/\":[]}}}", "{\"default\":[],\"transports\":{\"oci\":{\"/a/../b\":[]}}}",
		"{\"default\":[],\"transports\":{\"oci\":{\"/a//b\":[]}}}", "{\"default\":[],\"transports\":{\"oci\":{\"/a/.\":[]}}}",
		"{\"default\":[],\"transports\":{\"docker\":{\"*.a.io/x\":[]}}}",
		"{\"default\":[],\"transports\":{\"oci\":{\"/a\":[{\"type\":\"wrong\"}]}}}",
		"{\"default\":[{\"type\":\"sigstoreSigned\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"keyData\":\"YQ==\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":7}]}", "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[]}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":[\"/a\"]}]}", "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":\"/a\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"/a\",7]}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"keypath\":\"/b\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"signedIdentity\":{\"type\":\"matchAll\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"signedIdentity\":{\"type\":\"matchExact\",\"x\":1}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"signedIdentity\":{\"type\":\"exactReference\",\"dockerReference\":\"a.io/b\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"a.io/b:1\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"signedIdentity\":{\"type\":\"remapIdentity\",\"prefix\":\"a.io/b:1\",\"signedPrefix\":\"b.io\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/a\",\"rekorPublicKeyPath\":\"/r\",\"rekorPublicKeyData\":\"YQ==\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{\"caPath\":\"/a\",\"oidcIssuer\":\"i\",\"subjectEmail\":\"m\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{\"caPath\":\"/a\",\"subjectEmail\":\"m\"},\"rekorPublicKeyPath\":\"/r\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"pki\":{\"caRootsPath\":\"/a\"}}]}",
		"{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}]}", "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"X\",\"keyPath\":\"/a\"}]}",
		"{\"default\":[{\"type\":\"signedBaseLayer\"}]}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };

		if (parse(bad[i], &e) != -1 || e.code != EC_FORMAT)
			test_fail(__FILE__, __LINE__, "%s: code %d '%s'", bad[i], e.code, e.msg);
	}
}

#define SCOPE(s) "\"" s "\":[{\"type\":\"reject\"}]"

static void selects(const struct image_policy *p, const char *transport, const char *identity, const char *scope)
{
	const struct requirements *r = image_policy_select(p, transport, identity);

	if (!scope)
		OK(!r->scope);
	else
		STR(r->scope, scope);
}

TEST(policy_the_most_specific_scope_decides)
{
	AUTO_IMAGE_POLICY *p = NULL;

	WORKS(image_policy_parse(&p, SLICE("{\"default\":[],\"transports\":{\"docker\":{" SCOPE("example.com:8443/ns/app:1") ","
		SCOPE("example.com:8443/ns/app") "," SCOPE("example.com:8443/ns") "," SCOPE("example.com") "," SCOPE("*.org") ","
		SCOPE("*.b.org") "},\"oci\":{" SCOPE("/srv/a") "," SCOPE("/srv") "," SCOPE("") "},\"oci-archive\":{" SCOPE("/srv/a") "}}}"), &e));
	selects(p, "docker", "example.com:8443/ns/app:1", "example.com:8443/ns/app:1");
	selects(p, "docker", "example.com:8443/ns/app:2", "example.com:8443/ns/app");
	selects(p, "docker", "example.com:8443/ns/app@sha256:00", "example.com:8443/ns/app");
	selects(p, "docker", "example.com:8443/ns/application:1", "example.com:8443/ns");
	selects(p, "docker", "example.com:8443/other:1", NULL);		/* a scope without port does not cover a port */
	selects(p, "docker", "example.com/other:1", "example.com");
	selects(p, "docker", "x.a.org/i:1", "*.org");
	selects(p, "docker", "x.b.org:5000/i:1", "*.b.org");
	selects(p, "docker", "b.org/i:1", "*.org");
	selects(p, "docker", "org/i:1", NULL);
	selects(p, "oci", "/srv/a", "/srv/a");
	selects(p, "oci", "/srv/a/b/c", "/srv/a");
	selects(p, "oci", "/srv/ab", "/srv");
	selects(p, "oci", "/tmp/x", "");
	selects(p, "oci", "/", "");
	selects(p, "oci-archive", "/srv/a", "/srv/a");
	selects(p, "oci-archive", "/srv/b", NULL);
	selects(p, "dir", "/srv/a", NULL);
}

TEST(policy_vectors_parse)
{
	static const char *const names[] = { "images/policy/containers-image-policy.json", "images/policy/image-rs-policy.json" };

	NEED_VECTORS;
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF text = { 0 };
		AUTO_IMAGE_POLICY *p = NULL;

		load_vec(&text, names[i]);
		WORKS(image_policy_parse(&p, buf_view(&text), &e));
		selects(p, "docker", "example.com/hardened:1", "example.com/hardened");
		selects(p, "docker", "a.access.redhat.com/x:1", "*.access.redhat.com");
		selects(p, "dir", "/any", "");
		selects(p, "oci", "/any", NULL);
	}
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

TEST(name_normalises_like_docker)
{
	static const struct {
		const char *in, *out;
	} ok[] = { { "alpine", "docker.io/library/alpine" }, { "a/b:1", "docker.io/a/b:1" }, { "localhost/x", "localhost/x" },
		   { "index.docker.io/x", "docker.io/library/x" }, { "h:5000/a/b_c__d-e.f:Tag", "h:5000/a/b_c__d-e.f:Tag" },
		   { "h.io/a@sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		     "h.io/a@sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" } };
	static const char *const bad[] = { "", "A", "h.io/A", "h.io/", "h.io//a", "/a", "h.io/a:", "h.io/a@md5:00", "h.io/a___b", "h.io/a..b",
					   "h.io/-a", "h.io/a-", "-h.io/a", "h.io:x/a", "h.io/a:.t", "h.io/a b",
					   "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" };

	for (size_t i = 0; i < sizeof ok / sizeof ok[0]; i++) {
		AUTO_NAME n = { 0 };
		AUTO_BUF b = { 0 };

		WORKS(name_parse(&n, ok[i].in, true, &e));
		name_text(&b, &n);
		STR(buf_cstr(&b), ok[i].out);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_NAME n = { 0 };

		if (name_parse(&n, bad[i], true, NULL) != -1)
			test_fail(__FILE__, __LINE__, "'%s' was taken for a name", bad[i]);
	}
}

static char kept[2][64];

static struct identity identity(enum identity_kind k, const char *a, const char *b)
{
	snprintf(kept[0], sizeof kept[0], "%s", a ? a : "");
	snprintf(kept[1], sizeof kept[1], "%s", b ? b : "");
	return (struct identity){ k, a ? kept[0] : NULL, b ? kept[1] : NULL };
}

TEST(identity_rules_decide)
{
#define DG "@sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	static const struct {
		enum identity_kind k;
		const char *a, *b, *intended, *got;
		bool ok;
	} cases[] = {
		{ MATCH_EXACT, 0, 0, "a.io/x:1", "a.io/x:1", true }, { MATCH_EXACT, 0, 0, "a.io/x:1", "a.io/x:2", false },
		{ MATCH_EXACT, 0, 0, "a.io/x", "a.io/x", false }, { MATCH_EXACT, 0, 0, "alpine:1", "docker.io/library/alpine:1", true },
		{ MATCH_REPO_DIGEST_OR_EXACT, 0, 0, "a.io/x:1", "a.io/x:1", true },
		{ MATCH_REPO_DIGEST_OR_EXACT, 0, 0, "a.io/x" DG, "a.io/x:1", true },
		{ MATCH_REPO_DIGEST_OR_EXACT, 0, 0, "a.io/x" DG, "a.io/y:1", false },
		{ MATCH_REPO_DIGEST_OR_EXACT, 0, 0, "a.io/x" DG, "a.io/x", false },	/* cosign's form */
		{ MATCH_REPO_DIGEST_OR_EXACT, 0, 0, "a.io/x", "a.io/x:1", false },
		{ MATCH_REPOSITORY, 0, 0, "a.io/x:1", "a.io/x", true }, { MATCH_REPOSITORY, 0, 0, "a.io/x:1", "a.io/x/y", false },
		{ EXACT_REFERENCE, "a.io/x:1", 0, NULL, "a.io/x:1", true }, { EXACT_REFERENCE, "a.io/x:1", 0, NULL, "a.io/x:2", false },
		{ EXACT_REFERENCE, "a.io/x:1", 0, NULL, "a.io/x", false },
		{ EXACT_REPOSITORY, "a.io/x", 0, NULL, "a.io/x", true }, { EXACT_REPOSITORY, "a.io/x", 0, NULL, "a.io/x:9", true },
		{ EXACT_REPOSITORY, "a.io/x", 0, NULL, "b.io/x", false }, { EXACT_REPOSITORY, "a.io/x", 0, NULL, "not a name", false },
		{ REMAP_IDENTITY, "m.io/v", "v.io", "m.io/v/app:1", "v.io/app:1", true },
		{ REMAP_IDENTITY, "m.io/v", "v.io", "m.io/vv/app:1", "v.io/app:1", false },
		{ REMAP_IDENTITY, "m.io/v", "v.io", "m.io/vv/app:1", "m.io/vv/app:1", true },
		{ MATCH_REPOSITORY, 0, 0, NULL, "a.io/x", false }, { MATCH_EXACT, 0, 0, NULL, "a.io/x:1", false },
		{ MATCH_REPO_DIGEST_OR_EXACT, 0, 0, NULL, "a.io/x:1", false }, { REMAP_IDENTITY, "m.io", "v.io", NULL, "v.io/x:1", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct identity id = identity(cases[i].k, cases[i].a, cases[i].b);
		AUTO_NAME n = { 0 };
		struct err e = { 0 };
		int rc;

		if (cases[i].intended)
			WORKS(name_parse(&n, cases[i].intended, true, &e));
		rc = identity_check(&id, cases[i].intended ? &n : NULL, cases[i].got, &e);
		if ((rc == 0) != cases[i].ok || (rc && e.code != EC_REFUSED))
			test_fail(__FILE__, __LINE__, "case %zu: rc %d code %d '%s'", i, rc, e.code, e.msg);
	}
}
