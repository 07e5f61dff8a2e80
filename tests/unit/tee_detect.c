/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine is, told from captured files. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"
#include "tee/detect.h"
#include "tee/fdt.h"
#include "tee/tsm.h"
#include "test.h"

static void add_file(const char *root, const char *path, const void *p, size_t n, off_t at)
{
	char all[600];
	int fd;

	snprintf(all, sizeof all, "%s%s", root, path);
	for (char *c = all + strlen(root) + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			mkdir(all, 0700);
			*c = '/';
		}
	fd = open(all, O_WRONLY | O_CREAT, 0600);
	OK(fd >= 0 && pwrite(fd, p, n, at) == (ssize_t)n);
	close(fd);
}

static void look(struct detected *d, const char *root)
{
	struct host h;

	host_init(&h);
	WORKS(host_set_sysroot(&h, root, &e));
	WORKS(detect(d, &h, &e));
	host_close(&h);
}

static const char *signal_value(const struct detected *d, const char *name)
{
	for (const struct json *s = json_first(json_get(d->machine, "signals")); s; s = json_next(s))
		if (!strcmp(json_string(json_get(s, "signal")), name))
			return json_string(json_get(s, "value"));
	return NULL;
}

static const char *signal_meaning(const struct detected *d, const char *name)
{
	for (const struct json *s = json_first(json_get(d->machine, "signals")); s; s = json_next(s))
		if (!strcmp(json_string(json_get(s, "signal")), name))
			return json_string(json_get(s, "meaning"));
	return NULL;
}

static bool is_missing(const struct detected *d, const char *what)
{
	for (const struct json *s = json_first(json_get(d->machine, "missing")); s; s = json_next(s))
		if (!strcmp(json_string(json_get(s, "what")), what))
			return true;
	return false;
}

static void put_exchange(struct buf *to, const char *command, struct slice answer)
{
	buf_printf(to, "> %s\n< ", command);
	buf_hex(to, answer);
	buf_puts(to, "\n");
}

static void put_hcl_recording(struct buf *to, struct slice hcl)
{
	AUTO_BUF a = { 0 };
	char command[96];

	/* GetCapability NV_BUFFER_MAX: 1024 */
	buf_be16(&a, 0x8001);
	buf_be32(&a, 27);
	buf_be32(&a, 0);
	buf_byte(&a, 0);
	buf_be32(&a, 6);
	buf_be32(&a, 1);
	buf_be32(&a, 0x12c);
	buf_be32(&a, 1024);
	put_exchange(to, "8001000000160000017a000000060000012c00000001", buf_view(&a));
	/* NV_ReadPublic: owner reads */
	buf_reset(&a);
	buf_be16(&a, 0x8001);
	buf_be32(&a, 10 + 2 + 14 + 2);
	buf_be32(&a, 0);
	buf_be16(&a, 14);
	buf_be32(&a, 0x01400001);
	buf_be16(&a, 0x0b);
	buf_be32(&a, 0x20020002);
	buf_be16(&a, 0);
	buf_be16(&a, (uint16_t)hcl.n);
	buf_be16(&a, 0);
	put_exchange(to, "80010000000e0000016901400001", buf_view(&a));
	for (size_t at = 0; at < hcl.n; at += 1024) {
		const size_t n = hcl.n - at > 1024 ? 1024 : hcl.n - at;

		snprintf(command, sizeof command, "8002000000230000014e4000000101400001" "0000000940000009" "0000000000" "%04zx%04zx", n, at);
		buf_reset(&a);
		buf_be16(&a, 0x8002);
		buf_be32(&a, (uint32_t)(10 + 4 + 2 + n + 5));
		buf_be32(&a, 0);
		buf_be32(&a, (uint32_t)(2 + n));
		buf_be16(&a, (uint16_t)n);
		buf_put(&a, hcl.p + at, n);
		buf_put(&a, "\0\0\1\0", 4);
		buf_byte(&a, 0);
		put_exchange(to, command, buf_view(&a));
	}
}

TEST(detect_nothing)
{
	AUTO_DETECTED d = { 0 };

	look(&d, tmpdir());
	OK(d.tee == NULL);
	OK(json_is_null(json_get(d.machine, "tee")));
	OK(is_missing(&d, "confidential guest"));
	STR(signal_value(&d, "/dev/sev-guest"), "absent");
}

TEST(detect_snp_and_tdx_by_device_or_provider)
{
	static const struct { const char *path, *text, *tee; } cases[] = {
		{ "/dev/sev-guest", "", "snp" }, { "/dev/tdx_guest", "", "tdx" },
		{ TSM_DIR "/recorded/provider", "sev_guest\n", "snp" }, { TSM_DIR "/recorded/provider", "tdx_guest\n", "tdx" },
		{ TSM_DIR "/recorded/provider", "arm_cca_guest\n", "cca" }, { "/sys/devices/platform/arm-cca-dev/x", "", "cca" }
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_DETECTED d = { 0 };
		char root[300];

		snprintf(root, sizeof root, "%s/%zu", tmpdir(), i);
		mkdir(root, 0700);
		add_file(root, cases[i].path, cases[i].text, strlen(cases[i].text), 0);
		look(&d, root);
		STR(d.tee, cases[i].tee);
		STR(json_string(json_get(d.machine, "tee")), cases[i].tee);
		EQ(json_count(json_get(d.machine, "missing")) > 1 + (i == 1), 0);	/* a TDX device alone: nobody signs */
		EQ(is_missing(&d, "quote service"), i == 1);
	}
}

