/* SPDX-License-Identifier: Apache-2.0 */
/* Events of boot loaders and kernels, computed beforehand: see measure_pcr.h. */

#include <string.h>

#include "base/cursor.h"
#include "codec/hex64.h"
#include "tee/eventlog_int.h"
#include "tee/measure_pcr.h"

#define PE_SECTIONS_MAX 96
#define FILL_MAX ((uint64_t)64 << 20)	/* zeros that a section may have in memory behind what the file holds */
#define CMDLINE_MAX 65536

/* In the order in which systemd-stub measures them; .pcrsig cannot be measured, because it signs the result. */
static const char *const order[] = { ".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat", ".pcrpkey" };
#define N_ORDER (sizeof order / sizeof order[0])
static const char *const of_machine[] = { ".profile", ".dtbauto", ".hwids", ".efifw" };

struct section {
	uint64_t at, in_file, in_memory;
};
struct sections {
	const struct source *image;
	struct section v[N_ORDER];	/* in_memory 0: absent */
};

static int source_get(const struct source *s, uint64_t at, void *p, size_t n, struct err *e)
{
	if (at > s->size || n > s->size - at)
		return err_set(e, EC_FORMAT, "the PE image is cut");
	return s->read(s->arg, at, p, n, e);
}

static int take_section(struct sections *t, const uint8_t s[static 40], struct err *e)
{
	char name[9] = { 0 };
	struct section n;

	memcpy(name, s, 8);
	n = (struct section){ .at = get_le32(s + 20), .in_file = get_le32(s + 16), .in_memory = get_le32(s + 8) };
	for (size_t i = 0; i < sizeof of_machine / sizeof of_machine[0]; i++)
		if (!strcmp(name, of_machine[i]) && n.in_memory)
			return err_set(e, EC_ABSENT, "the image has a section '%s': what is measured depends on the machine it starts on", name);
	for (size_t i = 0; i < N_ORDER; i++) {
		if (strcmp(name, order[i]) || n.in_memory == 0)
			continue;
		if (t->v[i].in_memory)
			return err_set(e, EC_FORMAT, "the image has two sections '%s'", name);
		if (n.in_file > n.in_memory)
			n.in_file = n.in_memory;
		if (n.at > t->image->size || n.in_file > t->image->size - n.at || n.in_memory - n.in_file > FILL_MAX)
			return err_set(e, EC_FORMAT, "section '%s' goes beyond the end of the image", name);
		t->v[i] = n;
	}
	return 0;
}

static int find_sections(struct sections *ret, const struct source *image, struct err *e)
{
	uint8_t mz[64], coff[24], s[40];
	struct sections t = { .image = image };
	uint64_t at;
	size_t n;

	if (source_get(image, 0, mz, sizeof mz, e))
		return -1;
	at = get_le32(mz + 60);
	if (mz[0] != 'M' || mz[1] != 'Z' || source_get(image, at, coff, sizeof coff, e) || memcmp(coff, "PE\0", 4))
		return err_set(e, EC_FORMAT, "not a PE image");
	n = get_le16(coff + 6);
	if (n > PE_SECTIONS_MAX)
		return err_set(e, EC_FORMAT, "the PE image has %zu sections, the most is %d", n, PE_SECTIONS_MAX);
	at += 24 + get_le16(coff + 20);
	for (size_t i = 0; i < n; i++, at += sizeof s)
		if (source_get(image, at, s, sizeof s, e) || take_section(&t, s, e))
			return -1;
	*ret = t;
	return 0;
}

bool is_uki(const struct source *image)
{
	struct sections t;
	struct err e = { 0 };

	return find_sections(&t, image, &e) ? e.code == EC_ABSENT : t.v[0].in_memory != 0;
}

void pcr_plan_free(struct pcr_plan *p)
{
	buf_free(&p->cmdline);
	p->n = 0;
}

static struct pcr_event *add(struct pcr_plan *p, uint32_t pcr, const char *form, struct err *e)
{
	if (p->n == PCR_PLAN_MAX) {
		err_set(e, EC_FORMAT, "more than %d events", PCR_PLAN_MAX);
		return NULL;
	}
	p->v[p->n] = (struct pcr_event){ .pcr = pcr, .form = form };
	return &p->v[p->n];	/* counted by the caller when its digest stands */
}

static void what(struct pcr_event *ev, const char *a, const char *b, const char *c)
{
	AUTO_BUF s = { 0 };
	const size_t max = sizeof ev->what - 1;

	buf_printf(&s, "%s%s%s", a, b, c);
	memcpy(ev->what, buf_cstr(&s), s.n < max ? s.n : max);
}

