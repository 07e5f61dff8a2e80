/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_MODEL_INFO_H
#define CVMBOX_MODEL_INFO_H

/* What happened, for machines and for people. */

#include "codec/json.h"
#include "model/model.h"

void model_info_claims(struct json *claims, const struct model_info *info);
/* "3 files, 98.1 MiB of tink (aes256-gcm-hkdf-sha256, 1048576-byte segments), key 1234" */
void model_info_text(struct buf *ret, const struct model_info *info);
/* A warning on its own line for each thing the user should know, to f. */
void model_info_warnings(const struct model_info *info, void (*f)(void *arg, const char *line), void *arg);

#endif
