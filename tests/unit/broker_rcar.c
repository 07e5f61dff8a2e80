/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the key broker against our server and against servers that answer badly. */

#include <pthread.h>
#include <unistd.h>

#include "base/outfile.h"
#include "broker/key.h"
#include "broker/protocol.h"
#include "broker/rcar.h"
#include "broker/server.h"
#include "crypto/jose.h"
#include "crypto/x509.h"
#include "gpu_sim.h"
#include "net/http.h"
#include "test.h"

struct server {
	struct host h;
	struct kbs_store *store;
	struct policy *policy;
	struct kbs *k;
	struct buf cert;
	struct secret key;
	pthread_t thread;
	int stop[2], up[2];
	char url[128];
	int rc;
	struct err e;
	/* a server that answers by script instead of a broker */
	void (*script)(struct server *s, const struct httpd_request *q, struct httpd_reply *r);
	int auths, fetches;
};

static void is_up(void *arg, const char *url)
{
	struct server *s = arg;

	snprintf(s->url, sizeof s->url, "%s", url);
	if (write(s->up[1], "", 1) != 1)
		abort();
}

static void scripted(void *arg, const struct httpd_request *q, struct httpd_reply *r)
{
	struct server *s = arg;

	s->script(s, q, r);
}

static void *run(void *arg)
{
	struct server *s = arg;

	if (s->script)
		s->rc = httpd_run(&(const struct httpd){ .listen = "127.0.0.1:0", .max_body = 65536, .handle = scripted,
							  .ready = is_up, .arg = s, .stop_fd = s->stop[0] }, &s->h, &s->e);
	else
		s->rc = kbs_serve(s->k, &(const struct kbs_listen){ .address = "127.0.0.1:0", .tls_cert = buf_view(&s->cert),
								     .tls_key = secret_view(&s->key), .stop_fd = s->stop[0],
								     .ready = is_up, .arg = s }, &s->h, &s->e);
	if (s->rc) {
		test_fail(__FILE__, __LINE__, "server: %s", s->e.msg);
		if (write(s->up[1], "", 1) != 1)
			abort();
	}
	return NULL;
}

static void start(struct server *s)
{
	char c;

	OK(!pipe(s->stop) && !pipe(s->up));
	OK(!pthread_create(&s->thread, NULL, run, s));
	OK(read(s->up[0], &c, 1) == 1);
}

static void put(struct server *s, const char *as, const char *text)
{
	struct resource_name n;
	AUTO_SECRET v = { 0 };

	WORKS(resource_name_parse(&n, slice_str(as), &e));
	WORKS(secret_from(&v, slice_str(text), &e));
	WORKS(kbs_store_put(s->store, &n, &v, true, &e));
}

static void broker_up(struct server *s, const char *policy)
{
	char dir[256];

	host_init(&s->h);
	snprintf(dir, sizeof dir, "%s/store", tmpdir());
	WORKS(kbs_store_open(&s->store, dir, true, &e));
	put(s, "default/key/1", "first");
	put(s, "default/key/2", "second");
	WORKS(policy_parse(&s->policy, slice_str(policy), "test", &e));
	WORKS(kbs_new(&s->k, &(const struct kbs_opts){ .host = &s->h, .store = s->store, .policy = s->policy,
							.allow_sample = true }, &e));
	start(s);
}

static void down(struct server *s)
{
	OK(write(s->stop[1], "", 1) == 1);
	pthread_join(s->thread, NULL);
	EQ(s->rc, 0);
	for (int i = 0; i < 2; i++) {
		close(s->stop[i]);
		close(s->up[i]);
	}
	kbs_free(s->k);
	policy_free(s->policy);
	kbs_store_close(s->store);
	buf_free(&s->cert);
	secret_wipe(&s->key);
	host_close(&s->h);
}

#define ANY_SAMPLE "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"sample\"]}"

static struct key_env env_of(const struct server *s)
{
	return (struct key_env){ .url = s->url, .tee = "sample" };
}

/* --- against our broker ----------------------------------------------------------------------------------- */

