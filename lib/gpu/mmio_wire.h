/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_MMIO_WIRE_H
#define CVMBOX_GPU_MMIO_WIRE_H

/* What is spoken with a simulated device over the unix socket that stands in place of its resource0, below a --sysroot: one request of three words,
 * one answer of two, all little-endian.  A request that was not answered in time ends the conversation. */

#define MMIO_REQUEST 12			/* operation, offset, value */
#define MMIO_ANSWER 8			/* status, value */

enum mmio_op {
	MMIO_HELLO = 0x434d4d00,	/* value: size of BAR0 */
	MMIO_READ, MMIO_WRITE, MMIO_CONFIG, MMIO_RESET,
	MMIO_QUIT			/* no answer */
};
enum mmio_status { MMIO_DONE, MMIO_FAILED, MMIO_ABSENT };

#endif
