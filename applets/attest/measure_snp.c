/* SPDX-License-Identifier: Apache-2.0 */
/* attest measure snp - launch digests of SEV-SNP guests */

#include "base/cursor.h"
#include "codec/hex64.h"
#include "measure.h"
#include "tee/measure_snp.h"
#include "verbs.h"

static const char *const vmm_names[] = { "qemu", "ec2", "gce" };

/* Decimal, or hex with 0x. */
static int parse_number(uint64_t *ret, const char *s, uint64_t max, const char *what, struct err *e)
{
	uint64_t v = 0;

	if (s[0] != '0' || (s[1] | 0x20) != 'x') {
		if (parse_u64(ret, s, max, e))
			return err_ctx(e, "--%s", what);
		return 0;
	}
	for (s += 2; *s; s++) {
		static const char digits[] = "0123456789abcdef";
		const char *d = strchr(digits, *s >= 'A' && *s <= 'F' ? *s | 0x20 : *s);

		if (!d || v >> 60)
			break;
		v = v << 4 | (uint64_t)(d - digits);
	}
	if (*s || s[-1] == 'x' || s[-1] == 'X' || v > max)
		return err_set(e, EC_USAGE, "--%s: wanted a number up to 0x%llx, like 0x21", what, (unsigned long long)max);
	*ret = v;
	return 0;
}

static int vcpu_signature(uint32_t *ret, const struct measure_args *a, struct err *e)
{
	uint64_t v;

	if (!!a->vcpu_type + !!a->vcpu_sig + !!a->family > 1)
		return err_set(e, EC_USAGE, "--vcpu-type, --vcpu-sig and --vcpu-family say the same: give one");
	if (!a->family && (a->model || a->stepping))
		return err_set(e, EC_USAGE, "--vcpu-model and --vcpu-stepping go with --vcpu-family");
	if (a->vcpu_type)
		return snp_vcpu_signature(ret, a->vcpu_type, e);
	if (a->vcpu_sig) {
		if (parse_number(&v, a->vcpu_sig, UINT32_MAX, "vcpu-sig", e))
			return -1;
		*ret = (uint32_t)v;
		return 0;
	}
	if (a->family > 0x10e || a->model > 255 || a->stepping > 15)
		return err_set(e, EC_USAGE, "a vCPU's family is at most 270, its model 255, its stepping 15");
	if (a->family) {
		*ret = snp_vcpu_signature_of((unsigned)a->family, (unsigned)a->model, (unsigned)a->stepping);
		return 0;
	}
	if (a->vmm == SNP_VMM_QEMU) {
		err_set(e, EC_USAGE, "which vCPU model? give --vcpu-type, --vcpu-sig or --vcpu-family");
		return err_hint(e, "QEMU puts the signature of its -cpu model into the first state of each vCPU");
	}
	*ret = 0;	/* others put a constant there */
	return 0;
}

static int hash_file(uint8_t ret[static 32], const char *name, struct err *e)
{
	AUTO_INPUT in = INPUT_NONE;

	if (!name)
		return hash_of(ret, HASH_SHA256, (struct slice){ 0 }, e);
	return input_open(&in, name, e) || source_hash(ret, HASH_SHA256, &in.src, e) ? -1 : 0;
}

static int hash_kernel(struct snp_kernel *k, struct json *inputs, const struct measure_args *a, struct err *e)
{
	const char *append = a->append ? a->append : "";

	if (hash_file(k->kernel, a->kernel, e) || hash_file(k->initrd, a->initrd, e) ||
	    hash_of(k->cmdline, HASH_SHA256, slice_of(append, strlen(append) + 1), e))
		return -1;
	json_add_hex(inputs, "kernel_sha256", slice_of(k->kernel, 32));
	json_add_hex(inputs, "initrd_sha256", slice_of(k->initrd, 32));
	json_add_str(inputs, "append", append);
	return 0;
}