static void fetches_with(int key_type)
{
	struct server s = { 0 };
	AUTO_SECRET v = { 0 };
	struct key_env env;

	broker_up(&s, ANY_SAMPLE);
	env = env_of(&s);
	env.key_type = key_type;
	WORKS(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e));
	OK(secret_eq(&v, SLICE("first")));
	FAILS(key_get(&v, &s.h, &env, "kbs:///default/key/1", 4, &e), EC_FORMAT);
	down(&s);
}

TEST(rcar_fetches_with_an_ec_key)
{
	fetches_with(0);
}

TEST(rcar_fetches_with_an_rsa_key)
{
	fetches_with(1);
}

TEST(rcar_fetches_several_under_one_attestation)
{
	struct server s = { 0 };
	struct secret v[2] = { { 0 }, { 0 } };
	static const char *const uris[] = { "kbs:///default/key/2", "kbs://ignored/default/key/1" };
	static const char *const one_missing[] = { "kbs:///default/key/2", "kbs:///default/key/none" };
	struct key_env env;

	broker_up(&s, ANY_SAMPLE);
	env = env_of(&s);
	WORKS(key_get_many(v, 2, &s.h, &env, uris, &e));
	OK(secret_eq(&v[0], SLICE("second")));
	OK(secret_eq(&v[1], SLICE("first")));
	FAILS(key_get_many(v, 2, &s.h, &env, one_missing, &e), EC_DENIED);
	OK(!v[0].n && !v[1].n);		/* all or nothing */
	down(&s);
}

TEST(rcar_quotes_the_broker_and_says_what_to_do)
{
	struct server s = { 0 };
	AUTO_SECRET v = { 0 };
	struct err e = { 0 };
	struct key_env env;

	broker_up(&s, "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"sample\"],\"resources\":[{\"path\":\"default/key/1\"},"
		      "{\"path\":\"default/key/none\"}]}");
	env = env_of(&s);
	EQ(key_get(&v, &s.h, &env, "kbs:///default/key/none", 100, &e), -1);
	EQ(e.code, EC_DENIED);
	HAS(e.msg, "cannot fetch 'kbs:///default/key/none': broker 'http://127.0.0.1:");
	HAS(e.msg, "answered 404 PluginInternalError: 'Plugin internal error: resource 'default/key/none' is not in the store'");
	HAS(e.hint, "no such resource");
	EQ(key_get(&v, &s.h, &env, "kbs:///default/key/2", 100, &e), -1);
	EQ(e.code, EC_DENIED);
	HAS(e.msg, "401 PolicyDeny");
	HAS(e.hint, "the token says: cpu0 ");
	EQ(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e), 0);
	down(&s);
}

TEST(rcar_says_why_evidence_was_refused)
{
	struct server s = { 0 };
	AUTO_SECRET v = { 0 };
	struct err e = { 0 };
	struct key_env env;

	broker_up(&s, "{\"schema\":\"cvmbox.policy/1\",\"kinds\":[\"sample\"],\"measurements\":[\"fffff\"]}");
	env = env_of(&s);
	EQ(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e), -1);
	EQ(e.code, EC_DENIED);
	HAS(e.msg, "cannot attest: broker ");
	HAS(e.msg, "sample.measurement");
	HAS(e.hint, "TEE 'sample'");
	OK(!v.n);
	down(&s);
}

TEST(rcar_never_falls_back_to_sample)
{
	struct server s = { 0 };
	AUTO_SECRET v = { 0 };
	struct key_env env;
	char root[256];

	broker_up(&s, ANY_SAMPLE);
	env = env_of(&s);
	env.tee = NULL;
	snprintf(root, sizeof root, "%s", tmpdir());	/* a machine without any device */
	WORKS(host_set_sysroot(&s.h, root, &e));
	FAILS(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e), EC_ABSENT);
	down(&s);
}