TEST(detect_says_which_module_is_missing)
{
	static const uint8_t snp_active[8] = { 7 };
	static const char cpuinfo[] = "processor\t: 0\nflags\t\t: fpu tdx_guest sse\n";
	AUTO_DETECTED snp = { 0 }, tdx = { 0 };
	char root[300];

	add_file(tmpdir(), "/dev/cpu/0/msr", snp_active, 8, 0xc0010131);
	look(&snp, tmpdir());
	OK(snp.tee == NULL);
	OK(is_missing(&snp, "/dev/sev-guest"));
	OK(!is_missing(&snp, "confidential guest"));
	STR(signal_value(&snp, "MSR SEV_STATUS"), "0x7");
	STR(signal_meaning(&snp, "MSR SEV_STATUS"), "SEV, SEV-ES, SNP");
	snprintf(root, sizeof root, "%s/tdx", tmpdir());
	mkdir(root, 0700);
	add_file(root, "/proc/cpuinfo", cpuinfo, sizeof cpuinfo - 1, 0);
	look(&tdx, root);
	OK(tdx.tee == NULL);		/* a flag is no device */
	OK(is_missing(&tdx, "/dev/tdx_guest"));
}

TEST(detect_takes_no_host_flag_for_a_guest)
{
	static const char cpuinfo[] = "processor\t: 0\nflags\t\t: fpu sev_snp tdx_guestx\n";
	AUTO_DETECTED d = { 0 };

	add_file(tmpdir(), "/proc/cpuinfo", cpuinfo, sizeof cpuinfo - 1, 0);
	add_file(tmpdir(), "/dev/tpmrm0", "", 0, 0);
	look(&d, tmpdir());
	OK(d.tee == NULL);
	STR(signal_value(&d, "/proc/cpuinfo tdx_guest"), "absent");
	OK(json_true(json_get(d.machine, "vtpm")));
	OK(is_missing(&d, "confidential guest"));
}

/* Two at once: both are told, and the SVSM that serves the guest. */
TEST(detect_tells_all_that_a_machine_is)
{
	AUTO_DETECTED d = { 0 };

	add_file(tmpdir(), TSM_DIR "/recorded/provider", "sev_guest\n", 10, 0);
	add_file(tmpdir(), TSM_DIR "/recorded/privlevel_floor", "2\n", 2, 0);
	add_file(tmpdir(), TSM_DIR "/recorded/service_provider", "", 0, 0);
	add_file(tmpdir(), "/dev/tdx_guest", "", 0, 0);
	add_file(tmpdir(), "/sys/class/dmi/id/sys_vendor", "Amazon EC2\n", 11, 0);
	look(&d, tmpdir());
	STR(d.tee, "snp");
	EQ(json_count(json_get(d.machine, "tees")), 2);
	STR(json_string(json_at(json_get(d.machine, "tees"), 1)), "tdx");
	STR(json_string(json_get(d.machine, "vtpm_by")), "svsm");
	STR(signal_value(&d, "configfs-tsm privlevel_floor"), "2");
	STR(signal_value(&d, "configfs-tsm service_provider"), "present");
	HAS(signal_meaning(&d, "DMI vendor"), "VLEK");
}

/* An HCL report in NV, on a machine of Azure and elsewhere. */
TEST(detect_confirms_azure_by_the_report_in_the_tpm)
{
	static const char tag[] = "7783-7084-3265-9085-8269-3286-77\n";
	AUTO_DETECTED azure = { 0 }, other = { 0 }, broken = { 0 };
	AUTO_BUF text = { 0 }, hcl = { 0 };
	char root[300];

	buf_puts(&hcl, "HCLA");
	buf_le32(&hcl, 2);
	buf_le32(&hcl, 32 + 1184 + 22);
	buf_le32(&hcl, 2);
	buf_fill(&hcl, 0, 16 + 1184);
	buf_le32(&hcl, 22);
	buf_le32(&hcl, 1);
	buf_le32(&hcl, 2);		/* SNP */
	buf_le32(&hcl, 1);
	buf_le32(&hcl, 2);
	buf_puts(&hcl, "{}");
	/* NV buffer size, NV_ReadPublic, NV_Read in one or more pieces: as the TPM would answer */
	put_hcl_recording(&text, buf_view(&hcl));
	add_file(tmpdir(), "/dev/tpmrm0", text.p, text.n, 0);
	add_file(tmpdir(), "/sys/class/dmi/id/chassis_asset_tag", tag, sizeof tag - 1, 0);
	look(&azure, tmpdir());
	STR(signal_value(&azure, "TPM NV 0x01400001"), "SNP");
	STR(azure.tee, "az-snp-vtpm");
	STR(json_string(json_get(azure.machine, "vtpm_by")), "paravisor");
	snprintf(root, sizeof root, "%s/other", tmpdir());
	mkdir(root, 0700);
	add_file(root, "/dev/tpmrm0", text.p, text.n, 0);
	look(&other, root);
	OK(other.tee == NULL);		/* anybody can write into his TPM */
	snprintf(root, sizeof root, "%s/broken", tmpdir());
	mkdir(root, 0700);
	add_file(root, "/dev/tpmrm0", "", 0, 0);
	look(&broken, root);
	OK(broken.tee == NULL);
	STR(signal_value(&broken, "TPM NV 0x01400001"), "not readable");
}

