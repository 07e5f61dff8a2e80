/* SPDX-License-Identifier: Apache-2.0 */
/* everything that users and shells read about options, printed from the tables of the applets */

#include "cvmbox.h"

#include "codec/json.h"

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_KIND_FLAG && o->kind != OPT_KIND_COUNT;
}

/* "on|off|devtools" for words, "FILE" for the rest. */
static void put_arg(struct buf *b, const struct opt *o)
{
	if (o->kind != OPT_KIND_ENUM) {
		buf_puts(b, o->arg ? o->arg : "VALUE");
		return;
	}
	for (int i = 0; o->names[i]; i++)
		buf_printf(b, "%s%s", i ? "|" : "", o->names[i]);
}

/* Words up to column 'width', line ends inside kept; all lines but the first begin with that many spaces. */
static void put_indented(struct buf *b, const char *s, size_t width, int indent)
{
	size_t col = 0;

	while (*s) {
		const size_t n = strcspn(s, " \n");

		if (col && col + 1 + n > width) {
			buf_printf(b, "\n%*s", indent, "");
			col = 0;
		} else if (col) {
			buf_byte(b, ' ');
			col++;
		}
		buf_put(b, s, n);
		col += n;
		s += n;
		if (*s == '\n') {
			buf_printf(b, "\n%*s", indent, "");
			col = 0;
			s++;
		}
		while (*s == ' ')
			s++;
	}
	buf_byte(b, '\n');
}

static void put_wrapped(struct buf *b, const char *s, size_t width)
{
	put_indented(b, s, width, 0);
}

/* --- text ---------------------------------------------------------------------------------------------------- */

#define HELP_COLUMN 28
#define HELP_WIDTH 100

static void put_opts(struct buf *b, const struct opt *o)
{
	AUTO_BUF text = { 0 };

	for (; o && o->kind != OPT_KIND_END; o++) {
		const size_t start = b->n;
		size_t w;

		if (o->letter)
			buf_printf(b, "  -%c, --%s", o->letter, o->name);
		else
			buf_printf(b, "      --%s", o->name);
		if (takes_value(o)) {
			buf_byte(b, ' ');
			put_arg(b, o);
		}
		w = b->n - start;
		if (w + 2 > HELP_COLUMN) {
			buf_byte(b, '\n');
			w = 0;
		}
		buf_printf(b, "%*s", (int)(HELP_COLUMN - w), "");
		buf_reset(&text);
		buf_printf(&text, "%s%s", o->help, o->kind == OPT_KIND_LIST ? " (repeatable)" : "");
		put_indented(b, buf_cstr(&text), HELP_WIDTH - HELP_COLUMN, HELP_COLUMN);
	}
}

static void put_synopsis(struct buf *b, const struct applet *a, const struct verb *v)
{
	buf_printf(b, "cvmbox %s", a->name);
	if (v->name)
		buf_printf(b, v->is_default ? " [%s]" : " %s", v->name);
	if (v->opts && v->opts->kind != OPT_KIND_END)
		buf_puts(b, " [OPTIONS]");
	if (v->operands && *v->operands)
		buf_printf(b, " %s", v->operands);
	buf_byte(b, '\n');
}

static void put_verb(struct buf *b, const struct applet *a, const struct verb *v)
{
	buf_puts(b, "usage: ");
	put_synopsis(b, a, v);
	buf_printf(b, "%s\n", v->summary ? v->summary : a->summary);
	if (v->opts && v->opts->kind != OPT_KIND_END) {
		buf_puts(b, "\noptions:\n");
		put_opts(b, v->opts);
	}
}

static const struct verb *default_verb(const struct applet *a)
{
	for (size_t i = 0; i < a->n_verbs; i++)
		if (a->verbs[i]->is_default)
			return a->verbs[i];
	return NULL;
}

