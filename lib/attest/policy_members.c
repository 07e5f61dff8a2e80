/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy file may say, in one table, so that a misspelt member is an error and not a hole. */

#include <ctype.h>
#include <stddef.h>

#include "attest/kinds.h"
#include "attest/policy_int.h"
#include "base/cursor.h"
#include "codec/hex64.h"

#define LIST_MAX 4096

/* --- values ----------------------------------------------------------------------------------------------- */

static bool is_hex(const char *s)
{
	const struct slice text = slice_str(s);

	return hex_is(text) && text.n % 2 == 0;
}

static int add_text(struct texts *t, const char *s, bool fold, struct err *e)
{
	char **v = realloc(t->v, (t->n + 1) * sizeof *v);
	char *copy;

	if (!v)
		return err_oom(e);
	t->v = v;
	copy = str_dup(s, e);
	if (!copy)
		return -1;
	if (fold && is_hex(copy))	/* hex in either case is the same value */
		for (char *c = copy; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	t->v[t->n++] = copy;
	return 0;
}

/* An empty list would accept nothing or anything, depending on the reader: it is neither. */
static int read_list(struct texts *t, const struct json *arr, const char *name, size_t longest, bool fold, struct err *e)
{
	if (!json_is_array(arr) || json_count(arr) == 0 || json_count(arr) > LIST_MAX) {
		err_set(e, EC_FORMAT, "member '%s': wanted a list of 1 to %d strings", name, LIST_MAX);
		return err_hint(e, "to accept any value, leave the member out");
	}
	for (const struct json *v = json_first(arr); v; v = json_next(v)) {
		const char *s = json_string(v);

		if (!s || !s[0] || strnlen(s, longest + 1) > longest)
			return err_set(e, EC_FORMAT, "member '%s': wanted strings of 1 to %zu characters", name, longest);
		if (add_text(t, s, fold, e))
			return -1;
	}
	return 0;
}

int policy_texts(struct texts *t, const struct json *o, const char *name, struct err *e)
{
	return json_get(o, name) ? read_list(t, json_get(o, name), name, 256, true, e) : 0;
}

/* Hex of one of these lengths in bytes; 0 ends the list. */
static int all_hex(const struct texts *t, const char *name, const unsigned char *sizes, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const size_t n = strnlen(t->v[i], 1024);
		bool fits = false;

		for (const unsigned char *s = sizes; *s; s++)
			fits |= n == 2 * (size_t)*s;
		if (!is_hex(t->v[i]) || !fits)
			return err_set(e, EC_FORMAT, "member '%s': '%s' is not %u bytes in hex", name, t->v[i], sizes[0]);
	}
	return 0;
}

/* A measurement in base64 or of another length would never match: say so now.  Other words are kept for kinds whose
 * digest is a word (sample). */
int policy_measurements_make_sense(const struct texts *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const size_t n = strnlen(t->v[i], 1024);
		AUTO_BUF raw = { 0 };
		struct err no = { 0 };

		if (n == 64 && !is_hex(t->v[i]) && !b64_decode(&raw, slice_str(t->v[i]), &no) && raw.n == 48) {
			AUTO_BUF hex = { 0 };

			buf_hex(&hex, buf_view(&raw));
			err_set(e, EC_FORMAT, "member 'measurements': '%s' is base64, wanted hex", t->v[i]);
			return err_hint(e, "that is %s", buf_cstr(&hex));
		}
	}
	return 0;
}

/* --- members ------------------------------------------------------------------------------------------------ */

struct bit_name {
	const char *name;
	unsigned bit;
};
static const struct bit_name platform_bits[] = {
	{ "smt", 0 }, { "tsme", 1 }, { "ecc", 2 }, { "rapl_dis", 3 }, { "ciphertext_hiding", 4 }, { "alias_check", 5 }, { "sev_tio", 7 }, { 0 }
};
static const struct bit_name guest_policy_bits[] = {
	{ "smt", 16 }, { "single_socket", 20 }, { "cxl_allow", 21 }, { "mem_aes_256_xts", 22 }, { "rapl_dis", 23 },
	{ "ciphertext_hiding", 24 }, { "page_swap_disable", 25 }, { 0 }
};
static const struct bit_name td_bits[] = {
	{ "sept_ve_disable", 28 }, { "pks", 30 }, { "kl", 31 }, { "perfmon", 63 }, { 0 }
};