TEST(detect_reads_ccel_and_dmi)
{
	uint8_t table[56] = "CCEL";
	AUTO_DETECTED d = { 0 };
	static const char tag[] = "7783-7084-3265-9085-8269-3286-77\n";

	table[36] = 2;
	add_file(tmpdir(), "/sys/firmware/acpi/tables/CCEL", table, sizeof table, 0);
	add_file(tmpdir(), "/sys/firmware/acpi/tables/data/CCEL", table, 4, 0);
	add_file(tmpdir(), "/sys/class/dmi/id/chassis_asset_tag", tag, sizeof tag - 1, 0);
	look(&d, tmpdir());
	STR(signal_value(&d, "ACPI CCEL"), "TDX");
	OK(is_missing(&d, "/dev/tdx_guest"));
	OK(is_missing(&d, "Azure paravisor"));
	STR(json_string(json_at(json_get(d.machine, "event_logs"), 0)), "/sys/firmware/acpi/tables/data/CCEL");
}

/* --- device trees -------------------------------------------------------------------------------------------- */

static void pad4(struct buf *b)
{
	while (b->n % 4)
		buf_byte(b, 0);
}

static void node_begin(struct buf *b, const char *name)
{
	buf_be32(b, 1);
	buf_put(b, name, strlen(name) + 1);
	pad4(b);
}

/* strings block: "compatible" at 0, "model" at 11 */
static void prop(struct buf *b, uint32_t name_at, const void *v, size_t n)
{
	buf_be32(b, 3);
	buf_be32(b, (uint32_t)n);
	buf_be32(b, name_at);
	buf_put(b, v, n);
	pad4(b);
}

static void tree_make(struct buf *ret)
{
	AUTO_BUF s = { 0 };
	static const char strings[] = "compatible\0model";

	node_begin(&s, "");
	prop(&s, 0, "linux,dummy-virt\0second", 24);
	prop(&s, 11, "test board", 11);
	node_begin(&s, "firmware");
	node_begin(&s, "optee");
	prop(&s, 0, "linaro,optee-tz", 16);
	buf_be32(&s, 2);
	buf_be32(&s, 2);
	node_begin(&s, "pool");
	prop(&s, 0, "restricted-dma-pool", 20);
	buf_be32(&s, 2);
	buf_be32(&s, 2);
	buf_be32(&s, 9);
	buf_be32(ret, 0xd00dfeed);
	buf_be32(ret, (uint32_t)(56 + s.n + sizeof strings));
	buf_be32(ret, 56);
	buf_be32(ret, (uint32_t)(56 + s.n));
	buf_be32(ret, 40);
	buf_be32(ret, 17);
	buf_be32(ret, 16);
	buf_be32(ret, 0);
	buf_be32(ret, sizeof strings);
	buf_be32(ret, (uint32_t)s.n);
	buf_fill(ret, 0, 16);
	buf_slice(ret, buf_view(&s));
	buf_put(ret, strings, sizeof strings);
}

TEST(fdt_tells_what_firmware_there_is)
{
	AUTO_BUF b = { 0 };
	AUTO_JSON *j = json_object();
	uint64_t n;

	tree_make(&b);
	WORKS(fdt_describe(j, buf_view(&b), &e));
	STR(json_string(json_path(j, "/model/0")), "test board");
	STR(json_string(json_path(j, "/compatible/1")), "second");
	STR(json_string(json_path(j, "/firmware/optee/0")), "linaro,optee-tz");
	OK(json_u64(json_get(j, "restricted_dma_pools"), &n) && n == 1);
}

TEST(fdt_cut_or_changed_is_malformed)
{
	AUTO_BUF b = { 0 };
	AUTO_JSON *j = json_object();

	tree_make(&b);
	for (size_t n = 0; n < b.n; n++)
		FAILS(fdt_describe(j, slice_of(b.p, n), &e), EC_FORMAT);
	b.p[0] ^= 1;
	FAILS(fdt_describe(j, buf_view(&b), &e), EC_FORMAT);
}

TEST(detect_shows_the_device_tree)
{
	AUTO_BUF b = { 0 };
	AUTO_DETECTED d = { 0 };

	tree_make(&b);
	add_file(tmpdir(), "/sys/firmware/fdt", b.p, b.n, 0);
	look(&d, tmpdir());
	STR(signal_value(&d, "/sys/firmware/fdt"), "present");
	STR(json_string(json_path(d.machine, "/device_tree/model/0")), "test board");
}