void help_applet(struct buf *b, const struct applet *a, const struct verb *only)
{
	if (!only && a->n_verbs == 1 && !a->verbs[0]->name)
		only = a->verbs[0];
	if (only) {
		put_verb(b, a, only);
	} else {
		const struct verb *usual = default_verb(a);

		buf_printf(b, "usage: cvmbox %s %s [OPTIONS] ...\n%s\n\nverbs:\n", a->name, usual ? "[VERB]" : "VERB", a->summary);
		for (size_t i = 0; i < a->n_verbs; i++)
			buf_printf(b, "  %-14s %s\n", a->verbs[i]->name, a->verbs[i]->summary);
		if (usual) {
			buf_printf(b, "\noptions of %s, which runs without a verb:\n", usual->name);
			put_opts(b, usual->opts);
		}
		if (a->n_verbs > 1)
			buf_printf(b, "\ncvmbox %s VERB --help lists the options of a verb.\n", a->name);
	}
	if (a->notes) {
		buf_byte(b, '\n');
		put_wrapped(b, a->notes, 96);
	}
	buf_puts(b, "\ncommon options:\n");
	put_opts(b, common_opts);
	buf_puts(b, "\nexit status: 0 done or accepted, 1 refused, 2 usage, 3 absent here, 4 I/O or network,\n"
		    "5 malformed input, 6 denied by the remote side, 70 bug\n");
}

void help_usage(struct buf *b)
{
	buf_puts(b, "cvmbox " CVMBOX_VERSION ": takes a confidential VM from an untrusted host to serving a private model\n\n"
		    "usage: cvmbox [OPTIONS] APPLET [VERB] [OPTIONS] [ARGS]\n"
		    "       cvmbox --list | --install DIR | --version | help [APPLET] [--json | --mdoc | --completion SHELL]\n\n");
	for (const struct applet *const *a = applets; *a; a++)
		buf_printf(b, "  %-14s %s\n", (*a)->name, (*a)->summary);
	buf_puts(b, "\ncvmbox APPLET --help tells more; a symlink named like an applet calls it directly.\n");
}

/* --- machines -------------------------------------------------------------------------------------------------- */

static const char *kind_word(const struct opt *o)
{
	static const char *const words[] = { [OPT_KIND_FLAG] = "flag", [OPT_KIND_COUNT] = "count", [OPT_KIND_STR] = "string",
					     [OPT_KIND_LIST] = "list", [OPT_KIND_ENUM] = "word", [OPT_KIND_UINT] = "integer",
					     [OPT_KIND_SIZE] = "size", [OPT_KIND_REAL] = "number" };

	return words[o->kind];
}

static void json_opts(struct json *to, const char *name, const struct opt *o)
{
	struct json *arr = json_add_array(to, name);

	for (; o && o->kind != OPT_KIND_END; o++) {
		struct json *j = json_add_object(arr, NULL);
		const char letter[2] = { o->letter, 0 };

		json_add_str(j, "name", o->name);
		if (o->letter)
			json_add_str(j, "letter", letter);
		json_add_str(j, "kind", kind_word(o));
		if (o->arg)
			json_add_str(j, "value", o->arg);
		if (o->kind == OPT_KIND_ENUM) {
			struct json *w = json_add_array(j, "words");

			for (int i = 0; o->names[i]; i++)
				json_add_str(w, NULL, o->names[i]);
		}
		json_add_str(j, "help", o->help);
		json_add_bool(j, "insecure", o->flags & OPT_F_INSECURE);
	}
}

static void json_applet(struct json *to, const struct applet *a)
{
	struct json *j = json_add_object(to, NULL), *verbs;

	json_add_str(j, "name", a->name);
	json_add_str(j, "summary", a->summary);
	verbs = json_add_array(j, "verbs");
	for (size_t i = 0; i < a->n_verbs; i++) {
		const struct verb *v = a->verbs[i];
		struct json *o = json_add_object(verbs, NULL);

		json_add_str(o, "name", v->name);
		json_add_str(o, "summary", v->summary ? v->summary : a->summary);
		json_add_str(o, "operands", v->operands ? v->operands : "");
		json_opts(o, "options", v->opts);
	}
}

static int help_json(struct buf *b, const struct applet *only, struct err *e)
{
	AUTO_JSON *j = json_object();
	struct json *list;

	json_add_str(j, "schema", "cvmbox.help/1");
	json_add_str(j, "tool_version", CVMBOX_VERSION);
	json_opts(j, "common_options", common_opts);
	list = json_add_array(j, "applets");
	for (const struct applet *const *a = applets; *a; a++)
		if (!only || *a == only)
			json_applet(list, *a);
	if (json_write(b, j, true, e))
		return -1;
	buf_byte(b, '\n');
	return 0;
}

/* --- man page ---------------------------------------------------------------------------------------------------- */

