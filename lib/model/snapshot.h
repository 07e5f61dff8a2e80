/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_SNAPSHOT_H
#define CVMBOX_MODEL_SNAPSHOT_H

/* Folders of model files (a Hugging Face snapshot, GGUF shards).  Encrypted, a folder holds for each file NAME a
 * Tink stream NAME.tink whose associated data is the relative path NAME, and one more stream, the manifest
 * (manifest.h).  So no file can be changed, left out, added, renamed, exchanged with another, or replaced by
 * another encryption of the same name.  Not noticed: the whole folder replaced by an older one made with the same
 * key. */

#include "model/model.h"

/* Symbolic links are followed (the hub's cache is made of them), to wherever they point; empty folders are left
 * out; anything but files and folders is an error.  ready is called when all is encrypted and nothing has its name
 * yet: the place to hand over a new key.  Out: as staging_open. */
int snapshot_encrypt(const char *out, const char *in, bool overwrite, const struct secret *keyset,
		     const struct model_opts *o, int (*ready)(void *arg, struct err *e), void *arg, struct err *e);
/* All files are authenticated before the folder gets its name. */
int snapshot_decrypt(const char *out, const char *in, bool overwrite, const struct secret *keyset,
		     const struct model_opts *o, struct err *e);

#endif