TEST(rcar_passport_uses_a_token_file)
{
	struct server s = { 0 };
	struct rcar *r = NULL;
	AUTO_SECRET file = { 0 }, v = { 0 };
	char path[256];
	struct key_env env;

	broker_up(&s, ANY_SAMPLE);
	env = env_of(&s);
	WORKS(rcar_attest(&r, &s.h, &env, &e));
	WORKS(rcar_token_file(&file, r, &e));
	rcar_free(r);
	snprintf(path, sizeof path, "%s/token", tmpdir());
	WORKS(key_put(&file, &s.h, path, false, &e));
	env.token = path;
	env.tee = NULL;
	WORKS(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e));
	OK(secret_eq(&v, SLICE("first")));
	s.h.has_now = true;			/* an hour later */
	s.h.now_fixed = 4000000000;
	{
		struct err e = { 0 };

		EQ(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e), -1);
		EQ(e.code, EC_DENIED);
		HAS(e.msg, "TokenVerifierError");
		HAS(e.hint, "cvmbox attest token");
	}
	FAILS(rcar_from_token(&r, &s.h, &env, SLICE("{}"), &e), EC_FORMAT);
	FAILS(rcar_from_token(&r, &s.h, &env, SLICE("{\"token\":\"a.b.c\",\"tee_keypair\":\"x\"}"), &e), EC_FORMAT);
	FAILS(rcar_from_token(&r, &s.h, &env, SLICE("not json"), &e), EC_FORMAT);
	down(&s);
}

/* --- over TLS ------------------------------------------------------------------------------------------------- */

TEST(rcar_trusts_only_the_given_ca)
{
	struct server s = { 0 };
	AUTO_PRIVKEY ca_key = { 0 }, key = { 0 }, rogue_key = { 0 };
	AUTO_BUF ca = { 0 }, leaf = { 0 }, rogue = { 0 };
	AUTO_CERTS certs = { 0 };
	AUTO_SECRET v = { 0 };
	char ca_file[256], rogue_file[256];
	struct key_env env;
	const int64_t now = host_now(&(const struct host){ 0 });

	WORKS(privkey_generate(&ca_key, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&key, KEY_EC_P256, 0, &e));
	WORKS(privkey_generate(&rogue_key, KEY_EC_P256, 0, &e));
	WORKS(cert_make(&ca, &(const struct cert_make){ .subject = "CN=Test CA", .key = &ca_key, .ca = true,
							 .not_before = now - 60, .not_after = now + 3600 }, &e));
	WORKS(cert_make(&rogue, &(const struct cert_make){ .subject = "CN=Test CA", .key = &rogue_key, .ca = true,
							    .not_before = now - 60, .not_after = now + 3600 }, &e));
	WORKS(certs_parse(&certs, buf_view(&ca), &e));
	WORKS(cert_make(&leaf, &(const struct cert_make){ .subject = "CN=broker", .key = &key, .issuer = &certs.v[0],
							   .issuer_key = &ca_key, .not_before = now - 60,
							   .not_after = now + 3600, .ip = "127.0.0.1" }, &e));
	WORKS(privkey_pem(&s.key, &key, &e));
	buf_slice(&s.cert, buf_view(&leaf));
	snprintf(ca_file, sizeof ca_file, "%s/ca.pem", tmpdir());
	snprintf(rogue_file, sizeof rogue_file, "%s/rogue.pem", tmpdir());
	WORKS(outfile_write(ca_file, buf_view(&ca), 0600, false, &e));
	WORKS(outfile_write(rogue_file, buf_view(&rogue), 0600, false, &e));
	broker_up(&s, ANY_SAMPLE);
	HAS(s.url, "https://127.0.0.1:");
	env = env_of(&s);
	env.ca = ca_file;
	WORKS(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e));
	OK(secret_eq(&v, SLICE("first")));
	env.ca = rogue_file;
	FAILS(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e), EC_REFUSED);
	env.ca = "/nonexistent.pem";
	FAILS(key_get(&v, &s.h, &env, "kbs:///default/key/1", 100, &e), EC_IO);
	down(&s);
}

/* --- against servers that answer badly ------------------------------------------------------------------------- */

static void reply(struct httpd_reply *r, int status, const char *body)
{
	r->status = status;
	r->content_type = "application/json";
	buf_puts(&r->body, body);
}

static void script_up(struct server *s, void (*f)(struct server *, const struct httpd_request *, struct httpd_reply *))
{
	host_init(&s->h);
	s->script = f;
	start(s);
}