/* One paragraph, broken before column 78.  mdoc gives a meaning to a leading dot or quote, to backslashes and to hyphens. */
static void mdoc_text(struct buf *b, const char *s, const char *end)
{
	size_t col = 0;

	while (*s) {
		const size_t n = strcspn(s, " ");

		if (col && col + n > 76) {
			buf_byte(b, '\n');
			col = 0;
		} else if (col) {
			buf_byte(b, ' ');
		}
		if (!col && (*s == '.' || *s == '\''))
			buf_puts(b, "\\&");
		for (size_t i = 0; i < n; i++)
			if (s[i] == '\\')
				buf_puts(b, "\\e");
			else if (s[i] == '-' && s[i + 1] == '-')
				buf_puts(b, "\\-");
			else
				buf_byte(b, (uint8_t)s[i]);
		col += n + 1;
		s += n + (s[n] == ' ');
	}
	buf_puts(b, end);
}

static void mdoc_opts(struct buf *b, const struct opt *o)
{
	buf_puts(b, ".Bl -tag -width Ds\n");
	for (; o && o->kind != OPT_KIND_END; o++) {
		buf_puts(b, ".It ");
		if (o->letter)
			buf_printf(b, "Fl %c , ", o->letter);
		buf_printf(b, "Fl \\-%s", o->name);
		if (takes_value(o)) {
			buf_puts(b, " Ar ");
			put_arg(b, o);
		}
		buf_byte(b, '\n');
		mdoc_text(b, o->help, o->kind == OPT_KIND_LIST ? "\n(may be given several times).\n" : ".\n");
	}
	buf_puts(b, ".El\n");
}

static int help_mdoc(struct buf *b, const struct applet *a, struct err *e)
{
	if (!a) {
		mdoc_opts(b, common_opts);
		return 0;
	}
	for (size_t i = 0; i < a->n_verbs; i++) {
		const struct verb *v = a->verbs[i];

		if (v->name)
			buf_printf(b, ".Ss %s %s\n", a->name, v->name);
		if (v->opts && v->opts->kind != OPT_KIND_END)
			mdoc_opts(b, v->opts);
		else
			buf_puts(b, "No options of its own.\n");
	}
	buf_puts(b, ".Ss Common options\nSee\n.Xr cvmbox 1 .\n");
	return buf_check(b, e);
}

/* --- shells -------------------------------------------------------------------------------------------------------- */

static void option_words(struct buf *b, const struct opt *o)
{
	for (; o && o->kind != OPT_KIND_END; o++)
		buf_printf(b, " --%s", o->name);
}

static void verb_words(struct buf *b, const struct applet *a)
{
	for (size_t i = 0; i < a->n_verbs; i++)
		if (a->verbs[i]->name)
			buf_printf(b, " %s", a->verbs[i]->name);
}

static void applet_words(struct buf *b)
{
	for (const struct applet *const *a = applets; *a; a++)
		buf_printf(b, " %s", (*a)->name);
}

/* 'attest collect --gpus') words='auto none' ;;   and, for other values, files */
static void value_cases(struct buf *b, const char *prefix, const struct opt *o)
{
	for (; o && o->kind != OPT_KIND_END; o++) {
		if (!takes_value(o))
			continue;
		buf_printf(b, "\t'%s--%s')", prefix, o->name);
		if (o->kind == OPT_KIND_ENUM) {
			buf_puts(b, " words='");
			put_arg(b, o);
			buf_puts(b, "'; words=${words//|/ } ;;\n");
		} else {
			buf_puts(b, " words= ;;\n");
		}
	}
}

static void verb_prefix(char *ret, size_t n, const struct applet *a, const struct verb *v)
{
	snprintf(ret, n, "%s%s%s ", a->name, v->name ? " " : "", v->name ? v->name : "");
}

static void all_value_cases(struct buf *b)
{
	char prefix[80];

	for (const struct applet *const *a = applets; *a; a++)
		for (size_t i = 0; i < (*a)->n_verbs; i++) {
			verb_prefix(prefix, sizeof prefix, *a, (*a)->verbs[i]);
			value_cases(b, prefix, (*a)->verbs[i]->opts);
			if ((*a)->verbs[i]->is_default) {
				snprintf(prefix, sizeof prefix, "%s ", (*a)->name);
				value_cases(b, prefix, (*a)->verbs[i]->opts);
			}
		}
}

