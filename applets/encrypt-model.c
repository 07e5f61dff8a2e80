/* SPDX-License-Identifier: Apache-2.0 */
/* encrypt-model - encrypt a model file or folder */

#include <sys/stat.h>
#include <unistd.h>

#include "base/applet.h"
#include "base/outfile.h"
#include "broker/key.h"
#include "codec/out.h"
#include "model/ends.h"
#include "model/info.h"
#include "model/model.h"
#include "model/snapshot.h"

#define KEY_MAX ((size_t)1 << 20)
#define AAD_MAX ((size_t)64 << 10)

static const char *const formats[] = { "tink", NULL };

struct args {
	const char *output, *key, *new_key, *aad_file;
	int format;
	uint64_t threads;
	bool force;
	struct key_env kbs;
};

static const struct opt opts[] = {
	OPT_STR('o', "output", output, "OUT", "write the encrypted model there: PATH, '-' or fd:N"),
	OPT_STR(0, "new-key", new_key, "DST",
		"make a key (Tink keyset) and put it there: PATH (0600, never overwritten), '-', fd:N or keyring:NAME"),
	OPT_STR('k', "key", key, "SRC",
		"use this Tink keyset: PATH, '-', fd:N, keyring:NAME, cred:NAME or kbs:///REPO/TYPE/TAG"),
	OPT_ENUM(0, "format", format, formats, "the only one yet, and the default"),
	OPT_STR(0, "aad-file", aad_file, "FILE", "associated data: has to be given again to decrypt"),
	OPT_FLAG('f', "force", force, "overwrite an existing output file"),
	OPT_UINT(0, "threads", threads, "N", "number of threads (default: one for each usable CPU)"),
	KEY_OPTS(kbs),
	OPT_END
};

/* --- the key -------------------------------------------------------------------------------------------------------- */

struct keys {
	const struct ctx *cx;
	const struct args *a;
	struct secret key;
	bool handed_over;
};

/* Called when all is encrypted and nothing has its name yet: no model without its key, and no key file for a model
 * that could not be made. */
static int hand_over(void *arg, struct err *e)
{
	struct keys *k = arg;

	if (!k->a->new_key || k->handed_over)
		return 0;
	if (key_put(&k->key, k->cx->host, k->a->new_key, false, e))
		return err_ctx(e, "cannot hand over the new key");
	k->handed_over = true;
	return 0;
}

/* A name that is taken is better known before an hour of work. */
static int check_new_key(const char *dst, struct err *e)
{
	struct stat st;

	if (!strcmp(dst, "-") || !strncmp(dst, "fd:", 3) || !strncmp(dst, "keyring:", 8) || lstat(dst, &st))
		return 0;
	err_set(e, EC_USAGE, "'%s' exists already, and keys are never overwritten", dst);
	return err_hint(e, "use it with --key, or name another file");
}

static int get_key(struct keys *k, struct err *e)
{
	const struct args *a = k->a;

	if (a->new_key)
		return check_new_key(a->new_key, e) || model_new_key(&k->key, e) ? -1 : 0;
	if (key_get(&k->key, k->cx->host, &a->kbs, a->key, KEY_MAX, e))
		return err_ctx(e, "cannot get the key");
	return 0;
}

/* --- the call --------------------------------------------------------------------------------------------------------- */

static bool on_stdout(const struct args *a)
{
	return !strcmp(a->output, "-") || (a->new_key && !strcmp(a->new_key, "-"));
}

static int check_args(const struct ctx *cx, const struct args *a, struct err *e)
{
	if (!a->output) {
		err_set(e, EC_USAGE, "no output given");
		return err_hint(e, "-o PATH, or -o - for standard output");
	}
	if (!a->key == !a->new_key)
		return err_set(e, EC_USAGE, "one of --new-key and --key is needed");
	if (a->key && !strcmp(a->key, "-") && !strcmp(cx->argv[0], "-"))
		return err_set(e, EC_USAGE, "key and model cannot both come from standard input");
	if (!strcmp(a->output, "-") && a->new_key && !strcmp(a->new_key, "-"))
		return err_set(e, EC_USAGE, "key and model cannot both go to standard output");
	if (strcmp(a->output, "-") && outfile_same(a->key ? a->key : a->new_key, a->output))
		return err_set(e, EC_USAGE, "key and model cannot be the same file, '%s'", a->output);
	if (cx->json && on_stdout(a))
		return err_set(e, EC_USAGE, "--json needs standard output for itself");
	if (a->threads > 1024)
		return err_set(e, EC_USAGE, "option --threads: at most 1024");
	return 0;
}