enum member_form {
	M_WORDS,	/* texts, hex folded to lower case */
	M_LINES,	/* texts as they are */
	M_LINES_OR_NONE,	/* likewise, and an empty list says "none" */
	M_HEX,		/* hex of given lengths */
	M_INDEXED,	/* {"0": [hex]}, into an array of texts */
	M_BOOL, M_U32, M_U64, M_AGE,
	M_BITS,		/* {"name": true|false} */
	M_FLOORS, M_ABI, M_MASK,
	M_DOTTED,	/* text of numbers with dots, into char[32] */
	M_CHOICE,	/* one of words, into an int */
	M_SOME,		/* texts, each one of words */
	M_DIGITS,	/* texts of decimal digits */
	M_INDEXES,	/* [9, 36]: bits */
	M_OBJECT	/* an object, kept as it is */
};
struct member {
	const char *name;
	enum member_form form;
	size_t at;			/* in struct limits */
	unsigned char sizes[4];		/* M_HEX, M_INDEXED: bytes, 0 ends */
	uint32_t min, max;		/* M_U32: values; M_INDEXED: max is the number of entries */
	const struct bit_name *bits;
	const char *const *words;	/* M_CHOICE, M_SOME: NULL ends */
};
static const char *const gpu_modes[] = { "spt", "mpt", "ppcie", NULL };
#define AT(field) offsetof(struct limits, field)
static const struct member members[] = {
	{ "kinds", M_WORDS, AT(kinds) },
	{ "measurements", M_WORDS, AT(measurements) },
	{ "init_data", M_HEX, AT(init_data), { 32, 48, 64 } },
	{ "allow_debug", M_BOOL, AT(allow_debug) },
	{ "allow_migrate", M_BOOL, AT(allow_migrate) },

	{ "chip_ids", M_HEX, AT(chip_ids), { 64, 8 } },
	{ "host_data", M_HEX, AT(host_data), { 32 } },
	{ "family_ids", M_HEX, AT(family_ids), { 16 } },
	{ "image_ids", M_HEX, AT(image_ids), { 16 } },
	{ "id_key_digests", M_HEX, AT(id_keys), { 48 } },
	{ "author_key_digests", M_HEX, AT(author_keys), { 48 } },
	{ "min_tcb", M_FLOORS, AT(min_tcb[TCB_REPORTED]) },
	{ "min_committed_tcb", M_FLOORS, AT(min_tcb[TCB_COMMITTED]) },
	{ "min_launch_tcb", M_FLOORS, AT(min_tcb[TCB_LAUNCH]) },
	{ "min_current_tcb", M_FLOORS, AT(min_tcb[TCB_CURRENT]) },
	{ "min_report_version", M_U32, AT(min_report_version), .min = 2, .max = 5 },
	{ "vmpl_max", M_U32, AT(vmpl_max), .max = 3 },
	{ "min_guest_svn", M_U32, AT(min_guest_svn), .max = UINT32_MAX },
	{ "min_abi", M_ABI, AT(min_abi) },
	{ "platform", M_BITS, AT(platform), .bits = platform_bits },
	{ "guest_policy", M_BITS, AT(guest_policy), .bits = guest_policy_bits },
	{ "mitigations", M_MASK, AT(mitigations) },

	{ "tcb_status", M_LINES, AT(tcb_status) },
	{ "advisories", M_LINES_OR_NONE, AT(advisories) },
	{ "allow_service_td", M_BOOL, AT(allow_service_td) },
	{ "min_tcb_evaluation", M_U64, AT(min_evaluation) },
	{ "mr_seam", M_HEX, AT(mr_seam), { 48 } },
	{ "mr_config_id", M_HEX, AT(mr_config_id), { 48 } },
	{ "mr_owner", M_HEX, AT(mr_owner), { 48 } },
	{ "mr_owner_config", M_HEX, AT(mr_owner_config), { 48 } },
	{ "fmspc", M_HEX, AT(fmspc), { 6 } },
	{ "ppid", M_HEX, AT(ppid), { 16 } },
	{ "xfam", M_HEX, AT(xfam), { 8 } },
	{ "rtmrs", M_INDEXED, AT(rtmr), { 48 }, .max = 4 },
	{ "td_attributes", M_BITS, AT(td_attributes), .bits = td_bits },

	{ "pcrs", M_INDEXED, AT(pcr), { 32, 48, 64 }, .max = LIMIT_PCRS },
	{ "ak_keys", M_HEX, AT(ak_keys), { 32 } },
	{ "kernel_cmdlines", M_LINES, AT(kernel_cmdlines) },
	{ "boot_images", M_HEX, AT(boot_images), { 32, 48, 64 } },
	{ "secure_boot", M_BOOL, AT(want_secure_boot) },

	{ "implementation_ids", M_HEX, AT(implementation_ids), { 32 } },
	{ "instance_ids", M_HEX, AT(instance_ids), { 33 } },
	{ "realm_personalization", M_HEX, AT(realm_pvs), { 64 } },
	{ "rems", M_INDEXED, AT(rem), { 32, 64, 48 }, .max = 4 },

	{ "gpu_count", M_U32, AT(gpu_count), .min = 1, .max = 1024 },
	{ "gpu_modes", M_SOME, AT(gpu_modes), .words = gpu_modes },
	{ "gpu_ueids", M_DIGITS, AT(gpu_ueids) },
	{ "gpu_drivers", M_LINES, AT(gpu_drivers) },
	{ "gpu_vbios", M_LINES, AT(gpu_vbios) },
	{ "switch_bios", M_LINES, AT(switch_bios) },
	{ "min_gpu_driver", M_DOTTED, AT(min_gpu_driver), .max = 10 },
	{ "min_gpu_vbios", M_DOTTED, AT(min_gpu_vbios), .max = 16 },
	{ "gpu_accepted_mismatches", M_INDEXES, AT(gpu_mismatch), .max = LIMIT_GPU_INDEXES },
	{ "gpu_measurements", M_INDEXED, AT(gpu_measurements), { 48 }, .max = LIMIT_GPU_INDEXES },
	{ "gpu_tolerate", M_SOME, AT(gpu_tolerate), .words = gpu_tolerable },
	{ "gpu_ocsp", M_CHOICE, AT(gpu_ocsp), .words = ocsp_class_names },
	{ "gpu_claims", M_OBJECT, AT(gpu_claims) },
	{ "switch_claims", M_OBJECT, AT(switch_claims) },
	{ "nras_claims", M_OBJECT, AT(nras_claims) },

	{ "max_collateral_age", M_AGE, AT(max_collateral_age) },
};
#define N_MEMBERS (sizeof members / sizeof members[0])

