/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_TEE_UAPI_H
#define CVMBOX_TEE_UAPI_H

/* The kernel's interfaces that musl's headers do not have: linux/sev-guest.h, linux/tdx-guest.h, linux/vm_sockets.h
 * (cpu-tee.md 2.2, 2.3).  Native byte order: these never leave the machine. */

#include <stdint.h>

/* /dev/sev-guest */
#define SEV_GET_REPORT UINT32_C(0xc0205300)
#define SEV_GET_EXT_REPORT UINT32_C(0xc0205302)
#define SEV_CERTS_MAX 0x4000
#define SEV_RESPONSE_SIZE 4000

struct sev_request_ioctl {
	uint8_t msg_version, pad[7];
	uint64_t request, response;	/* addresses */
	uint32_t fw_error, vmm_error;	/* "exitinfo2" */
};
struct sev_report_request {
	uint8_t user_data[64];
	uint32_t vmpl;
	uint8_t reserved[28];
};
struct sev_ext_report_request {
	struct sev_report_request report;
	uint64_t certs;			/* address */
	uint32_t certs_len, pad;
};
_Static_assert(sizeof(struct sev_request_ioctl) == 32, "snp_guest_request_ioctl");
_Static_assert(sizeof(struct sev_report_request) == 96, "snp_report_req");
_Static_assert(sizeof(struct sev_ext_report_request) == 112, "snp_ext_report_req");
enum { SEV_VMM_INVALID_LENGTH = 1, SEV_VMM_BUSY = 2 };
#define SEV_FW_NOT_CALLED UINT32_C(0xffffffff)
enum { SEV_STATUS_OK = 0, SEV_STATUS_INVALID_PARAM = 0x16, SEV_STATUS_INVALID_KEY = 0x27 };

/* /dev/tdx_guest */
#define TDX_GET_REPORT0 UINT32_C(0xc4405401)
struct tdx_report_request {
	uint8_t report_data[64], report[1024];
};
_Static_assert(sizeof(struct tdx_report_request) == 1088, "tdx_report_req");

/* AF_VSOCK */
#define AF_VSOCK_ 40
#define VSOCK_CID_HOST 2
struct sockaddr_vsock {
	uint16_t family, reserved;
	uint32_t port, cid;
	uint8_t flags, zero[3];
};
_Static_assert(sizeof(struct sockaddr_vsock) == 16, "sockaddr_vm");

#endif
