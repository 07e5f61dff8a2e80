/* SPDX-License-Identifier: Apache-2.0 */
/* decrypt-model - open an encrypted model file or folder */

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

static const char *const formats[] = { "auto", "tink", "openssl-enc", "gcm", NULL };

struct args {
	const char *output, *key, *pass_file, *aad_file, *cipher, *md, *sha256;
	int format;
	uint64_t iter, threads;
	bool no_pbkdf2, insecure, force;
	struct key_env kbs;
};

static const struct opt opts[] = {
	OPT_STR('o', "output", output, "OUT", "write the plaintext there: PATH, '-' or fd:N"),
	OPT_STR('k', "key", key, "SRC", "key: PATH, '-', fd:N, keyring:NAME, cred:NAME or kbs:///REPO/TYPE/TAG"),
	OPT_STR(0, "pass-file", pass_file, "SRC", "key by the rules of openssl's -pass file: instead of -kfile"),
	OPT_ENUM(0, "format", format, formats, "auto, tink, openssl-enc or gcm (gcm has to be named)"),
	OPT_STR(0, "aad-file", aad_file, "FILE", "tink: associated data the file was encrypted with"),
	OPT_STR(0, "cipher", cipher, "NAME", "openssl-enc: aes-{128,192,256}-{cbc,ctr,cfb,ofb} (default: aes-256-cbc)"),
	OPT_STR(0, "md", md, "NAME", "openssl-enc: digest of the key derivation (default: sha256)"),
	OPT_UINT(0, "iter", iter, "N", "openssl-enc: rounds of PBKDF2 (default: 10000)"),
	OPT_FLAG(0, "no-pbkdf2", no_pbkdf2, "openssl-enc: the old key derivation of openssl enc without -pbkdf2"),
	OPT_STR(0, "sha256", sha256, "HEX",
		"the plaintext must have this digest; nothing appears before it was compared"),
	OPT_INSECURE("insecure-unauthenticated", insecure, "take formats that cannot tell whether the data was changed"),
	OPT_FLAG('f', "force", force, "overwrite an existing output file"),
	OPT_UINT(0, "threads", threads, "N", "number of threads (default: one for each usable CPU)"),
	KEY_OPTS(kbs),
	OPT_END
};

/* --- warnings --------------------------------------------------------------------------------------- */

static void warn(void *arg, const char *line)
{
	const struct ctx *cx = arg;

	host_log(cx->host, LOG_WARN, "%s", line);
	cx->out->warned = true;
}

/* --- the call ------------------------------------------------------------------------------------------------------ */

static int check_args(const struct ctx *cx, const struct args *a, struct err *e)
{
	const char *key = a->key ? a->key : a->pass_file;

	if (!a->output) {
		err_set(e, EC_USAGE, "no output given");
		return err_hint(e, "-o PATH, or -o - for standard output");
	}
	if (!a->key == !a->pass_file)
		return err_set(e, EC_USAGE, "one of --key and --pass-file is needed");
	if (!strcmp(key, "-") && !strcmp(cx->argv[0], "-"))
		return err_set(e, EC_USAGE, "key and model cannot both come from standard input");
	if (strcmp(a->output, "-") && outfile_same(key, a->output))
		return err_set(e, EC_USAGE, "key and plaintext cannot be the same file, '%s'", a->output);
	if (cx->json && !strcmp(a->output, "-"))
		return err_set(e, EC_USAGE, "--json and the plaintext cannot both go to standard output");
	if (a->threads > 1024)
		return err_set(e, EC_USAGE, "option --threads: at most 1024");
	return 0;
}

static int one_file(const struct ctx *cx, const struct args *a, const struct secret *key, const struct model_opts *o,
		    struct err *e)
{
	AUTO_MODEL_OUT out = MODEL_OUT_INIT;
	AUTO_FD in = model_in_open(cx->argv[0], e);
	uint64_t size;

	if (in < 0 || model_out_open(&out, a->output, 0600, a->force, e) ||
	    model_decrypt_fd(&size, out.fd, out.stream, in, cx->argv[0], key, o, e))
		return -1;
	return model_out_commit(&out, e);
}