static int add_text(struct pcr_plan *p, uint32_t pcr, const char *form, const char *for_people, struct slice hashed, struct err *e)
{
	struct pcr_event *ev = add(p, pcr, form, e);

	if (!ev || hash_of(ev->digest, p->alg, hashed, e))
		return -1;
	what(ev, for_people, "", "");
	p->n++;
	return 0;
}

static int section_hash(uint8_t *ret, enum hash alg, const struct source *image, const struct section *s, struct err *e)
{
	static const uint8_t zeros[4096];
	AUTO_HASHER h = { 0 };

	if (hasher_init(&h, alg, e) || source_add(&h, image, s->at, s->in_file, e))
		return -1;
	for (uint64_t left = s->in_memory - s->in_file; left;) {
		const size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;

		if (hasher_add(&h, slice_of(zeros, n), e))
			return -1;
		left -= n;
	}
	return hasher_end(&h, ret, e);
}

static int measure_section(struct pcr_plan *p, const struct sections *t, size_t i, struct err *e)
{
	struct pcr_event *ev = add(p, 11, "uki", e);

	if (!ev || hash_of(ev->digest, p->alg, slice_of(order[i], strlen(order[i]) + 1), e))
		return -1;
	what(ev, "section ", order[i], ", its name");
	p->n++;
	ev = add(p, 11, "uki", e);
	if (!ev || section_hash(ev->digest, p->alg, t->image, &t->v[i], e))
		return -1;
	what(ev, "section ", order[i], ", its content");
	p->n++;
	return 0;
}

struct part {
	const struct source *whole;
	uint64_t at;
};

static int part_read(const void *arg, uint64_t at, void *p, size_t n, struct err *e)
{
	const struct part *part = arg;

	return part->whole->read(part->whole->arg, part->at + at, p, n, e);
}

static int add_image(struct pcr_plan *p, const struct source *image, const char *for_people, struct err *e)
{
	struct pcr_event *ev = add(p, 4, "image", e);

	if (!ev || authenticode(ev->digest, p->alg, image, (struct slice){ 0 }, e))
		return -1;
	what(ev, for_people, "", "");
	p->n++;
	return 0;
}

int measure_kernel(struct pcr_plan *p, const struct source *image, struct err *e)
{
	return add_image(p, image, "the kernel as a PE image", e);
}

static bool is_pe(const struct source *s)
{
	uint8_t mz[2];

	return s->size > 64 && !s->read(s->arg, 0, mz, 2, NULL) && mz[0] == 'M' && mz[1] == 'Z';
}

static int take_cmdline(struct pcr_plan *p, const struct sections *t, struct err *e)
{
	const struct section *s = &t->v[2];
	uint8_t *to;

	if (s->in_memory == 0 || s->in_file > CMDLINE_MAX)	/* no kernel takes so long a one: it has a digest, and no text */
		return 0;
	buf_reset(&p->cmdline);
	to = buf_grow(&p->cmdline, (size_t)s->in_file);
	if (!to || source_get(t->image, s->at, to, (size_t)s->in_file, e))
		return to ? -1 : err_oom(e);
	if (p->cmdline.n && to[p->cmdline.n - 1] == 0)
		p->cmdline.n--;
	if (p->cmdline.n && to[p->cmdline.n - 1] == '\n')
		to[--p->cmdline.n] = 0;
	return 0;
}

int measure_uki(struct pcr_plan *p, const struct source *image, struct err *e)
{
	struct part inner;
	struct source kernel;
	struct sections t;

	if (find_sections(&t, image, e))
		return -1;
	if (t.v[0].in_memory == 0)
		return err_set(e, EC_FORMAT, "the PE image has no section '.linux': it is no unified kernel image");
	if (add_image(p, image, "the unified kernel image", e))
		return -1;
	inner = (struct part){ image, t.v[0].at };
	kernel = (struct source){ part_read, &inner, t.v[0].in_file };
	if (is_pe(&kernel) && add_image(p, &kernel, "the kernel in it (section .linux)", e))
		return err_ctx(e, "section '.linux'");
	for (size_t i = 0; i < N_ORDER; i++)
		if (t.v[i].in_memory && measure_section(p, &t, i, e))
			return -1;
	if (take_cmdline(p, &t, e))
		return -1;
	p->uki = true;
	return 0;
}