static int need_object(const struct json *v, const char *name, struct err *e)
{
	return json_is_object(v) ? 0 : err_set(e, EC_FORMAT, "member '%s': wanted an object", name);
}

static int read_number(uint64_t *ret, const struct json *v, const char *name, uint64_t min, uint64_t max, struct err *e)
{
	uint64_t n;

	if (!json_u64(v, &n) || n < min || n > max)
		return err_set(e, EC_FORMAT, "member '%s': wanted a number from %llu to %llu", name, (unsigned long long)min,
			       (unsigned long long)max);
	*ret = n;
	return 0;
}

static int read_bits(struct bits *ret, const struct json *o, const struct member *m, struct err *e)
{
	if (need_object(o, m->name, e))
		return -1;
	for (const struct json *v = json_first(o); v; v = json_next(v)) {
		const struct bit_name *b = m->bits;

		while (b->name && strcmp(b->name, json_name(v)))
			b++;
		if (!b->name || !json_is_bool(v))
			return err_set(e, EC_FORMAT, "member '%s': '%s' is no bit of it that can be true or false", m->name, json_name(v));
		if (json_true(v))
			ret->set |= UINT64_C(1) << b->bit;
		else
			ret->clear |= UINT64_C(1) << b->bit;
	}
	return 0;
}

static int read_parts(int floor[static TCB_PARTS], const struct json *part, const char *name, struct err *e)
{
	for (size_t i = 0; i < TCB_PARTS; i++) {
		uint64_t v = 0;

		if (strcmp(json_name(part), tcb_part_names[i]))
			continue;
		if (read_number(&v, part, name, 0, 255, e))
			return -1;
		floor[i] = (int)v;
		return 0;
	}
	return err_set(e, EC_FORMAT, "member '%s': there is no part '%s'", name, json_name(part));
}

/* {"snp": 8} for any product, or {"Milan": {"snp": 8}, ...}; both may stand side by side. */
static int read_floors(int floors[static TCB_PRODUCTS][TCB_PARTS], const struct json *o, const char *name, struct err *e)
{
	if (need_object(o, name, e))
		return -1;
	for (const struct json *v = json_first(o); v; v = json_next(v)) {
		size_t p = TCB_PRODUCTS - 1;

		while (p > TCB_ANY && strcmp(json_name(v), tcb_product_names[p]))
			p--;
		if (p == TCB_ANY) {
			if (read_parts(floors[TCB_ANY], v, name, e))
				return -1;
			continue;
		}
		if (need_object(v, name, e))
			return -1;
		for (const struct json *part = json_first(v); part; part = json_next(part))
			if (read_parts(floors[p], part, name, e))
				return -1;
	}
	return 0;
}