static int read_svsm(struct buf *svsm, uint64_t *vars_size, const struct measure_args *a, struct err *e)
{
	AUTO_INPUT vars = INPUT_NONE;

	if (!a->svsm && (a->vars_size || a->vars_file))
		return err_set(e, EC_USAGE, "--vars-size and --vars-file go with --svsm");
	if (!a->svsm)
		return 0;
	if (!a->vars_size == !a->vars_file)
		return err_set(e, EC_USAGE, "with --svsm, give --vars-size or --vars-file: the SVSM lies below the variable store");
	if (file_read(svsm, a->svsm, OVMF_MAX, e) || input_open(&vars, a->vars_file, e))
		return -1;
	if (svsm->n == 0)
		return err_set(e, EC_FORMAT, "'%s' is empty", a->svsm);
	*vars_size = a->vars_file ? vars.src.size : a->vars_size;
	return 0;
}

/* One value for each set of guest features. */
static int digests(struct values *ret, struct snp_launch *l, const char *ovmf, const struct opt_list *features, struct err *e)
{
	uint8_t d[SNP_DIGEST];

	for (size_t i = 0; i < features->n || i == 0; i++) {
		l->features = 1;
		if (features->n && parse_number(&l->features, features->v[i], UINT64_MAX, "guest-features", e))
			return -1;
		if (snp_launch_digest(d, l, e))
			return err_ctx(e, "'%s'", ovmf);
		if (values_add(ret, "measurement", d, sizeof d, e, "guest features 0x%llx", (unsigned long long)l->features))
			return -1;
	}
	if (features->n < 2 && !l->svsm.n)
		values_note(ret, "guest features are part of the value, and the commonest reason for another one: hosts with debug swap have 0x21.  "
				 "Give --guest-features 0x1 --guest-features 0x21 to accept both");
	return 0;
}

static int read_firmware(struct buf *ret, const struct measure_args *a, struct err *e)
{
	if (!a->ovmf)
		return err_set(e, EC_USAGE, "which firmware? give --ovmf FILE");
	return file_read(ret, a->ovmf, OVMF_MAX, e);
}

int measure_snp_firmware(struct values *ret, struct json *inputs, const struct measure_args *a, struct err *e)
{
	AUTO_BUF firmware = { .max = OVMF_MAX };
	uint8_t d[SNP_DIGEST];

	(void)inputs;
	if (a->fragment)
		return err_set(e, EC_USAGE, "a firmware's digest is no measurement: no policy can be made of it");
	if (read_firmware(&firmware, a, e) || snp_firmware_digest(d, buf_view(&firmware), e))
		return -1;
	return values_add(ret, "firmware", d, sizeof d, e, "%s", "");
}

int measure_snp(struct values *ret, struct json *inputs, const struct measure_args *a, struct err *e)
{
	AUTO_BUF firmware = { .max = OVMF_MAX }, svsm = { .max = OVMF_MAX };
	struct snp_launch l = { .vmm = (enum snp_vmm)a->vmm };
	uint8_t seed[SNP_DIGEST];
	struct snp_kernel k;

	if (a->vcpus == 0 || a->vcpus > SNP_VCPUS_MAX)
		return err_set(e, EC_USAGE, "how many vCPUs? give --vcpus, 1 to %d: each is measured", SNP_VCPUS_MAX);
	if (vcpu_signature(&l.vcpu_signature, a, e) || read_firmware(&firmware, a, e) || read_svsm(&svsm, &l.vars_size, a, e))
		return -1;
	if (a->ovmf_hash && hex_decode_n(seed, sizeof seed, a->ovmf_hash, e)) {
		err_ctx(e, "--snp-ovmf-hash");
		e->code = EC_USAGE;
		return -1;
	}
	if (a->kernel && !a->svsm && hash_kernel(&k, inputs, a, e))
		return -1;
	l.firmware = buf_view(&firmware);
	l.svsm = buf_view(&svsm);
	l.firmware_digest = a->ovmf_hash ? seed : NULL;
	l.vcpus = (unsigned)a->vcpus;
	l.kernel = a->kernel ? &k : NULL;
	json_add_str(inputs, "vmm", vmm_names[a->vmm]);
	json_add_u64(inputs, "vcpus", a->vcpus);
	if (a->vmm == SNP_VMM_QEMU)
		json_add_fmt(inputs, "vcpu_signature", "0x%08x", l.vcpu_signature);
	return digests(ret, &l, a->ovmf, &a->features, e);
}