/* What may stand after "applet verb", or after "applet" where the verb is still to come. */
static void word_cases(struct buf *b)
{
	char prefix[80];

	for (const struct applet *const *a = applets; *a; a++) {
		const struct verb *usual = default_verb(*a);

		for (size_t i = 0; i < (*a)->n_verbs; i++) {
			const struct verb *v = (*a)->verbs[i];

			verb_prefix(prefix, sizeof prefix, *a, v);
			buf_printf(b, "\t'%s') words=\"$common", prefix);
			option_words(b, v->opts);
			buf_puts(b, "\" ;;\n");
		}
		if ((*a)->verbs[0]->name) {
			buf_printf(b, "\t'%s ') words=\"$common", (*a)->name);
			verb_words(b, *a);
			if (usual)
				option_words(b, usual->opts);
			buf_puts(b, "\" ;;\n");
		}
	}
}

static void verb_cases(struct buf *b)
{
	for (const struct applet *const *a = applets; *a; a++)
		for (size_t i = 0; i < (*a)->n_verbs; i++)
			if ((*a)->verbs[i]->name)
				buf_printf(b, "%s'%s %s'", a == applets && i == 0 ? "" : "|", (*a)->name, (*a)->verbs[i]->name);
}

/* Finds applet and verb among the words before the cursor (options may stand between), then offers words or files. */
static void help_bash(struct buf *b)
{
	buf_puts(b, "# bash completion for cvmbox; made by: cvmbox help --completion bash\n"
		    "_cvmbox() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=1 applet= at_verb= w words= common\n"
		    "\tcommon='");
	option_words(b, common_opts);
	buf_puts(b, "'\n\tapplet=${COMP_WORDS[0]##*/}\n\t[ \"$applet\" = cvmbox ] && applet=\n"
		    "\tfor ((; at < COMP_CWORD; at++)); do\n\t\tw=${COMP_WORDS[at]}\n"
		    "\t\tcase $w in -*) continue ;; esac\n"
		    "\t\tif [ -z \"$applet\" ]; then applet=$w; continue; fi\n"
		    "\t\tcase \"$applet $w\" in ");
	verb_cases(b);
	buf_puts(b, ") at_verb=\"$w \" ;; esac\n\t\tbreak\n\tdone\n"
		    "\tif [ -z \"$applet\" ] || [ \"$applet\" = help ]; then\n\t\twords=\"$common help --list --install --version");
	applet_words(b);
	buf_puts(b, "\"\n\telse\n\t\tcase \"$applet $at_verb\" in\n");
	word_cases(b);
	buf_puts(b, "\t\tesac\n\t\tcase \"$applet $at_verb$prev\" in\n");
	all_value_cases(b);
	buf_puts(b, "\t\tesac\n\t\tcase \"$prev\" in\n");
	value_cases(b, "", common_opts);
	buf_puts(b, "\t\tesac\n\tfi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
		    "\t[ \"${#COMPREPLY[@]}\" -eq 0 ] && mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n}\n"
		    "complete -o filenames -F _cvmbox cvmbox");
	applet_words(b);
	buf_byte(b, '\n');
}

static void zsh_quote(struct buf *b, const char *s)
{
	for (; *s; s++)
		if (*s == '\'')
			buf_puts(b, "'\\''");
		else if (*s == '[' || *s == ']' || *s == ':')
			buf_printf(b, "\\%c", *s);
		else
			buf_byte(b, (uint8_t)*s);
}

static void zsh_opts(struct buf *b, const struct opt *o)
{
	for (; o && o->kind != OPT_KIND_END; o++) {
		buf_printf(b, " \\\n\t\t'%s--%s[", o->kind == OPT_KIND_LIST ? "*" : "", o->name);
		zsh_quote(b, o->help);
		buf_byte(b, ']');
		if (o->kind == OPT_KIND_ENUM) {
			buf_puts(b, ":word:(");
			for (int i = 0; o->names[i]; i++)
				buf_printf(b, "%s%s", i ? " " : "", o->names[i]);
			buf_byte(b, ')');
		} else if (takes_value(o)) {
			buf_puts(b, ":value:_files");
		}
		buf_byte(b, '\'');
	}
}