static void fails_with(void (*f)(struct server *, const struct httpd_request *, struct httpd_reply *), enum ec code,
		       const char *part, const char *hint)
{
	struct server s = { 0 };
	AUTO_SECRET v = { 0 };
	struct err e = { 0 };
	struct key_env env;

	script_up(&s, f);
	env = env_of(&s);
	EQ(key_get(&v, &s.h, &env, "kbs:///a/b/c", 100, &e), -1);
	EQ(e.code, code);
	HAS(e.msg, part);
	HAS(e.hint, hint);
	down(&s);
}

static void old_server(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 401, "{\"type\":\"" KBS_ERRORS "AttestationError\",\"detail\":\"Attestation error: RCAR handshake Auth failed: "
		      "KBS Client Protocol Version Mismatch: expect =0.2.0 while the request is 0.4.0\"}");
}

static void no_broker(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 404, "<html>not here</html>");
}

static void not_json(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 200, "<html>welcome</html>");
}

static void overloaded(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 503, "{\"type\":\"x/Busy\",\"detail\":\"come back\"}");
	buf_puts(&r->headers, "Retry-After: 9\r\n");
}

static void elsewhere(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 307, "");
	buf_puts(&r->headers, "Location: http://192.0.2.1/\r\n");
}

static void no_cookie(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 200, "{\"nonce\":\"AAAA\",\"extra-params\":\"\"}");
}

static void odd_cookie(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	no_cookie(s, q, r);
	buf_puts(&r->headers, "Set-Cookie: kbs-session-id=a\tb; Expires=x\r\n");
}

static void odd_hash(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 200, "{\"nonce\":\"AAAA\",\"extra-params\":{\"selected-hash-algorithm\":\"md5\"}}");
	buf_puts(&r->headers, "Set-Cookie: kbs-session-id=00112233445566778899aabbccddeeff\r\n");
}

static void no_nonce(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	(void)s, (void)q;
	reply(r, 200, "{\"nonce\":\"\",\"extra-params\":\"\"}");
}

static void good_auth(struct server *s, struct httpd_reply *r)
{
	s->auths++;
	reply(r, 200, "{\"nonce\":\"AAAA\",\"extra-params\":\"\"}");
	buf_puts(&r->headers, "Set-Cookie: kbs-session-id=00112233445566778899aabbccddeeff; Expires=x\r\n");
}

static void odd_token(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	if (strstr(q->path, "/auth"))
		good_auth(s, r);
	else
		reply(r, 200, "{\"token\":\"not.a.token\"}");
}

#define SOME_TOKEN "{\"token\":\"eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.AAAA\"}"

static void forgetful(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	if (strstr(q->path, "/auth"))
		good_auth(s, r);
	else if (strstr(q->path, "/attest"))
		reply(r, 200, SOME_TOKEN);
	else {
		s->fetches++;
		reply(r, 401, "{\"type\":\"" KBS_ERRORS "TokenNotFound\",\"detail\":\"Attestation Token not found\"}");
	}
}

static void bad_jwe(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	if (strstr(q->path, "/resource/"))
		reply(r, 200, "{\"protected\":\"e30\",\"encrypted_key\":\"\",\"iv\":\"\",\"ciphertext\":\"\",\"tag\":\"\"}");
	else
		forgetful(s, q, r);
}

/* Seals the resource to a key of its own making, as somebody in the middle would. */
static void wrong_key(struct server *s, const struct httpd_request *q, struct httpd_reply *r)
{
	AUTO_JSON *jwk = json_object();
	AUTO_PRIVKEY k = { 0 };
	AUTO_PUBKEY pub = { 0 };

	if (!strstr(q->path, "/resource/")) {
		forgetful(s, q, r);
		return;
	}
	WORKS(privkey_generate(&k, KEY_EC_P256, 0, &e));
	WORKS(privkey_public(&pub, &k, &e));
	WORKS(jwk_write(jwk, &pub, "ECDH-ES+A256KW", &e));
	WORKS(jwe_seal(&r->body, jwk, SLICE("forged"), &e));
	r->status = 200;
}

TEST(rcar_names_both_versions_on_a_mismatch)
{
	fails_with(old_server, EC_DENIED, "expect =0.2.0", "the broker wants protocol 0.2.0, this cvmbox speaks 0.4.0");
}

