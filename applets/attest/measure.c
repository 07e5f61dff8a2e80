/* SPDX-License-Identifier: Apache-2.0 */
/* attest measure - the values that evidence will have, computed from what is going to be launched */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/outfile.h"
#include "codec/hex64.h"
#include "codec/out.h"
#include "measure.h"
#include "verbs.h"

#define INPUT_SIZE_MAX ((uint64_t)64 << 30)

static const char *const vmm_words[] = { "qemu", "ec2", "gce", NULL };
static const char *const order_words[] = { "any", "page", "section", NULL };
static const char *const header_words[] = { "any", "raw", "patched", NULL };
static const char *const initrd_words[] = { "any", "suffix", "prefix", "none", NULL };
static const char *const separator_words[] = { "rtmr1", "rtmr0", NULL };
static const char *const hash_words[] = { "sha256", "sha384", NULL };
static const char *const format_words[] = { "text", "hex", "base64", NULL };

#define args measure_args
static const struct opt measure_opts[] = {
	OPT_STR(0, "ovmf", ovmf, "FILE", "snp, tdx: firmware image, as given to the VMM"),
	OPT_STR(0, "kernel", kernel, "FILE", "snp, tdx: kernel that the VMM loads (QEMU's -kernel); pcr: that firmware or loader starts"),
	OPT_STR(0, "initrd", initrd, "FILE", "snp, tdx, pcr: its initrd (-initrd)"),
	OPT_STR(0, "append", append, "TEXT", "snp, tdx, pcr: its command line (-append)"),
	OPT_UINT(0, "vcpus", vcpus, "N", "snp: number of vCPUs"),
	OPT_STR(0, "vcpu-type", vcpu_type, "MODEL", "snp: vCPU model of QEMU: EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa, EPYC-Turin, also with -v1 .."),
	OPT_STR(0, "vcpu-sig", vcpu_sig, "NUMBER", "snp: CPUID signature of the vCPU, instead of its model"),
	OPT_UINT(0, "vcpu-family", family, "N", "snp: its family, with --vcpu-model and --vcpu-stepping"),
	OPT_UINT(0, "vcpu-model", model, "N", "snp: its model number"),
	OPT_UINT(0, "vcpu-stepping", stepping, "N", "snp: its stepping"),
	OPT_ENUM(0, "vmm-type", vmm, vmm_words, "snp: who launches the guest: qemu (default), ec2 or gce"),
	OPT_LIST(0, "guest-features", features, "NUMBER", "snp: SEV features of the guest (default: 0x1); several give a value each"),
	OPT_STR(0, "snp-ovmf-hash", ovmf_hash, "HEX", "snp: digest of the firmware pages (target snp:ovmf-hash) that stands for those of the image"),
	OPT_STR(0, "svsm", svsm, "FILE", "snp: SVSM image that is launched below the firmware"),
	OPT_SIZE(0, "vars-size", vars_size, "SIZE", "snp: size of the variable store between SVSM and firmware"),
	OPT_STR(0, "vars-file", vars_file, "FILE", "snp: the same, as the size of this file"),
	OPT_SIZE(0, "memory", memory, "SIZE", "tdx: memory of the guest (QEMU's -m)"),
	OPT_ENUM(0, "page-order", page_order, order_words, "tdx: how the VMM measures pages: page, section, or any (default: a value each)"),
	OPT_ENUM(0, "kernel-header", kernel_header, header_words, "tdx: kernel as it is (raw: QEMU 10.1 and later), patched, or any (default)"),
	OPT_ENUM(0, "initrd-word", initrd_word, initrd_words, "tdx: where the firmware adds initrd=initrd: suffix, prefix, none, or any (default)"),
	OPT_ENUM(0, "separator", separator, separator_words, "tdx: register of the firmware's last separator: rtmr1 (default), rtmr0 (EDK2 of 2023)"),
	OPT_STR(0, "acpi-loader", acpi_loader, "FILE", "tdx: QEMU's etc/table-loader, for RTMR0"),
	OPT_STR(0, "acpi-rsdp", acpi_rsdp, "FILE", "tdx: QEMU's etc/acpi/rsdp, for RTMR0"),
	OPT_STR(0, "acpi-tables", acpi_tables, "FILE", "tdx: QEMU's etc/acpi/tables, for RTMR0"),
	OPT_STR(0, "uki", uki, "FILE", "pcr: unified kernel image"),
	OPT_ENUM(0, "hash", hash, hash_words, "pcr: bank, sha256 (default) or sha384"),
	OPT_STR(0, "initdata", initdata, "FILE", "initdata: TOML file, or its compressed forms"),
	OPT_STR(0, "policy-fragment", fragment, "FILE", "write a policy that accepts these values; '-': to standard output, alone"),
	OPT_ENUM(0, "output-format", format, format_words, "hex and base64 print the bare values, one a line"),
	OPT_FLAG('f', "force", force, "overwrite an existing policy file"),
	OPT_END
};
#undef args

