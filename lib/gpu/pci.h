/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_GPU_PCI_H
#define CVMBOX_GPU_PCI_H

/* Which NVIDIA GPUs and NVSwitches this machine has, from sysfs alone: no driver is asked, no device
 * node opened. */

#include <stdbool.h>
#include <stdint.h>

#include "base/host.h"

#define GPU_VENDOR_NVIDIA 0x10de
#define GPU_CLASS_VGA 0x0300
#define GPU_CLASS_3D 0x0302
#define GPU_CLASS_BRIDGE 0x0680		/* "other bridge": an NVSwitch */

struct pci_addr {
	uint32_t domain;
	uint8_t bus, slot, fn;
};

struct gpu_pci {
	char bdf[20];		/* as sysfs writes it: "0000:41:00.0" */
	struct pci_addr addr;
	uint16_t vendor, device;
	uint32_t class_code;	/* all 24 bits, e.g. 0x030200 */
	bool is_switch;
	char driver[32];	/* bound kernel driver, "" when none */
};

struct gpu_list {
	struct gpu_pci *v;
	size_t n;
	bool no_pci;		/* /sys/bus/pci is not there: n is 0 because nobody could look */
};
#define AUTO_GPU_LIST __attribute__((cleanup(gpu_list_free))) struct gpu_list

/* GPUs (class 0x0300, 0x0302) and NVSwitches (0x0680) of vendor 0x10de, sorted by address.  An empty
 * list is no error.  A PCI function whose ids cannot be read is one (EC_IO, EC_FORMAT): a GPU never
 * goes missing silently.  Only a function that disappears while it is looked at is left out. */
int gpu_list(struct gpu_list *ret, const struct host *h, struct err *e);
void gpu_list_free(struct gpu_list *l);

/* "0000:41:00.0", also without domain ("41:00.0") and with eight digits of it as nvidia-smi prints;
 * either case. Anything else is EC_USAGE. */
int pci_addr_parse(struct pci_addr *ret, const char *s, struct err *e);
bool pci_addr_eq(const struct pci_addr *a, const struct pci_addr *b);
void pci_addr_format(char ret[static 20], const struct pci_addr *a);

/* What a PCI device id says when no driver answers: "Hopper GH100"; "NVIDIA" when the id is not known. */
const char *gpu_family(const struct gpu_pci *g);

#endif