TEST(rcar_refuses_bad_answers)
{
	fails_with(no_broker, EC_DENIED, "answered 404 without saying why", "really a key broker");
	fails_with(not_json, EC_FORMAT, "is not JSON", "really a key broker");
	fails_with(overloaded, EC_IO, "answered 503 Busy: 'come back'", "again in 9 seconds");
	fails_with(elsewhere, EC_DENIED, "answered 307", "");
	fails_with(no_cookie, EC_FORMAT, "no session cookie", "");
	fails_with(odd_cookie, EC_FORMAT, "malformed session cookie", "");
	fails_with(odd_hash, EC_FORMAT, "chose hash 'md5'", "");
	fails_with(no_nonce, EC_FORMAT, "nonce has 0 bytes", "");
	fails_with(odd_token, EC_FORMAT, "cannot use the token", "");
	fails_with(bad_jwe, EC_FORMAT, "cannot decrypt 'kbs:///a/b/c'", "");
	fails_with(wrong_key, EC_REFUSED, "cannot decrypt 'kbs:///a/b/c'", "");
}

TEST(rcar_attests_again_once_and_not_more)
{
	struct server s = { 0 };
	AUTO_SECRET v = { 0 };
	struct key_env env;

	script_up(&s, forgetful);
	env = env_of(&s);
	FAILS(key_get(&v, &s.h, &env, "kbs:///a/b/c", 100, &e), EC_DENIED);
	EQ(s.auths, 2);
	EQ(s.fetches, 2);
	down(&s);
}

TEST(rcar_opens_no_socket_when_offline)
{
	AUTO_SECRET v = { 0 };
	struct key_env env = { .url = "http://127.0.0.1:9", .tee = "sample" };
	struct host h;

	host_init(&h);
	h.offline = true;
	FAILS(key_get(&v, &h, &env, "kbs:///a/b/c", 100, &e), EC_ABSENT);
	h.offline = false;
	env.url = "http://192.0.2.1";		/* in the clear beyond loopback */
	FAILS(key_get(&v, &h, &env, "kbs:///a/b/c", 100, &e), EC_USAGE);
	host_close(&h);
}

static void log_line(void *arg, enum log_level lvl, const char *line)
{
	(void)lvl;
	buf_printf(arg, "%s\n", line);
}

TEST(rcar_log_at_vv_has_no_secret)
{
	struct server s = { 0 };
	struct rcar *r = NULL;
	AUTO_SECRET v = { 0 };
	AUTO_BUF log = { 0 }, token = { 0 };
	struct host h;
	struct key_env env;

	broker_up(&s, ANY_SAMPLE);
	host_init(&h);
	h.verbosity = 2;
	h.log = log_line;
	h.log_arg = &log;
	env = env_of(&s);
	WORKS(rcar_attest(&r, &h, &env, &e));
	WORKS(rcar_get(&v, r, "kbs:///default/key/1", 100, &e));
	WORKS(rcar_token(&token, r, &e));
	rcar_free(r);
	OK(log.n > 0 && token.n > 100);
	OK(!strstr(buf_cstr(&log), "first"));
	OK(!strstr(buf_cstr(&log), "kbs-session-id"));
	OK(!strstr(buf_cstr(&log), buf_cstr(&token)));
	down(&s);
	host_close(&h);
}

/* --- GPUs beside the TEE --------------------------------------------------------------------------------------- */

static char sent[65536], said[1024];
static int requests;

/* Answers the first request with a challenge, and keeps the second one's body. */
static int keep_body(struct http_response *ret, const struct host *h, const struct http_request *q, struct err *e)
{
	(void)h;
	requests++;
	if (!strstr(q->url, "/auth")) {
		snprintf(sent, sizeof sent, "%.*s", (int)q->body.n, (const char *)q->body.p);
		return err_set(e, EC_IO, "enough");
	}
	*ret = (struct http_response){ .status = 200, .retry_after = -1 };
	buf_puts(&ret->body, "{\"nonce\":\"AAAA\",\"extra-params\":\"\"}");
	buf_puts(&ret->set_cookie, "kbs-session-id=1");
	return buf_check(&ret->body, e);
}

static void hear(void *arg, enum log_level lvl, const char *line)
{
	(void)arg;
	if (lvl == LOG_WARN)
		snprintf(said, sizeof said, "%s", line);
}

