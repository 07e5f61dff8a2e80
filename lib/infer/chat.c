/* SPDX-License-Identifier: Apache-2.0 */
/* Forms: inference.md 5.  A Jinja interpreter fed by the model file would be a program fed by the model file; a table is not. */
#include "infer/chat.h"

struct chat_template {
	const char *name;
	const char *sign[2];		/* recognised when the Jinja text holds these; in order of the table */
	const char *sys_pre, *sys_post;
	const char *user_pre, *user_post;	/* user_post ends where the answer starts */
	bool sys_inside;		/* the system text stands inside the user's turn, behind user_pre */
	bool trim;
};

static const struct chat_template templates[] = {
	{ "phi4", { "<|im_start|>", "<|im_sep|>" }, "<|im_start|>system<|im_sep|>", "<|im_end|>", "<|im_start|>user<|im_sep|>",
	  "<|im_end|><|im_start|>assistant<|im_sep|>", false, false },
	{ "chatml", { "<|im_start|>", "" }, "<|im_start|>system\n", "<|im_end|>\n", "<|im_start|>user\n",
	  "<|im_end|>\n<|im_start|>assistant\n", false, false },
	{ "llama2", { "[INST]", "<<SYS>>" }, "<<SYS>>\n", "\n<</SYS>>\n\n", "[INST] ", " [/INST]", true, false },
	{ "mistral", { "[INST]", "" }, "", "\n\n", "[INST] ", "[/INST]", true, false },
	{ "phi3", { "<|assistant|>", "<|end|>" }, "<|system|>\n", "<|end|>\n", "<|user|>\n", "<|end|>\n<|assistant|>\n", false, false },
	{ "zephyr", { "<|user|>", "<|endoftext|>" }, "<|system|>\n", "<|endoftext|>\n", "<|user|>\n",
	  "<|endoftext|>\n<|assistant|>\n", false, false },
	{ "gemma", { "<start_of_turn>", "" }, "", "\n\n", "<start_of_turn>user\n", "<end_of_turn>\n<start_of_turn>model\n", true, true },
	{ "llama3", { "<|start_header_id|>", "<|end_header_id|>" }, "<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>",
	  "<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", false, true },
};
#define N_TEMPLATES (sizeof templates / sizeof templates[0])

const char *const chat_names[] = {
	"chatml", "llama3", "llama2", "mistral", "gemma", "phi3", "phi4", "zephyr", NULL
};

const struct chat_template *chat_by_name(const char *name)
{
	for (size_t i = 0; i < N_TEMPLATES; i++)
		if (strcmp(templates[i].name, name) == 0)
			return &templates[i];
	return NULL;
}

static bool mentions(struct slice s, const char *what)
{
	return s.n && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

const struct chat_template *chat_recognise(struct slice jinja)
{
	for (size_t i = 0; i < N_TEMPLATES; i++)
		if (mentions(jinja, templates[i].sign[0]) && mentions(jinja, templates[i].sign[1]))
			return &templates[i];
	return NULL;
}

const char *chat_name(const struct chat_template *t)
{
	return t->name;
}

/* "<|im_start|>system\nTEXT<|im_end|>" as one constant: TEXT, if no quote or brace shows that it is put together from pieces. */
struct slice chat_default_system(const struct chat_template *t, struct slice jinja)
{
	static const char *const pre[] = { "<|im_start|>system\n", "<|im_start|>system\\n" };
	const struct slice none = { 0 };

	if (strcmp(t->name, "chatml") != 0)
		return none;
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *p = jinja.n ? memmem(jinja.p, jinja.n, pre[i], strlen(pre[i])) : NULL, *end;

		if (!p)
			continue;
		p += strlen(pre[i]);
		end = memmem(p, (size_t)(jinja.p + jinja.n - p), "<|im_end|>", 10);
		if (!end)
			continue;
		for (const uint8_t *c = p; c < end; c++)
			if (*c == '\'' || *c == '"' || *c == '{' || *c == '}' || *c == '\\')
				return none;
		return slice_of(p, (size_t)(end - p));
	}
	return none;
}

size_t chat_render(struct text_part parts[static CHAT_PARTS_MAX], const struct chat_template *t, struct slice sys, struct slice user)
{
	size_t n = 0;

	if (t->trim) {
		sys = slice_trim(sys);
		user = slice_trim(user);
	}
	if (t->sys_inside)
		parts[n++] = (struct text_part){ slice_str(t->user_pre), true };
	if (sys.n) {
		parts[n++] = (struct text_part){ slice_str(t->sys_pre), true };
		parts[n++] = (struct text_part){ sys, false };
		parts[n++] = (struct text_part){ slice_str(t->sys_post), true };
	}
	if (!t->sys_inside)
		parts[n++] = (struct text_part){ slice_str(t->user_pre), true };
	parts[n++] = (struct text_part){ user, false };
	parts[n++] = (struct text_part){ slice_str(t->user_post), true };
	return n;
}
