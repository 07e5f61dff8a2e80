/* SPDX-License-Identifier: Apache-2.0 */
/* attest measure tdx - MRTD, and the RTMRs of a kernel that QEMU loads */

#include "base/host.h"
#include "measure.h"
#include "tee/measure_tdx.h"

enum { ANY, ORDER_PAGE, ORDER_SECTION, HEADER_RAW = 1, HEADER_PATCHED, WORD_SUFFIX = 1, WORD_PREFIX, WORD_NONE };

static int mrtd(struct values *ret, const struct ovmf_tdx *t, const struct measure_args *a, struct err *e)
{
	static const char *const when[TDX_ORDERS] = { "pages measured one by one: Linux 6.16 and later, GCE", "pages measured by section: QEMU 8 with TDX patches" };
	uint8_t d[TDX_DIGEST];

	for (enum tdx_order o = TDX_BY_PAGE; o < TDX_ORDERS; o++) {
		if (a->page_order != ANY && a->page_order != (o == TDX_BY_PAGE ? ORDER_PAGE : ORDER_SECTION))
			continue;
		if (tdx_mrtd(d, t, o, e) || values_add(ret, "mrtd", d, sizeof d, e, "%s", when[o]))
			return -1;
	}
	return 0;
}

/* What rests on unknown facts is not computed, and the result says why; another failure is one. */
static int not_computed(struct values *to, const char *reg, const struct err *e)
{
	if (e->code != EC_USAGE)
		return -1;
	values_missing(to, reg, e->msg);
	return 0;
}

static int hash_blob(uint8_t ret[static TDX_DIGEST], const char *name, struct err *e)
{
	AUTO_INPUT in = INPUT_NONE;

	return input_open(&in, name, e) || source_hash(ret, HASH_SHA384, &in.src, e) ? -1 : 0;
}

static int rtmr0(struct values *ret, const struct ovmf_tdx *t, const struct measure_args *a, struct err *e)
{
	struct tdx_boot b;
	uint8_t d[TDX_DIGEST];

	if (!a->acpi_loader || !a->acpi_rsdp || !a->acpi_tables) {
		if (a->acpi_loader || a->acpi_rsdp || a->acpi_tables)
			return err_set(e, EC_USAGE, "--acpi-loader, --acpi-rsdp and --acpi-tables go together");
		values_missing(ret, "rtmr0", "it holds ACPI tables that QEMU makes of its devices: give --acpi-loader, --acpi-rsdp and --acpi-tables");
		return 0;
	}
	if (!a->memory)
		return err_set(e, EC_USAGE, "RTMR0 depends on the guest's memory: give --memory");
	if (hash_blob(b.acpi_loader, a->acpi_loader, e) || hash_blob(b.acpi_rsdp, a->acpi_rsdp, e) || hash_blob(b.acpi_tables, a->acpi_tables, e) ||
	    tdx_hob_digest(b.hob, t, a->memory, e))
		return -1;
	if (tdx_cfv_digest(b.cfv, t, e))
		return not_computed(ret, "rtmr0", e);
	if (tdx_rtmr0(d, &b, (enum tdx_separator)a->separator, e))
		return -1;
	return values_add(ret, "rtmr0", d, sizeof d, e, "EDK2 up to 2025.02, without secure boot");
}

static int rtmr1_of(struct values *ret, const struct source *kernel, struct slice head, const struct measure_args *a, const char *when, struct err *e)
{
	uint8_t k[TDX_DIGEST], d[TDX_DIGEST];

	if (authenticode(k, HASH_SHA384, kernel, head, e))
		return err_ctx(e, "'%s'", a->kernel);
	return tdx_rtmr1(d, k, (enum tdx_separator)a->separator, e) || values_add(ret, "rtmr1", d, sizeof d, e, "%s", when) ? -1 : 0;
}