static int one_file(struct keys *k, const struct model_opts *o, struct err *e)
{
	const struct args *a = k->a;
	const char *name = k->cx->argv[0];
	AUTO_MODEL_OUT out = MODEL_OUT_INIT;
	AUTO_FD in = model_in_open(name, e);
	uint64_t size;

	if (in < 0 || model_out_open(&out, a->output, 0644, a->force, e) ||
	    (out.stream && hand_over(k, e)) ||		/* whoever reads along has it at once */
	    model_encrypt_fd(&size, out.fd, out.stream, in, name, &k->key, o, e) || hand_over(k, e))
		return -1;
	return model_out_commit(&out, e);
}

static int whole_folder(struct keys *k, const struct model_opts *o, struct err *e)
{
	const struct args *a = k->a;
	const char *name = k->cx->argv[0];

	if (!strcmp(a->output, "-") || !strncmp(a->output, "fd:", 3))
		return err_set(e, EC_USAGE, "'%s' is a folder: it needs -o FOLDER", name);
	if (a->aad_file)
		return err_set(e, EC_USAGE, "'%s' is a folder: its associated data are the names of its files", name);
	return snapshot_encrypt(a->output, name, a->force, &k->key, o, hand_over, k, e);
}

static int encrypt_all(struct keys *k, struct model_info *info, struct err *e)
{
	const struct ctx *cx = k->cx;
	const struct args *a = k->a;
	struct model_opts o = { .threads = (unsigned)a->threads, .info = info,
				.deadline_ms = cx->host->deadline_ms, .progress = cx->progress, .progress_arg = cx->progress_arg };
	AUTO_BUF aad = { 0 };
	struct stat st;

	if ((a->aad_file && file_read(&aad, a->aad_file, AAD_MAX, e)) || get_key(k, e))
		return -1;
	o.aad = buf_view(&aad);
	return strcmp(cx->argv[0], "-") && !stat(cx->argv[0], &st) && S_ISDIR(st.st_mode) ?
	     whole_folder(k, &o, e) : one_file(k, &o, e);
}

static int run(const struct ctx *cx, struct err *e)
{
	const struct args *a = cx->args;
	struct model_info info = { 0 };
	struct keys k = { .cx = cx, .a = a };
	int rc;

	if (check_args(cx, a, e))
		return -1;
	rc = encrypt_all(&k, &info, e);
	secret_wipe(&k.key);
	if (rc && k.handed_over)
		err_hint(e, "the new key was handed over already, and belongs to nothing");
	info.authenticated = info.authenticated && !rc;
	if (cx->json)
		model_info_claims(cx->out->claims, &info);
	if (rc)
		return err_ctx(e, "cannot encrypt '%s'", cx->argv[0]);
	if (on_stdout(a) || cx->json)
		return 0;
	model_info_text(&cx->out->text, &info);
	buf_byte(&cx->out->text, '\n');
	if (a->new_key)
		out_text(cx->out, "new key in '%s': whoever has it can read the model; put it into the key broker, "
			 "and delete it here", a->new_key);
	out_verdict(cx->out, "encrypted to '%s'", a->output);
	return 0;
}

static const struct verb *const verbs[] = {
	&(const struct verb){ .summary = "encrypt a model file or folder", .operands = "IN -o OUT", .opts = opts,
	  .args_size = sizeof(struct args), .min_operands = 1, .max_operands = 1, .releases_secrets = true, .run = run },
};

const struct applet applet_encrypt_model = {
	.name = "encrypt-model",
	.summary = "encrypt a model file or folder",
	.notes = "The result is Tink streaming AEAD (AES256-GCM-HKDF, 1 MiB segments), which every Tink library reads with "
		 "the keyset. In a folder each file becomes NAME.tink, and a manifest binds names, sizes and contents; "
		 "symbolic links are followed, empty folders left out. Sizes and file names stay visible. The same key "
		 "opens older versions, too: use a new one where that matters.",
	VERBS(verbs),
};