/* One GPU with the nvidia driver, which answers what is recorded with these capabilities; then an attestation with --gpus WHICH. */
static void attest_beside_gpu(const char *caps, const char *which, struct err *e)
{
	const struct key_env env = { .url = "http://127.0.0.1:1", .tee = "sample", .gpus = which };
	AUTO_BUF text = { 0 };
	const char *d = tmpdir();
	struct rcar *r = NULL;
	struct host h;

	buf_printf(&text, "{\"calls\":[{\"nr\":210,\"in\":\"32\",\"out\":\"32000000010000003538302e31\"},"
		   "{\"nr\":200,\"in\":\"\",\"out\":\"010000000000000000060000de10302306000000\"},{\"nr\":43,\"cls\":65,\"params\":\"\",\"handle\":17},"
		   "{\"nr\":42,\"cmd\":517,\"size\":32,\"in\":\"06\",\"out\":\"06\"},{\"nr\":43,\"cls\":128,\"params\":\"\",\"handle\":18},"
		   "{\"nr\":43,\"cls\":8320,\"params\":\"\",\"handle\":19},{\"nr\":43,\"cls\":52019,\"params\":\"11\",\"handle\":20},"
		   "{\"nr\":42,\"cmd\":629,\"size\":268,\"in\":\"06\",\"status\":86},{\"nr\":42,\"cmd\":\"0x20800110\",\"size\":68,\"in\":\"\",\"out\":\"0000000054\"},"
		   "{\"nr\":42,\"cmd\":\"0x20801701\",\"size\":16,\"in\":\"\",\"out\":\"8001\"},"
		   "{\"nr\":42,\"cmd\":\"0x20800810\",\"size\":124,\"in\":\"0200000000000000000000000100000000\",\"status\":86},"
		   "{\"nr\":42,\"cmd\":\"0xcb330106\",\"size\":24,\"in\":\"13\",\"out\":\"13\"},"
		   "{\"nr\":42,\"cmd\":\"0xcb330101\",\"size\":6,\"in\":\"\",\"out\":\"%s\"},{\"nr\":42,\"cmd\":\"0xcb330104\",\"size\":1,\"in\":\"\",\"out\":\"\"}]}",
		   caps);
	put_pci(d, "0000:00:06.0", "0x10de\n", "0x2330\n", "0x030200\n", "nvidia");
	put_file(d, "/dev/nvidiactl", buf_cstr(&text));
	put_file(d, "/dev/nvidia0", "");
	host_init(&h);
	WORKS(host_set_sysroot(&h, d, &e));
	h.log = hear;
	sent[0] = said[0] = '\0';
	requests = 0;
	EQ(rcar_attest_via(&r, &h, &env, keep_body, e), -1);
	host_close(&h);
}

TEST(rcar_says_which_gpus_it_attests_without)
{
	struct err e = { 0 };

	attest_beside_gpu("0002", NULL, &e);
	HAS(e.msg, "enough");
	HAS(said, "attesting without GPUs: confidential mode is off on GPU 0000:00:06.0");
	HAS(sent, "\"additional_evidence\":\"\"");
}

TEST(rcar_leaves_gpus_out_when_told_to)
{
	struct err e = { 0 };

	attest_beside_gpu("0002", "none", &e);
	HAS(e.msg, "enough");
	STR(said, "");
	HAS(sent, "\"additional_evidence\":\"\"");
}

TEST(rcar_fails_without_a_gpu_that_has_to_be_attested)
{
	struct err e = { 0 };

	attest_beside_gpu("0002", "all", &e);
	EQ(e.code, EC_ABSENT);
	HAS(e.msg, "confidential mode is off on GPU 0000:00:06.0");
	STR(sent, "");
}

/* A confidential GPU that gives no evidence (the recording holds none) must not look like one that is not there. */
TEST(rcar_fails_where_a_confidential_gpu_gives_no_evidence)
{
	struct err e = { 0 };

	attest_beside_gpu("03020202", NULL, &e);
	EQ(e.code, EC_IO);
	HAS(e.msg, "GPU 0000:00:06.0 gives no evidence");
	EQ(requests, 1);
	STR(sent, "");
}
