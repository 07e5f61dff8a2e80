/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_QGS_H
#define CVMBOX_TEE_QGS_H

/* Intel's quote generation service on the host, asked over vsock (cpu-tee.md 2.3): it signs a TDREPORT.  What it answers is
 * the host's word until the quote is verified. */

#include "base/host.h"

#define TDREPORT_SIZE 1024
#define QGS_MESSAGE_MAX ((size_t)256 << 10)

/* True where /etc/tdx-attest.conf names a port (`port = 4050`).  EC_ABSENT: it does not. */
int qgs_port(uint32_t *ret, const struct host *h, struct err *e);
/* The quote for this TDREPORT, appended.  EC_ABSENT: no port is named.  Below a --sysroot the unix socket
 * /run/qgs/PORT stands in for the host. */
int qgs_quote(struct buf *ret, const struct host *h, const uint8_t tdreport[static TDREPORT_SIZE], struct err *e);
/* The quote inside an answer without its length prefix; points into msg. */
int qgs_answer(struct slice *quote, struct slice msg, struct err *e);

#endif
