/* SPDX-License-Identifier: Apache-2.0 */
/* `openssl enc`: "Salted__" || salt (8) || ciphertext.  Model-formats.md 1.
 *
 * Nothing in the file names cipher, digest or rounds, and nothing authenticates the data: a wrong key shows only by
 * chance, a changed byte not at all.  Read, never written. */

#include "model/openssl_enc.h"

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "model/container.h"

#define MAGIC "Salted__"
#define SALT 8
#define HEAD (8 + SALT)
#define BLOCK 16
#define SEGMENT ((size_t)1 << 20)
#define ITER_DEFAULT 10000
#define ITER_MAX 100000000	/* a minute and more of hashing: a mistake, or an attack through a script's option */

struct enc {
	enum aes_mode mode;
	const char *mode_name;
	size_t key_n;
	uint32_t seg;
	struct secret key;	/* key, then IV */
	struct aes running;	/* OFB: goes from segment to segment */
};

static void enc_free(void *state)
{
	struct enc *s = state;

	aes_free(&s->running);
	secret_wipe(&s->key);
	free(s);
}

/* --- from key file to key ----------------------------------------------------------------------------------- */

/* apps/enc.c and apps/lib/apps.c read with BIO_gets, that is fgets: at most max bytes up to and with a newline;
 * then the C string in it counts, so that a NUL byte ends it, too. */
static struct slice c_line(struct slice file, size_t max)
{
	size_t n = 0;

	while (n < file.n && n < max && file.p[n] && (n == 0 || file.p[n - 1] != '\n'))
		n++;
	return slice_of(file.p, n);
}

int openssl_pass_kfile(struct slice *ret, struct slice file, struct err *e)
{
	struct slice s = c_line(file, 127);

	while (s.n > 1 && (s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n'))
		s.n--;		/* never the first byte: that is what makes one byte an error */
	if (s.n <= 1) {
		err_set(e, EC_REFUSED,
			"the key file gives openssl's -kfile less than 2 bytes of passphrase in its first line");
		return err_hint(e, "openssl refuses this key file, too (a line ends at a newline or a zero byte): "
				"nothing can have been encrypted with it");
	}
	*ret = s;
	return 0;
}

int openssl_pass_file(struct slice *ret, struct slice file, struct err *e)
{
	struct slice s = c_line(file, 1023);

	if (!s.n)
		return err_set(e, EC_REFUSED,
			       "the passphrase file is empty or begins with a zero byte, which openssl refuses");
	if (s.p[s.n - 1] == '\n')
		s.n--;
	*ret = s;
	return 0;
}

static int passphrase(struct slice *ret, struct container *c, struct slice file, bool pass_file, struct err *e)
{
	size_t whole = file.n;

	if (pass_file ? openssl_pass_file(ret, file, e) : openssl_pass_kfile(ret, file, e))
		return -1;
	while (whole > ret->n && (file.p[whole - 1] == '\n' || file.p[whole - 1] == '\r'))
		whole--;	/* a line end is no loss */
	c->key_cut = whole > ret->n;
	c->key_used = ret->n;
	c->key_given = file.n;
	return 0;
}

/* EVP_BytesToKey, one round: D_1 = H(pass || salt), D_i = H(D_(i-1) || pass || salt). */
static int bytes_to_key(uint8_t *ret, size_t n, enum hash md, struct slice pass, struct slice salt, struct err *e)
{
	uint8_t d[HASH_MAX];
	size_t have = 0, d_n = 0;
	int rc = 0;

	while (have < n && !rc) {
		AUTO_HASHER h = { 0 };

		rc = hasher_init(&h, md, e) || hasher_add(&h, slice_of(d, d_n), e) || hasher_add(&h, pass, e) ||
		     hasher_add(&h, salt, e) || hasher_end(&h, d, e);
		if (rc)
			break;
		d_n = hash_size(md);
		memcpy(ret + have, d, n - have < d_n ? n - have : d_n);
		have += n - have < d_n ? n - have : d_n;
	}
	mem_wipe(d, sizeof d);
	return rc ? -1 : 0;
}

static int derive(struct enc *s, const struct model_opts *o, struct slice pass, struct slice salt, struct err *e)
{
	const char *name = o->md ? o->md : "sha256";
	const enum hash md = hash_by_name(name);
	const uint64_t iter = o->iter ? o->iter : ITER_DEFAULT;

	if (md == HASH_NONE) {
		err_set(e, EC_ABSENT, "digest '%s' is not supported", name);
		return err_hint(e, "md5, sha1, sha224, sha256, sha384, sha512");
	}
	if (o->no_pbkdf2 && o->iter)
		return err_set(e, EC_USAGE, "a number of rounds implies PBKDF2, as with openssl enc -iter");
	if (iter > ITER_MAX)
		return err_set(e, EC_USAGE, "%llu rounds are over the limit of %u", (unsigned long long)iter,
			       ITER_MAX);
	if (secret_alloc(&s->key, s->key_n + BLOCK, e))
		return -1;
	return o->no_pbkdf2 ? bytes_to_key(s->key.p, s->key.n, md, pass, salt, e) :
			      pbkdf2(s->key.p, s->key.n, md, pass, salt, (uint32_t)iter, e);
}

/* --- ciphers -------------------------------------------------------------------------------------------------- */

static const struct mode_name {
	const char *name;
	enum aes_mode mode;
} modes[] = {
	{ "cbc", AES_CBC }, { "ctr", AES_CTR }, { "cfb", AES_CFB128 }, { "cfb128", AES_CFB128 }, { "ofb", AES_OFB },
};

/* "aes-256-cbc", and "aes256" for it, as openssl does. */
static int find_cipher(struct enc *s, const char *name, struct err *e)
{
	static const struct {
		const char *name;
		size_t key_n;
	} sizes[] = {
		{ "aes-128-", 16 }, { "aes-192-", 24 }, { "aes-256-", 32 },
		{ "aes128", 16 }, { "aes192", 24 }, { "aes256", 32 },
	};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		const size_t n = strlen(sizes[i].name);
		const char *rest = name + n;

		if (strncmp(name, sizes[i].name, n))
			continue;
		if (i >= 3)
			rest = *rest ? "?" : "cbc";
		s->key_n = sizes[i].key_n;
		for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++)
			if (!strcmp(rest, modes[m].name)) {
				s->mode = modes[m].mode;
				s->mode_name = modes[m].name;
				return 0;
			}
	}
	err_set(e, EC_ABSENT, "cipher '%s' is not supported", name);
	return err_hint(e, "aes-128-, aes-192- or aes-256- with cbc, ctr, cfb or ofb");
}