static int whole_folder(const struct ctx *cx, const struct args *a, const struct secret *key, const struct model_opts *o,
			struct err *e)
{
	if (a->format > 1 || a->pass_file || a->sha256 || a->aad_file)
		return err_set(e, EC_USAGE, "'%s' is a folder: folders are Tink files, without --pass-file, --sha256 and "
			       "--aad-file", cx->argv[0]);
	if (!strcmp(a->output, "-") || !strncmp(a->output, "fd:", 3))
		return err_set(e, EC_USAGE, "'%s' is a folder: it needs -o FOLDER", cx->argv[0]);
	return snapshot_decrypt(a->output, cx->argv[0], a->force, key, o, e);
}

static int decrypt(const struct ctx *cx, const struct args *a, struct model_info *info, struct err *e)
{
	struct model_opts o = {
		.format = formats[a->format], .cipher = a->cipher, .md = a->md, .iter = a->iter, .no_pbkdf2 = a->no_pbkdf2,
		.pass_file_rules = a->pass_file, .insecure_unauthenticated = a->insecure, .sha256 = a->sha256,
		.threads = (unsigned)a->threads, .info = info, .deadline_ms = cx->host->deadline_ms,
		.progress = cx->progress, .progress_arg = cx->progress_arg,
	};
	const char *src = a->key ? a->key : a->pass_file;
	AUTO_SECRET key = { 0 };
	AUTO_BUF aad = { 0 };
	struct stat st;

	if (a->aad_file && file_read(&aad, a->aad_file, AAD_MAX, e))
		return -1;
	o.aad = buf_view(&aad);
	if (key_get(&key, cx->host, &a->kbs, src, KEY_MAX, e))
		return err_ctx(e, "cannot get the key");
	host_log(cx->host, LOG_INFO, "key: %zu bytes from '%s'", key.n, src);
	return strcmp(cx->argv[0], "-") && !stat(cx->argv[0], &st) && S_ISDIR(st.st_mode) ?
	     whole_folder(cx, a, &key, &o, e) : one_file(cx, a, &key, &o, e);
}

static void tell(const struct ctx *cx, const struct args *a, const struct model_info *info)
{
	model_info_text(&cx->out->text, info);
	buf_byte(&cx->out->text, '\n');
	if (info->sha256[0])
		out_verdict(cx->out, "decrypted to '%s': the plaintext has the expected SHA-256", a->output);
	else if (info->authenticated)
		out_verdict(cx->out, "decrypted to '%s': authentic", a->output);
	else
		out_verdict(cx->out, "decrypted to '%s': NOT authenticated", a->output);
}

static int run(const struct ctx *cx, struct err *e)
{
	const struct args *a = cx->args;
	struct model_info info = { 0 };
	int rc;

	if (check_args(cx, a, e))
		return -1;
	rc = decrypt(cx, a, &info, e);
	cx->out->on_stderr = !strcmp(a->output, "-");
	info.authenticated = info.authenticated && !rc;
	if (cx->json)
		model_info_claims(cx->out->claims, &info);
	if (rc)
		return err_ctx(e, "cannot decrypt '%s'", cx->argv[0]);
	model_info_warnings(&info, warn, (void *)(uintptr_t)cx);
	if (strcmp(a->output, "-") && !cx->json)
		tell(cx, a, &info);
	return 0;
}

static const struct verb *const verbs[] = {
	&(const struct verb){ .summary = "open an encrypted model file or folder", .operands = "IN -o OUT", .opts = opts,
	  .args_size = sizeof(struct args), .min_operands = 1, .max_operands = 1, .releases_secrets = true, .run = run },
};

const struct applet applet_decrypt_model = {
	.name = "decrypt-model",
	.summary = "open an encrypted model file or folder",
	.notes = "A plaintext file or folder gets its name when all of it was authenticated; to '-' and fd:N each "
		 "segment is written after its own tag was right, so that a reader there has to wait for exit status 0. "
		 "Tink files, and folders made by encrypt-model, prove that nothing was changed, cut, exchanged or left "
		 "out since they were made with this key; not when that was: an older version made with the same key "
		 "opens as well. openssl-enc files prove nothing: they need --sha256, or --insecure-unauthenticated.",
	VERBS(verbs),
};
