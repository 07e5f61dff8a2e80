/* SPDX-License-Identifier: Apache-2.0 */
/* A policy file, and scopes and names to ask it about: a selection always exists. */
#include "image/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const asked[] = { "/a/b/c", "/", "example.com:1/a/b:t", "a.b.c/x@sha256:00", "x" };
	static const char *const transports[] = { "oci", "docker" };
	AUTO_IMAGE_POLICY *policy = NULL;
	AUTO_NAME name = { 0 };
	char text[300] = { 0 };

	memcpy(text, p, n < sizeof text ? n : sizeof text - 1);
	if (!name_parse(&name, text, true, NULL)) {
		const struct identity same = { .kind = MATCH_REPOSITORY };
		AUTO_BUF again = { 0 };

		name_text(&again, &name);
		if (identity_check(&same, &name, buf_cstr(&again), NULL))
			__builtin_trap();	/* a name that was read matches itself */
	}
	if (image_policy_parse(&policy, slice_of(p, n), NULL))
		return 0;
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
			if (!image_policy_select(policy, transports[t], asked[i]))
				__builtin_trap();
	return 0;
}