static void add_to_counter(uint8_t iv[static BLOCK], uint64_t n)
{
	for (unsigned i = BLOCK; i-- > 0 && n;) {
		n += iv[i];
		iv[i] = (uint8_t)n;
		n >>= 8;
	}
}

/* PKCS#7: the last byte says how many bytes (1 to 16) were added, all of that value. */
static int unpad(struct piece *p, struct err *e)
{
	const uint8_t n = p->out_n ? p->out[p->out_n - 1] : 0;
	bool good = n >= 1 && n <= BLOCK && n <= p->out_n;

	for (unsigned i = 1; good && i <= n; i++)
		good = p->out[p->out_n - i] == n;
	if (!good) {
		err_set(e, EC_REFUSED, "wrong padding at the end");
		return err_hint(e, "another key, cipher, digest or number of rounds, or the file was cut or changed");
	}
	p->out_n -= n;
	return 0;
}

static int enc_work(const struct container *c, void *worker, struct piece *p, struct err *e)
{
	struct enc *s = c->state;
	AUTO_AES fresh = { 0 };
	uint8_t iv[BLOCK];

	(void)worker;
	if (s->mode == AES_CBC && p->last && (p->in_n % BLOCK || (!p->i && !p->in_n)))
		return err_set(e, EC_FORMAT,
			       "the ciphertext is not a whole number of %d-byte blocks: the file was cut", BLOCK);
	p->out_n = p->in_n;
	if (s->mode == AES_OFB)
		return aes_some(&s->running, slice_of(p->in, p->in_n), p->out, e);
	memcpy(iv, c->wants_lead && p->i ? p->in - BLOCK : s->key.p + s->key_n, BLOCK);
	if (s->mode == AES_CTR)
		add_to_counter(iv, p->i * (s->seg / BLOCK));
	if (aes_init(&fresh, s->mode, slice_of(s->key.p, s->key_n), iv, e) ||
	    aes_some(&fresh, slice_of(p->in, p->in_n), p->out, e))
		return -1;
	return s->mode == AES_CBC && p->last ? unpad(p, e) : 0;
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

static int read_salt(struct slice *ret, struct input *in, struct err *e)
{
	struct slice head;

	if (input_peek(&head, in, HEAD, e))
		return -1;
	if (head.n < sizeof MAGIC - 1 || memcmp(head.p, MAGIC, sizeof MAGIC - 1))
		return err_set(e, EC_FORMAT, "'%s' does not begin with the magic '%s' of openssl enc", in->name,
			       MAGIC);
	if (head.n < HEAD)
		return err_set(e, EC_FORMAT, "'%s' is cut: %zu bytes, its header has %d", in->name, head.n, HEAD);
	*ret = slice_of(head.p + 8, SALT);
	return 0;
}

static int enc_open(struct container *c, struct input *in, const struct secret *key, const struct model_opts *o,
		    struct err *e)
{
	const size_t task = o->task_bytes ? (o->task_bytes + BLOCK - 1) / BLOCK * BLOCK : SEGMENT;
	struct enc *s = calloc(1, sizeof *s);
	struct slice salt, pass;

	if (!s)
		return err_oom(e);
	c->state = s;
	c->state_free = enc_free;
	if (read_salt(&salt, in, e) || find_cipher(s, o->cipher ? o->cipher : "aes-256-cbc", e) ||
	    passphrase(&pass, c, secret_view(key), o->pass_file_rules, e) || derive(s, o, pass, salt, e))
		return -1;
	if (s->mode == AES_OFB &&
	    aes_init(&s->running, AES_OFB, slice_of(s->key.p, s->key_n), s->key.p + s->key_n, e))
		return -1;
	s->seg = (uint32_t)task;
	c->in = (struct layout){ .head = HEAD, .first = s->seg, .seg = s->seg };
	c->out = (struct layout){ .head = 0, .first = s->seg, .seg = s->seg };
	c->wants_lead = s->mode == AES_CBC || s->mode == AES_CFB128;
	c->serial = s->mode == AES_OFB;
	c->work = enc_work;
	snprintf(c->cipher, sizeof c->cipher, "aes-%zu-%s", s->key_n * 8, s->mode_name);
	return 0;
}

static bool enc_detect(struct slice head, const struct secret *key)
{
	(void)key;
	return head.n >= 8 && !memcmp(head.p, MAGIC, 8);
}

/* openssl enc -a: "Salted__" in base64 begins so whatever the salt is. */
static bool text_detect(struct slice head, const struct secret *key)
{
	(void)key;
	return head.n >= 10 && !memcmp(head.p, "U2FsdGVkX1", 10);
}

const struct container_format format_openssl = {
	.name = "openssl-enc", .authenticated = false, .detect = enc_detect, .open = enc_open,
};
const struct container_format format_openssl_base64 = {
	.name = "openssl-enc", .authenticated = false, .base64 = true, .detect = text_detect, .open = enc_open,
};