int measure_cmdline(struct pcr_plan *p, struct slice text, struct err *e)
{
	AUTO_BUF wide = { 0 }, grub = { 0 };

	utf8_to_utf16(&wide, text);
	buf_le16(&wide, 0);
	utf8_to_utf16(&grub, SLICE("BOOT_IMAGE="));
	utf8_to_utf16(&grub, text);
	if (buf_check(&wide, e) || buf_check(&grub, e))
		return -1;
	return add_text(p, 8, "cmdline", "GRUB: kernel_cmdline", text, e) ||
	       add_text(p, 8, "cmdline", "systemd-boot before version 252", buf_view(&wide), e) ||
	       add_text(p, 9, "cmdline", "Linux EFI stub: load options", buf_view(&wide), e) ||
	       add_text(p, 9, "cmdline", "Linux EFI stub: load options as GRUB passes them", buf_view(&grub), e) ||
	       add_text(p, 12, "cmdline", "systemd-stub, systemd-boot: a command line that was passed", buf_view(&wide), e) ? -1 : 0;
}

int measure_initrd(struct pcr_plan *p, const struct source *initrd, struct err *e)
{
	struct pcr_event *ev = add(p, 9, "initrd", e);

	if (!ev || source_hash(ev->digest, p->alg, initrd, e))
		return -1;
	what(ev, "Linux EFI stub, GRUB: the initrd", "", "");
	p->n++;
	return 0;
}

int pcr11_value(uint8_t *ret, const struct pcr_plan *p, const char *phases, struct err *e)
{
	uint8_t v[HASH_MAX] = { 0 }, d[HASH_MAX];
	const char *at = phases;

	if (!p->uki)
		return err_set(e, EC_USAGE, "PCR 11 needs a unified kernel image");
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].pcr == 11 && register_extend(v, p->alg, p->v[i].digest, e))
			return -1;
	while (*at) {
		const size_t n = strcspn(at, ":");

		if (hash_of(d, p->alg, slice_of(at, n), e) || register_extend(v, p->alg, d, e))
			return -1;
		at += n + (at[n] == ':');
	}
	memcpy(ret, v, hash_size(p->alg));
	return 0;
}

static const char *const phases[] = {
	"", "enter-initrd", "enter-initrd:leave-initrd", "enter-initrd:leave-initrd:sysinit", "enter-initrd:leave-initrd:sysinit:ready"
};
#define N_PHASES (sizeof phases / sizeof phases[0])

int pcr_plan_json(struct json *to, const struct pcr_plan *p, struct err *e)
{
	struct json *events, *values;

	json_add_str(to, "hash", hash_name(p->alg));
	events = json_add_array(to, "events");
	for (size_t i = 0; i < p->n; i++) {
		struct json *j = json_add_object(events, NULL);

		json_add_u64(j, "pcr", p->v[i].pcr);
		json_add_str(j, "form", p->v[i].form);
		json_add_str(j, "what", p->v[i].what);
		json_add_hex(j, "digest", slice_of(p->v[i].digest, hash_size(p->alg)));
	}
	if (!p->uki)
		return 0;
	values = json_add_object(to, "pcr11");
	for (size_t i = 0; i < N_PHASES; i++) {
		uint8_t v[HASH_MAX];

		if (pcr11_value(v, p, phases[i], e))
			return -1;
		json_add_hex(values, phases[i][0] ? phases[i] : "boot", slice_of(v, hash_size(p->alg)));
	}
	return 0;
}

/* A quote is taken in any phase from the initrd on. */
static int policy_pcr11(struct json *to, const struct pcr_plan *p, struct err *e)
{
	struct json *list = json_add_array(json_add_object(to, "pcrs"), "11");

	for (size_t i = 1; i < N_PHASES; i++) {
		uint8_t v[HASH_MAX];

		if (pcr11_value(v, p, phases[i], e))
			return -1;
		json_add_hex(list, NULL, slice_of(v, hash_size(p->alg)));
	}
	return 0;
}

int pcr_plan_policy(struct json *to, const struct pcr_plan *p, struct err *e)
{
	struct json *images = NULL;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].form, "image"))
			continue;
		if (!images)
			images = json_add_array(to, "boot_images");
		json_add_hex(images, NULL, slice_of(p->v[i].digest, hash_size(p->alg)));
	}
	if (p->cmdline.n && strlen(buf_cstr(&p->cmdline)) == p->cmdline.n)
		json_add_str(json_add_array(to, "kernel_cmdlines"), NULL, buf_cstr(&p->cmdline));
	return p->uki ? policy_pcr11(to, p, e) : 0;
}