/* --- files that are read where they are hashed ---------------------------------------------------------------------- */

static int input_read(const void *arg, uint64_t at, void *p, size_t n, struct err *e)
{
	const struct input *i = arg;

	while (n) {
		const ssize_t got = pread(i->fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, EC_IO, "cannot read '%s'", i->name);
		if (got == 0)
			return err_set(e, EC_IO, "'%s' became shorter while it was read", i->name);
		p = (uint8_t *)p + got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int input_open(struct input *ret, const char *name, struct err *e)
{
	struct stat st;

	if (!name)
		return 0;
	ret->fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (ret->fd < 0)
		return err_sys(e, EC_IO, "cannot open '%s'", name);
	if (fstat(ret->fd, &st))
		return err_sys(e, EC_IO, "cannot read '%s'", name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > INPUT_SIZE_MAX)
		return err_set(e, EC_USAGE, "'%s' is no regular file of at most %d GiB", name, (int)(INPUT_SIZE_MAX >> 30));
	ret->name = name;
	ret->src = (struct source){ .read = input_read, .arg = ret, .size = (uint64_t)st.st_size };
	return 0;
}

void input_close(struct input *i)
{
	fd_close(&i->fd);
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

int values_add(struct values *to, const char *reg, const uint8_t *v, size_t n, struct err *e, const char *when, ...)
{
	struct value *x = &to->v[to->n];
	va_list ap;

	for (size_t i = 0; i < to->n; i++)
		if (!strcmp(to->v[i].reg, reg) && to->v[i].n == n && !memcmp(to->v[i].v, v, n))
			return 0;
	if (to->n == VALUES_MAX || n > sizeof x->v)
		return err_set(e, EC_BUG, "%zu values of %zu bytes", to->n, n);
	snprintf(x->reg, sizeof x->reg, "%s", reg);
	va_start(ap, when);
	vsnprintf(x->when, sizeof x->when, when, ap);
	va_end(ap);
	memcpy(x->v, v, n);
	x->n = n;
	to->n++;
	return 0;
}

void values_missing(struct values *to, const char *reg, const char *why)
{
	struct json *j = json_add_object(to->missing, NULL);

	json_add_str(j, "register", reg);
	json_add_str(j, "why", why);
}

void values_line(struct values *to, const char *name, const char *value, const char *what)
{
	struct json *j = json_add_object(to->lines, NULL);

	json_add_str(j, "name", name);
	json_add_str(j, "value", value);
	json_add_str(j, "what", what);
}

void values_event(struct values *to, uint32_t pcr, const uint8_t *digest, size_t n, const char *what)
{
	char name[16];
	AUTO_BUF b = { 0 };

	snprintf(name, sizeof name, "pcr%u event", pcr);
	buf_hex(&b, slice_of(digest, n));
	values_line(to, name, buf_cstr(&b), what);
}

void values_note(struct values *to, const char *note)
{
	json_add_str(to->notes, NULL, note);
}

/* --- the policy -------------------------------------------------------------------------------------------------------- */

/* The list in a policy that a register's values belong to, made when it is not there yet. */
static struct json *policy_list(struct json *policy, struct json *registers[static 2], struct json *lists[static 24 + 4 + 2], const char *reg)
{
	static const char *const names[2] = { "rtmrs", "pcrs" }, *const prefixes[2] = { "rtmr", "pcr" };

	for (size_t i = 0; i < 2; i++) {
		const size_t n = strlen(prefixes[i]);
		uint64_t k;

		if (strncmp(reg, prefixes[i], n) || parse_u64(&k, reg + n, i ? 23 : 3, NULL))
			continue;
		if (!registers[i])
			registers[i] = json_add_object(policy, names[i]);
		if (!lists[4 * i + k])
			lists[4 * i + k] = json_add_array(registers[i], reg + n);
		return lists[4 * i + k];
	}
	if (!strcmp(reg, "init_data"))
		return lists[28] ? lists[28] : (lists[28] = json_add_array(policy, "init_data"));
	return lists[29] ? lists[29] : (lists[29] = json_add_array(policy, "measurements"));
}

static struct json *policy_of(const struct values *v)
{
	struct json *registers[2] = { 0 }, *lists[24 + 4 + 2] = { 0 }, *p = json_object();

	if (v->policy) {
		for (const struct json *j = json_first(v->policy); j; j = json_next(j))
			json_add_copy(p, json_name(j), j);
		return p;
	}
	json_add_str(p, "schema", "cvmbox.policy/1");
	for (size_t i = 0; i < v->n; i++)
		json_add_hex(policy_list(p, registers, lists, v->v[i].reg), NULL, slice_of(v->v[i].v, v->v[i].n));
	return p;
}

static int write_policy(const struct ctx *cx, const struct json *policy, struct err *e)
{
	const struct measure_args *a = cx->args;
	AUTO_BUF b = { 0 };

	if (json_write(&b, policy, true, e))
		return -1;
	buf_byte(&b, '\n');
	if (buf_check(&b, e))
		return -1;
	if (strcmp(a->fragment, "-"))
		return outfile_write(a->fragment, buf_view(&b), 0644, a->force, e);
	buf_move(&cx->out->data, &b);
	return 0;
}

/* --- the result -------------------------------------------------------------------------------------------------------- */

static int print_bare(struct out *o, const struct values *v, bool base64, struct err *e)
{
	bool one = true;

	for (size_t i = 1; i < v->n; i++)
		one &= !strcmp(v->v[i].reg, v->v[0].reg);
	if (v->n == 0)
		return err_set(e, EC_USAGE, "there are no bare values to print");
	for (size_t i = 0; i < v->n; i++) {
		if (!one)
			buf_printf(&o->data, "%s ", v->v[i].reg);
		(base64 ? b64_encode : hex_encode)(&o->data, slice_of(v->v[i].v, v->v[i].n));
		buf_byte(&o->data, '\n');
	}
	return buf_check(&o->data, e);
}

static void print_text(struct out *o, const struct values *v, const char *policy)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct value *x = &v->v[i];
		AUTO_BUF b = { 0 };

		buf_hex(&b, slice_of(x->v, x->n));
		out_text(o, "%-12s %s%s%s", x->reg, buf_cstr(&b), *x->when ? "  " : "", x->when);
		if (strcmp(x->reg, "measurement"))
			continue;
		buf_reset(&b);
		b64_encode(&b, slice_of(x->v, x->n));
		out_text(o, "%-12s %s", "  base64", buf_cstr(&b));
	}
	for (const struct json *j = json_first(v->lines); j; j = json_next(j))
		out_text(o, "%-12s %s  %s", json_string(json_get(j, "name")), json_string(json_get(j, "value")), json_string(json_get(j, "what")));
	for (const struct json *j = json_first(v->missing); j; j = json_next(j))
		out_text(o, "%-12s not computed: %s", json_string(json_get(j, "register")), json_string(json_get(j, "why")));
	for (const struct json *j = json_first(v->notes); j; j = json_next(j))
		out_text(o, "note: %s", json_string(j));
	if (policy)
		out_text(o, "policy: %s", policy);
}

static void fill_claims(struct json *claims, const struct values *v, const struct json *policy)
{
	struct json *list = json_add_array(claims, "values"), *j;

	for (size_t i = 0; i < v->n; i++) {
		j = json_add_object(list, NULL);
		json_add_str(j, "register", v->v[i].reg);
		json_add_hex(j, "value", slice_of(v->v[i].v, v->v[i].n));
		json_add_b64(j, "base64", slice_of(v->v[i].v, v->v[i].n));
		json_add_str(j, "when", v->v[i].when);
	}
	json_add_copy(claims, "not_computed", v->missing);
	json_add_copy(claims, "notes", v->notes);
	json_add_copy(claims, "policy", policy);
}

static int report(const struct ctx *cx, const struct values *v, const struct json *inputs, struct err *e)
{
	const struct measure_args *a = cx->args;
	const bool alone = a->fragment && !strcmp(a->fragment, "-");
	AUTO_JSON *policy = policy_of(v);

	if (a->fragment && write_policy(cx, policy, e))
		return err_ctx(e, "cannot write the policy");
	for (const struct json *j = json_first(inputs); j; j = json_next(j))
		json_add_copy(cx->out->claims, json_name(j), j);
	fill_claims(cx->out->claims, v, policy);
	if (a->format && !alone)
		return print_bare(cx->out, v, a->format == 2, e);
	if (!alone)
		print_text(cx->out, v, a->fragment);
	return 0;
}

/* --- which options are for whom ------------------------------------------------------------------------------------------ */

enum { FOR_SNP = 1, FOR_HASH = 2, FOR_TDX = 4, FOR_PCR = 8, FOR_INITDATA = 16 };

static const struct target {
	const char *name;
	unsigned bit;
	measure_target *run;
} targets[] = {
	{ "snp", FOR_SNP, measure_snp }, { "snp:ovmf-hash", FOR_HASH, measure_snp_firmware }, { "tdx", FOR_TDX, measure_tdx },
	{ "pcr", FOR_PCR, measure_pcr }, { "initdata", FOR_INITDATA, measure_initdata },
};

static int options_fit(const struct measure_args *a, const struct target *t, struct err *e)
{
	const struct {
		const char *name;
		bool given;
		unsigned targets;
	} given[] = {
		{ "ovmf", a->ovmf, FOR_SNP | FOR_HASH | FOR_TDX }, { "uki", a->uki, FOR_PCR }, { "initdata", a->initdata, FOR_INITDATA }, { "hash", a->hash, FOR_PCR },
		{ "kernel", a->kernel, FOR_SNP | FOR_TDX | FOR_PCR }, { "initrd", a->initrd, FOR_SNP | FOR_TDX | FOR_PCR },
		{ "append", a->append, FOR_SNP | FOR_TDX | FOR_PCR },
		{ "vcpus", a->vcpus, FOR_SNP }, { "vcpu-type", a->vcpu_type, FOR_SNP }, { "vcpu-sig", a->vcpu_sig, FOR_SNP },
		{ "vcpu-family", a->family, FOR_SNP }, { "vcpu-model", a->model, FOR_SNP }, { "vcpu-stepping", a->stepping, FOR_SNP },
		{ "vmm-type", a->vmm, FOR_SNP }, { "guest-features", a->features.n, FOR_SNP }, { "snp-ovmf-hash", a->ovmf_hash, FOR_SNP },
		{ "svsm", a->svsm, FOR_SNP }, { "vars-size", a->vars_size, FOR_SNP }, { "vars-file", a->vars_file, FOR_SNP },
		{ "memory", a->memory, FOR_TDX }, { "page-order", a->page_order, FOR_TDX }, { "kernel-header", a->kernel_header, FOR_TDX },
		{ "initrd-word", a->initrd_word, FOR_TDX }, { "separator", a->separator, FOR_TDX },
		{ "acpi-loader", a->acpi_loader, FOR_TDX }, { "acpi-rsdp", a->acpi_rsdp, FOR_TDX }, { "acpi-tables", a->acpi_tables, FOR_TDX },
	};

	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
		if (given[i].given && !(given[i].targets & t->bit))
			return err_set(e, EC_USAGE, "--%s is not for target '%s'", given[i].name, t->name);
	if (!a->kernel && (a->initrd || a->append) && t->bit != FOR_PCR)
		return err_set(e, EC_USAGE, "--%s goes with --kernel", a->initrd ? "initrd" : "append");
	return 0;
}

static int run_target(const struct ctx *cx, const struct target *t, struct values *v, struct err *e)
{
	const struct measure_args *a = cx->args;
	AUTO_JSON *inputs = json_object();

	v->missing = json_array();
	v->lines = json_array();
	v->notes = json_array();
	json_add_str(inputs, "target", t->name);
	return options_fit(a, t, e) || t->run(v, inputs, a, e) ? -1 : report(cx, v, inputs, e);
}

static int run_measure(const struct ctx *cx, struct err *e)
{
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		struct values *v;
		int rc;

		if (strcmp(targets[i].name, cx->argv[0]))
			continue;
		v = calloc(1, sizeof *v);
		if (!v)
			return err_oom(e);
		rc = run_target(cx, &targets[i], v, e);
		json_free(v->missing);
		json_free(v->notes);
		json_free(v->lines);
		json_free(v->policy);
		free(v);
		return rc ? err_ctx(e, "cannot measure") : 0;
	}
	err_set(e, EC_USAGE, "unknown target '%s'", cx->argv[0]);
	return err_hint(e, "snp, snp:ovmf-hash, tdx, pcr or initdata");
}

const struct verb verb_measure = {
	.name = "measure", .summary = "compute the values that evidence will have, from what is launched",
	.operands = "snp|snp:ovmf-hash|tdx|pcr|initdata", .opts = measure_opts, .args_size = sizeof(struct measure_args),
	.min_operands = 1, .max_operands = 1, .run = run_measure,
};