static int read_abi(uint32_t *ret, const struct json *v, const char *name, struct err *e)
{
	const char *s = json_string(v), *dot = s ? strchr(s, '.') : NULL;
	AUTO_STR *major = dot ? str_printf(e, "%.*s", (int)(dot - s), s) : NULL;
	uint64_t a, b;
	struct err no = { 0 };

	if (!major || parse_u64(&a, major, 255, &no) || parse_u64(&b, dot + 1, 255, &no))
		return err_set(e, EC_FORMAT, "member '%s': wanted \"MAJOR.MINOR\"", name);
	*ret = (uint32_t)(a << 8 | b);
	return 0;
}

static int read_mask(uint64_t *ret, const struct json *v, const char *name, struct err *e)
{
	const char *s = json_string(v);
	AUTO_BUF raw = { .max = 8 };
	struct err no = { 0 };

	if (!s)
		return read_number(ret, v, name, 0, UINT64_MAX, e);
	if (strncmp(s, "0x", 2) || !s[2] || hex_decode(&raw, slice_str(s + 2), &no))
		return err_set(e, EC_FORMAT, "member '%s': wanted a number, or \"0x..\" with an even count of digits", name);
	*ret = 0;
	for (size_t i = 0; i < raw.n; i++)
		*ret = *ret << 8 | raw.p[i];
	return 0;
}

static int read_indexed(struct texts *t, const struct json *o, const struct member *m, struct err *e)
{
	if (need_object(o, m->name, e))
		return -1;
	for (const struct json *v = json_first(o); v; v = json_next(v)) {
		struct err no = { 0 };
		uint64_t i;

		if (parse_u64(&i, json_name(v), m->max - 1, &no))
			return err_set(e, EC_FORMAT, "member '%s': '%s' is no index from 0 to %u", m->name, json_name(v), m->max - 1);
		if (t[i].n)	/* "1" and "01" */
			return err_set(e, EC_FORMAT, "member '%s': index %llu stands there twice", m->name, (unsigned long long)i);
		if (read_list(&t[i], v, m->name, 256, true, e) || all_hex(&t[i], m->name, m->sizes, e))
			return -1;
	}
	return 0;
}

static bool is_one_of(const char *s, const char *const *words, size_t *which)
{
	for (size_t i = 0; words[i]; i++)
		if (s && !strcmp(words[i], s)) {
			*which = i;
			return true;
		}
	return false;
}

static int not_a_word(const struct member *m, const char *s, struct err *e)
{
	AUTO_BUF list = { 0 };

	for (size_t i = 0; m->words[i]; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", m->words[i]);
	return err_set(e, EC_FORMAT, "member '%s': '%s' is not one of %s", m->name, s ? s : "(no text)", buf_cstr(&list));
}

static int read_choice(void *at, const struct member *m, const struct json *v, struct err *e)
{
	size_t which;

	if (!is_one_of(json_string(v), m->words, &which))
		return not_a_word(m, json_string(v), e);
	*(enum ocsp_class *)at = (enum ocsp_class)which;
	return 0;
}

static int read_some(struct texts *t, const struct member *m, const struct json *v, struct err *e)
{
	size_t which;

	if (read_list(t, v, m->name, 64, false, e))
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (!is_one_of(t->v[i], m->words, &which))
			return not_a_word(m, t->v[i], e);
	return 0;
}

static int read_digits(struct texts *t, const struct member *m, const struct json *v, struct err *e)
{
	if (read_list(t, v, m->name, 64, false, e))
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i][strspn(t->v[i], "0123456789")])
			return err_set(e, EC_FORMAT, "member '%s': '%s' is no decimal number", m->name, t->v[i]);
	return 0;
}

/* "550.90.07", or "96.00.CF.00.01" where max is 16. */
static int read_dotted(char ret[static 32], const struct member *m, const struct json *v, struct err *e)
{
	const char *s = json_string(v), *digits = m->max == 16 ? "0123456789ABCDEFabcdef" : "0123456789";
	bool fits = s && s[0] && strnlen(s, 32) < 32;

	for (const char *c = s; fits && *c; c += strspn(c, ".")) {
		const size_t n = strspn(c, digits);

		fits = n && (c[n] == '\0' || (c[n] == '.' && c[n + 1] && c[n + 1] != '.'));
		c += n;
	}
	if (!fits)
		return err_set(e, EC_FORMAT, "member '%s': wanted a version such as \"%s\"", m->name, m->max == 16 ? "96.00.CF.00.01" : "550.90.07");
	snprintf(ret, 32, "%s", s);
	return 0;
}

