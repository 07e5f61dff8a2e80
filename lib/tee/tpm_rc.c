/* SPDX-License-Identifier: Apache-2.0 */
/* What a TPM says, in words (Part 2, 6.6). */

#include "tee/tpm_int.h"

#define RC_FORMAT_1 0x080
#define RC_PARAMETER 0x040
#define RC_VERSION_2 0x100
#define RC_WARNING 0x800

struct word {
	uint32_t code;
	enum ec ec;
	const char *text, *hint;
};
static const char dictionary[] = "the TPM refuses passwords for a while after failed ones: wait, or have the owner reset the lockout";
static const char password[] = "only empty passwords are tried: somebody has set one";

static const struct word plain[] = {
	{ 0x100, EC_IO, "was not started", "its firmware has to send TPM2_Startup; reboot the machine" },
	{ 0x101, EC_IO, "is in failure mode", "only a reset of the TPM helps" },
	{ 0x120, EC_ABSENT, "has this command disabled", NULL },
	{ 0x124, EC_IO, "wants another kind of authorisation", NULL },
	{ 0x125, EC_IO, "wants an authorisation", NULL },
	{ 0x12d, EC_IO, "wants its firmware upgrade to be finished", NULL },
	{ 0x12f, EC_IO, "has no such authorisation for this object", NULL },
	{ 0x130, EC_IO, "wants a reboot first", NULL },
	{ 0x143, EC_ABSENT, "does not know this command", NULL },
	{ 0x146, EC_IO, "has less data in this NV index", NULL },
	{ 0x147, EC_IO, "says that the data does not fit the NV index", NULL },
	{ 0x148, EC_IO, "has this NV index locked", "it unlocks at the next restart of the TPM" },
	{ 0x149, EC_IO, "does not allow this access to the NV index", "its attributes name who may read and write it" },
	{ 0x14a, EC_ABSENT, "has nothing in this NV index: it was never written", NULL },
	{ 0x14b, EC_IO, "has no room for another NV index", "remove one that is not needed" },
	{ 0x14c, EC_IO, "has this NV index already", NULL },
	{ 0x902, EC_IO, "has no room for another object", "keys were left loaded; /dev/tpmrm0 avoids this, a restart of the TPM clears them" },
	{ 0x903, EC_IO, "has no room for another session", NULL },
	{ 0x904, EC_IO, "is out of memory", NULL },
	{ 0x907, EC_IO, "does not allow this from here (locality)", NULL },
	{ 0x908, EC_IO, "yielded again and again", "it is busy: try again" },
	{ 0x909, EC_IO, "was told to cancel", NULL },
	{ 0x90a, EC_IO, "is still testing itself", "try again" },
	{ 0x910, EC_ABSENT, "has no such transient object", NULL },
	{ 0x920, EC_IO, "limits how often NV is written", "try again later" },
	{ 0x921, EC_IO, "is in lockout", dictionary },
	{ 0x922, EC_IO, "is busy", "try again" },
	{ 0x923, EC_IO, "cannot reach its NV memory", "try again" },
};

/* RC_FORMAT_1 and six bits; these concern one handle, session or parameter. */
static const struct word about[] = {
	{ 0x01, EC_IO, "is not for this kind of key", NULL },
	{ 0x02, EC_IO, "has attributes that do not fit", NULL },
	{ 0x03, EC_ABSENT, "names a hash that this TPM does not have", NULL },
	{ 0x04, EC_IO, "is out of range", NULL },
	{ 0x05, EC_ABSENT, "is a hierarchy that is switched off", NULL },
	{ 0x07, EC_ABSENT, "has a key size that this TPM does not have", NULL },
	{ 0x0a, EC_ABSENT, "is of a type that this TPM does not have", NULL },
	{ 0x0b, EC_ABSENT, "does not exist", NULL },
	{ 0x0d, EC_IO, "is out of range", NULL },
	{ 0x0e, EC_IO, "has another password", password },
	{ 0x12, EC_ABSENT, "names a scheme that does not fit", NULL },
	{ 0x15, EC_IO, "has a wrong size", NULL },
	{ 0x1c, EC_IO, "is a key that does not fit", NULL },
	{ 0x1d, EC_IO, "wants a policy session", NULL },
	{ 0x22, EC_IO, "has another password", password },
	{ 0x24, EC_IO, "has a policy for another command", NULL },
	{ 0x26, EC_ABSENT, "is on a curve that this TPM does not have", NULL },
};

static const struct word *find(const struct word *w, size_t n, uint32_t code)
{
	for (size_t i = 0; i < n; i++)
		if (w[i].code == code)
			return &w[i];
	return NULL;
}

bool tpm_rc_retry(uint32_t rc)
{
	return rc == 0x922 || rc == 0x908 || rc == 0x90a;
}

static int set_about(struct err *e, const char *command, uint32_t rc)
{
	const struct word *w = find(about, sizeof about / sizeof about[0], rc & 0x3f);
	const unsigned n = rc >> 8 & 0xf;
	char what[32];

	if (rc & RC_PARAMETER)
		snprintf(what, sizeof what, "parameter %u", n);
	else if (n & 8)
		snprintf(what, sizeof what, "session %u", n & 7);
	else
		snprintf(what, sizeof what, "handle %u", n);
	err_set(e, w ? w->ec : EC_IO, "%s: the TPM says that %s %s (0x%x)", command, what, w ? w->text : "is not right", rc);
	return w && w->hint ? err_hint(e, "%s", w->hint) : -1;
}

int tpm_rc_set(struct err *e, const char *command, uint32_t rc)
{
	const struct word *w = find(plain, sizeof plain / sizeof plain[0], rc);

	/* the kernel's resource manager answers in its own layer */
	if (rc >> 16)
		return err_set(e, EC_ABSENT, "%s: the resource manager does not pass this command on (0x%x)", command, rc);
	if (rc & RC_FORMAT_1)
		return set_about(e, command, rc);
	if (!(rc & RC_VERSION_2)) {
		err_set(e, EC_ABSENT, "%s: response code 0x%x is one of a TPM 1.2", command, rc);
		return err_hint(e, "wanted a TPM 2.0");
	}
	if (!w)
		return err_set(e, EC_IO, "%s: the TPM answers with %s 0x%x", command, rc & RC_WARNING ? "warning" : "error", rc);
	err_set(e, w->ec, "%s: the TPM %s (0x%x)", command, w->text, rc);
	return w->hint ? err_hint(e, "%s", w->hint) : -1;
}
