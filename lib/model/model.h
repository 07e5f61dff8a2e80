/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_MODEL_H
#define CVMBOX_MODEL_MODEL_H

/* Encrypted model files: what encrypt-model, decrypt-model and run-infer call. */

#include "base/host.h"
#include "base/secret.h"

struct model_info {		/* what was found and done; filled as far as it got, also on failure */
	const char *format;	/* "tink", "openssl-enc", "gcm"; NULL: not known */
	char cipher[64];	/* "aes256-gcm-hkdf-sha256, 1048576-byte segments", "aes-256-cbc" */
	bool authenticated;	/* the format itself proves that nothing was changed */
	bool has_key_id;
	uint32_t key_id;	/* Tink: of the key that was used */
	bool key_cut;		/* openssl-enc: the key file holds more bytes than the passphrase rules use */
	size_t key_used, key_given;	/* its lengths, where key_cut */
	bool odd_content;	/* openssl-enc: the plaintext begins like no known kind of model file */
	uint64_t bytes_in, bytes_out;
	size_t files;		/* folders: number of files */
	char sha256[65];	/* of the plaintext, where it was computed (model_opts.sha256); else "" */
};

struct model_opts {
	const char *format;		/* NULL or "auto", "tink", "openssl-enc", "gcm" */
	struct slice aad;		/* Tink associated data */
	const char *cipher, *md;	/* openssl-enc; NULL: aes-256-cbc, sha256 */
	uint64_t iter;			/* openssl-enc; 0: 10000 */
	bool no_pbkdf2;			/* openssl-enc: EVP_BytesToKey */
	bool pass_file_rules;		/* the key came as -pass file: instead of -kfile */
	bool insecure_unauthenticated;
	const char *sha256;		/* expected digest of the plaintext, hex; NULL: none */
	unsigned threads;		/* 0: all */
	/* total 0: unknown; one call at a time, from any thread */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
	struct model_info *info;	/* NULL: not wanted */
	int64_t deadline_ms;		/* monotonic; 0: none */
	size_t task_bytes;		/* input handled as one task; 0: 1 MiB.  Tests make it small */
};

/* Decrypts one file from in_fd (seekable or not) to out_fd, a regular file or memfd (plaintext is written in place;
 * the caller publishes it only after 0 is returned), or a pipe when stream is true (then segment by segment, each
 * only after its tag was right; formats with one tag, or an expected digest, at the end are held back in memory
 * until then). size: bytes written.  EC_REFUSED: not authentic or wrong key. */
int model_decrypt_fd(uint64_t *size, int out_fd, bool stream, int in_fd, const char *in_name,
		     const struct secret *key, const struct model_opts *o, struct err *e);
/* Decrypts a file (PATH, '-', fd:N) into a sealed memfd without a name on disk (run-infer): *ret is the descriptor,
 * read-only sealed, positioned at 0. */
int model_decrypt_memfd(int *ret, uint64_t *size, const char *path, const struct secret *key,
			const struct model_opts *o, struct err *e);

/* Encrypts as Tink streaming AEAD with the primary key of the keyset.  out_fd as above. */
int model_encrypt_fd(uint64_t *size, int out_fd, bool stream, int in_fd, const char *in_name,
		     const struct secret *keyset, const struct model_opts *o, struct err *e);
/* A fresh AES256_GCM_HKDF_1MB keyset (JSON).  It has to be handed over as it is. */
int model_new_key(struct secret *ret, struct err *e);

#endif