static void help_zsh(struct buf *b)
{
	buf_puts(b, "#compdef cvmbox");
	applet_words(b);
	buf_puts(b, "\n# zsh completion for cvmbox; made by: cvmbox help --completion zsh\n_cvmbox() {\n"
		    "\tlocal applet=${words[1]:t} verb\n"
		    "\tif [[ $applet == cvmbox ]]; then\n\t\tif (( CURRENT == 2 )); then\n\t\t\t_values applet help");
	for (const struct applet *const *a = applets; *a; a++) {
		buf_printf(b, " '%s[", (*a)->name);
		zsh_quote(b, (*a)->summary);
		buf_puts(b, "]'");
	}
	buf_puts(b, "\n\t\t\treturn\n\t\tfi\n\t\tshift words; (( CURRENT-- )); applet=${words[1]}\n\tfi\n\tverb=${words[2]}\n"
		    "\tcase $applet in\n");
	for (const struct applet *const *a = applets; *a; a++)
		if ((*a)->verbs[0]->name) {
			buf_printf(b, "\t%s)\n\t\tif (( CURRENT == 2 )); then _values verb", (*a)->name);
			verb_words(b, *a);
			buf_puts(b, "; return; fi\n\t\tshift words; (( CURRENT-- )) ;;\n");
		} else {
			buf_printf(b, "\t%s) verb= ;;\n", (*a)->name);
		}
	buf_puts(b, "\tesac\n\tcase \"$applet $verb\" in\n");
	for (const struct applet *const *a = applets; *a; a++)
		for (size_t i = 0; i < (*a)->n_verbs; i++) {
			const struct verb *v = (*a)->verbs[i];

			buf_printf(b, "\t'%s %s') _arguments", (*a)->name, v->name ? v->name : "");
			zsh_opts(b, v->opts);
			zsh_opts(b, common_opts);
			buf_puts(b, " \\\n\t\t'*:file:_files' ;;\n");
		}
	buf_puts(b, "\tesac\n}\n_cvmbox \"$@\"\n");
}

static void fish_text(struct buf *b, const char *s)
{
	buf_puts(b, " -d '");
	for (; *s; s++)
		if (*s == '\'' || *s == '\\')
			buf_printf(b, "\\%c", *s);
		else
			buf_byte(b, (uint8_t)*s);
	buf_byte(b, '\'');
}

static void fish_opts(struct buf *b, const char *condition, const struct opt *o)
{
	for (; o && o->kind != OPT_KIND_END; o++) {
		buf_printf(b, "complete -c cvmbox -n '%s' -l %s", condition, o->name);
		if (o->letter)
			buf_printf(b, " -s %c", o->letter);
		if (o->kind == OPT_KIND_ENUM) {
			buf_puts(b, " -x -a '");
			for (int i = 0; o->names[i]; i++)
				buf_printf(b, "%s%s", i ? " " : "", o->names[i]);
			buf_byte(b, '\'');
		} else if (takes_value(o)) {
			buf_puts(b, " -r");
		}
		fish_text(b, o->help);
		buf_byte(b, '\n');
	}
}

static void help_fish(struct buf *b)
{
	buf_puts(b, "# fish completion for cvmbox; made by: cvmbox help --completion fish\n");
	for (const struct applet *const *a = applets; *a; a++) {
		buf_printf(b, "complete -c cvmbox -f -n __fish_use_subcommand -a %s", (*a)->name);
		fish_text(b, (*a)->summary);
		buf_byte(b, '\n');
	}
	for (const struct applet *const *a = applets; *a; a++)
		for (size_t i = 0; i < (*a)->n_verbs; i++) {
			const struct verb *v = (*a)->verbs[i];
			char condition[160];

			if (v->name) {
				buf_printf(b, "complete -c cvmbox -f -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from",
					   (*a)->name);
				verb_words(b, *a);
				buf_printf(b, "' -a %s", v->name);
				fish_text(b, v->summary);
				buf_byte(b, '\n');
				snprintf(condition, sizeof condition,
					 "__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s", (*a)->name, v->name);
			} else {
				snprintf(condition, sizeof condition, "__fish_seen_subcommand_from %s", (*a)->name);
			}
			fish_opts(b, condition, v->opts);
		}
	fish_opts(b, "not __fish_use_subcommand", common_opts);
}

int help_machine(struct buf *b, enum help_form form, const struct applet *a, struct err *e)
{
	switch (form) {
	case HELP_JSON:
		return help_json(b, a, e);
	case HELP_MDOC:
		return help_mdoc(b, a, e);
	case HELP_BASH:
		help_bash(b);
		break;
	case HELP_ZSH:
		help_zsh(b);
		break;
	case HELP_FISH:
		help_fish(b);
		break;
	case HELP_TEXT:
		help_usage(b);
		break;
	}
	return buf_check(b, e);
}