static int rtmr1(struct values *ret, const struct source *kernel, uint64_t initrd, const struct measure_args *a, struct err *e)
{
	AUTO_BUF head = { .max = 4096 };

	if (a->kernel_header != HEADER_PATCHED && rtmr1_of(ret, kernel, (struct slice){ 0 }, a, "kernel as it is: QEMU 10.1 and later", e))
		return -1;
	if (a->kernel_header == HEADER_RAW)
		return 0;
	if (tdx_patched_header(&head, kernel, a->memory, initrd, a->append ? a->append : "", e))
		return a->kernel_header == ANY ? not_computed(ret, "rtmr1 of QEMU before 10.1", e) : -1;
	return rtmr1_of(ret, kernel, buf_view(&head), a, "kernel's header patched: QEMU before 10.1", e);
}

static int rtmr2(struct values *ret, const uint8_t *initrd, const struct measure_args *a, struct err *e)
{
	static const char *const forms[] = { NULL, "%s initrd=initrd", "initrd=initrd %s", "%s" };
	const char *append = a->append ? a->append : "";
	const bool has_word = strstr(append, "initrd=");
	uint8_t d[TDX_DIGEST];

	for (int w = WORD_SUFFIX; w <= WORD_NONE; w++) {
		AUTO_STR *options = NULL;

		if (initrd ? a->initrd_word != w && (a->initrd_word != ANY || (w == WORD_NONE) != has_word) : w != WORD_NONE)
			continue;
		options = str_printf(e, forms[w], append);
		if (!options)
			return -1;
		if (tdx_rtmr2(d, options, initrd, e))
			return not_computed(ret, "rtmr2", e);
		if (values_add(ret, "rtmr2", d, sizeof d, e, "command line '%.120s'", options))
			return -1;
	}
	return 0;
}

static int kernel_registers(struct values *ret, struct json *inputs, const struct measure_args *a, struct err *e)
{
	AUTO_INPUT kernel = INPUT_NONE, initrd = INPUT_NONE;
	uint8_t d[TDX_DIGEST];

	if (input_open(&kernel, a->kernel, e) || input_open(&initrd, a->initrd, e))
		return -1;
	if (a->initrd) {
		if (initrd.src.size == 0)
			return err_set(e, EC_USAGE, "'%s' is empty, and what an empty initrd measures is not known", a->initrd);
		if (source_hash(d, HASH_SHA384, &initrd.src, e))
			return -1;
		json_add_hex(inputs, "initrd_sha384", slice_of(d, sizeof d));
	}
	return rtmr1(ret, &kernel.src, initrd.src.size, a, e) || rtmr2(ret, a->initrd ? d : NULL, a, e) ? -1 : 0;
}

static int firmware_registers(struct values *ret, const struct measure_args *a, struct err *e)
{
	AUTO_BUF firmware = { .max = OVMF_MAX };
	struct ovmf_tdx t;
	struct ovmf o;

	if (file_read(&firmware, a->ovmf, OVMF_MAX, e) || ovmf_parse(&o, buf_view(&firmware), e) || ovmf_tdx(&t, &o, e) || mrtd(ret, &t, a, e))
		return err_ctx(e, "'%s'", a->ovmf);
	return a->kernel ? rtmr0(ret, &t, a, e) : 0;
}

int measure_tdx(struct values *ret, struct json *inputs, const struct measure_args *a, struct err *e)
{
	if (!a->ovmf && !a->kernel)
		return err_set(e, EC_USAGE, "what is launched? give --ovmf FILE, --kernel FILE, or both");
	if ((a->acpi_loader || a->acpi_rsdp || a->acpi_tables) && (!a->ovmf || !a->kernel))
		return err_set(e, EC_USAGE, "RTMR0 needs --ovmf and --kernel");
	if (a->memory)
		json_add_u64(inputs, "memory", a->memory);
	if ((a->ovmf && firmware_registers(ret, a, e)) || (a->kernel && kernel_registers(ret, inputs, a, e)))
		return -1;
	if (!a->kernel)
		values_note(ret, "RTMRs are not computed without --kernel: a boot loader's events are in the event log, which verify replays");
	if (ret->n == 0)
		return err_set(e, EC_USAGE, "nothing of this can be computed");
	return 0;
}
