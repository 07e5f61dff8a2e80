/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_FDT_H
#define CVMBOX_TEE_FDT_H

/* The flattened device tree that firmware gave the kernel (/sys/firmware/fdt): what it says about trusted firmware.
 * */

#include "codec/json.h"

#define FDT_MAX ((size_t)2 << 20)

/* Adds model, compatible, hypervisor, the nodes below /firmware and memory set apart for a confidential guest's I/O.
 *  EC_FORMAT if the blob
 * is no device tree.  Host-controlled input. */
int fdt_describe(struct json *to, struct slice blob, struct err *e);

#endif