static int read_indexes(uint64_t *ret, const struct member *m, const struct json *v, struct err *e)
{
	if (!json_is_array(v) || json_count(v) == 0)
		return err_set(e, EC_FORMAT, "member '%s': wanted a list of indexes", m->name);
	for (const struct json *i = json_first(v); i; i = json_next(i)) {
		uint64_t n = 0;

		if (read_number(&n, i, m->name, 0, m->max - 1, e))
			return -1;
		*ret |= UINT64_C(1) << n;
	}
	return 0;
}

static int read_object(struct json **ret, const struct member *m, const struct json *v, struct err *e)
{
	if (need_object(v, m->name, e))
		return -1;
	if (json_count(v) == 0)
		return err_set(e, EC_FORMAT, "member '%s' is empty: leave it out to ask nothing", m->name);
	*ret = json_copy(v, e);
	return *ret ? 0 : -1;
}

static int read_member(struct limits *l, const struct member *m, const struct json *v, struct err *e)
{
	void *at = (char *)l + m->at;
	uint64_t n = 0;

	switch (m->form) {
	case M_WORDS:
		return read_list(at, v, m->name, 256, true, e);
	case M_LINES_OR_NONE:
		if (json_is_array(v) && json_count(v) == 0)
			return 0;
		return read_list(at, v, m->name, 8192, false, e);
	case M_LINES:
		return read_list(at, v, m->name, 8192, false, e);
	case M_HEX:
		return read_list(at, v, m->name, 256, true, e) || all_hex(at, m->name, m->sizes, e) ? -1 : 0;
	case M_INDEXED:
		return read_indexed(at, v, m, e);
	case M_BOOL:
		if (!json_is_bool(v))
			return err_set(e, EC_FORMAT, "member '%s': wanted true or false", m->name);
		*(bool *)at = json_true(v);
		return 0;
	case M_U32:
		if (read_number(&n, v, m->name, m->min, m->max, e))
			return -1;
		*(uint32_t *)at = (uint32_t)n;
		return 0;
	case M_U64:
		return read_number(at, v, m->name, 0, UINT32_MAX, e);
	case M_AGE:
		if (read_number(&n, v, m->name, 1, UINT32_MAX, e))
			return -1;
		*(int64_t *)at = (int64_t)n;
		return 0;
	case M_BITS:
		return read_bits(at, v, m, e);
	case M_FLOORS:
		return read_floors(at, v, m->name, e);
	case M_ABI:
		return read_abi(at, v, m->name, e);
	case M_MASK:
		return read_mask(at, v, m->name, e);
	case M_DOTTED:
		return read_dotted(at, m, v, e);
	case M_CHOICE:
		return read_choice(at, m, v, e);
	case M_SOME:
		return read_some(at, m, v, e);
	case M_DIGITS:
		return read_digits(at, m, v, e);
	case M_INDEXES:
		return read_indexes(at, m, v, e);
	case M_OBJECT:
		return read_object(at, m, v, e);
	}
	return err_set(e, EC_BUG, "member '%s' has no form", m->name);
}

int policy_kinds_known(const struct texts *t, struct err *e)
{
	AUTO_BUF names = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (!kind_by_name(t->v[i])) {
			kind_names(&names);
			return err_set(e, EC_FORMAT, "member 'kinds': '%s' is not one of %s", t->v[i], buf_cstr(&names));
		}
	return 0;
}
static int statuses_known(const struct texts *t, struct err *e)
{
	static const char *const words[] = {
		"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
		"OutOfDateConfigurationNeeded", "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded", NULL
	};

	for (size_t i = 0; i < t->n; i++) {
		size_t w = 0;

		while (words[w] && strcmp(words[w], t->v[i]))
			w++;
		if (!words[w]) {
			err_set(e, EC_FORMAT, "member 'tcb_status': '%s' is no status that can be accepted", t->v[i]);
			return err_hint(e, "Revoked and NotSupported never are");
		}
	}
	return 0;
}

int policy_limits_read(struct limits *l, const struct json *o, const char *const *others, struct err *e)
{
	for (const struct json *v = json_first(o); v; v = json_next(v)) {
		const char *name = json_name(v);
		size_t i = 0, k = 0;

		while (i < N_MEMBERS && strcmp(members[i].name, name))
			i++;
		while (others[k] && strcmp(others[k], name))
			k++;
		if (i < N_MEMBERS ? read_member(l, &members[i], v, e)
				  : !others[k] && err_set(e, EC_FORMAT, "unknown member '%s' in the policy", name))
			return -1;
	}
	l->has_advisories = json_get(o, "advisories");
	return policy_kinds_known(&l->kinds, e) || policy_measurements_make_sense(&l->measurements, e) || statuses_known(&l->tcb_status, e) ? -1 : 0;
}
