/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted folders: what comes back, and everything a store could do to one. */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/outfile.h"
#include "model.h"
#include "model/manifest.h"
#include "model/snapshot.h"
#include "model/staging.h"

static const struct model_opts opts = { .task_bytes = 100 };

static const char *at(const char *rel)
{
	static char ring[8][512];
	static unsigned i;
	char *ret = ring[i++ % 8];

	snprintf(ret, sizeof ring[0], "%s/%s", tmpdir(), rel);
	return ret;
}

static void put(const char *rel, const char *text)
{
	WORKS(outfile_write(at(rel), slice_str(text), 0644, true, &e));
}

static void has(const char *rel, const char *text)
{
	AUTO_BUF b = { 0 };

	load(&b, at(rel));
	OK(slice_eqs(buf_view(&b), text));
}

static bool exists(const char *rel)
{
	struct stat st;

	return !lstat(at(rel), &st);
}

/* in/: a model of four files; enc/: it, encrypted; key. */
static void make_snapshot(struct secret *key)
{
	one_key(key, 64, 1, 0);
	OK(!mkdir(at("in"), 0755) && !mkdir(at("in/sub"), 0755) && !mkdir(at("in/sub/deep"), 0755));
	put("in/config.json", "{\"hidden_size\": 64}");
	put("in/model-00001-of-00002.safetensors", "the first shard, which is longer than one segment of 64 bytes is, by far and by design");
	put("in/model-00002-of-00002.safetensors", "the other shard, which is longer than one segment of 64 bytes is, by far and by design");
	put("in/sub/deep/empty", "");
	WORKS(snapshot_encrypt(at("enc"), at("in"), false, key, &opts, NULL, NULL, &e));
}

static void is_refused(const struct secret *key, const char *part)
{
	struct err e = { 0 };

	EQ(snapshot_decrypt(at("out"), at("enc"), false, key, &opts, &e), -1);
	OK(e.code == EC_REFUSED || e.code == EC_FORMAT);
	HAS(e.msg, part);
	OK(!exists("out"));
}

TEST(snapshot_comes_back_whole)
{
	AUTO_SECRET key = { 0 };
	struct model_info info = { 0 };
	const struct model_opts o = { .info = &info };
	struct stat st;

	make_snapshot(&key);
	OK(exists("enc/config.json.tink") && exists("enc/sub/deep/empty.tink") && exists("enc/cvmbox-manifest.tink"));
	WORKS(snapshot_decrypt(at("out"), at("enc"), false, &key, &o, &e));
	has("out/config.json", "{\"hidden_size\": 64}");
	has("out/model-00002-of-00002.safetensors",
	    "the other shard, which is longer than one segment of 64 bytes is, by far and by design");
	has("out/sub/deep/empty", "");
	EQ(info.files, 4);
	EQ(info.bytes_out, 19 + 86 + 86);
	OK(!stat(at("out/config.json"), &st));
	EQ(st.st_mode & 0777, 0600);
	OK(!stat(at("out/sub"), &st));
	EQ(st.st_mode & 0777, 0700);
	OK(!stat(at("enc"), &st));
	EQ(st.st_mode & 0777, 0755);
}

TEST(snapshot_existing_output_is_kept)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	OK(!mkdir(at("out"), 0700));
	FAILS(snapshot_decrypt(at("out"), at("enc"), false, &key, &opts, &e), EC_USAGE);
	put("out/mine", "x");
	FAILS(snapshot_decrypt(at("out"), at("enc"), true, &key, &opts, &e), EC_USAGE);
	has("out/mine", "x");
	OK(!unlink(at("out/mine")));
	WORKS(snapshot_decrypt(at("out/"), at("enc/"), true, &key, &opts, &e));	/* an empty folder may be taken */
	has("out/config.json", "{\"hidden_size\": 64}");
	FAILS(snapshot_encrypt(at("enc"), at("in"), true, &key, &opts, NULL, NULL, &e), EC_USAGE);
}

static int count_one(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

static int count_entries(const char *rel)
{
	struct host h;
	int n = 0;

	host_init(&h);
	WORKS(host_list(&h, at(rel), count_one, &n, &e));
	return n;
}

TEST(snapshot_failure_leaves_nothing_behind)
{
	AUTO_SECRET key = { 0 };
	AUTO_BUF file = { 0 };

	make_snapshot(&key);
	load(&file, at("enc/model-00002-of-00002.safetensors.tink"));
	file.p[file.n - 1] ^= 1;
	WORKS(outfile_write(at("enc/model-00002-of-00002.safetensors.tink"), buf_view(&file), 0644, true, &e));
	is_refused(&key, "model-00002-of-00002.safetensors");
	EQ(count_entries(""), 2);	/* in, enc: no temporary folder */
}

static int not_ready(void *arg, struct err *e)
{
	*(bool *)arg = true;
	return err_set(e, EC_IO, "the key could not be stored");
}

TEST(snapshot_does_not_appear_when_its_key_could_not_be_stored)
{
	AUTO_SECRET key = { 0 };
	bool asked = false;

	make_snapshot(&key);
	FAILS(snapshot_encrypt(at("enc2"), at("in"), false, &key, &opts, not_ready, &asked, &e), EC_IO);
	OK(asked);
	OK(!exists("enc2"));
	EQ(count_entries(""), 2);
}

TEST(snapshot_missing_file_is_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	OK(!unlink(at("enc/config.json.tink")));
	is_refused(&key, "config.json.tink' is missing");
}

TEST(snapshot_extra_file_is_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	put("enc/tokenizer.py", "import os");
	is_refused(&key, "tokenizer.py' is not listed");
	OK(!rename(at("enc/tokenizer.py"), at("enc/sub/x.tink")));
	is_refused(&key, "sub/x.tink' is not listed");
}

TEST(snapshot_swapped_files_are_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	OK(!rename(at("enc/model-00001-of-00002.safetensors.tink"), at("t")));
	OK(!rename(at("enc/model-00002-of-00002.safetensors.tink"), at("enc/model-00001-of-00002.safetensors.tink")));
	OK(!rename(at("t"), at("enc/model-00002-of-00002.safetensors.tink")));
	is_refused(&key, "not the file that the manifest lists");
}

TEST(snapshot_renamed_file_is_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	OK(!rename(at("enc/config.json.tink"), at("enc/config2.json.tink")));
	is_refused(&key, "config.json.tink' is missing");
}

TEST(snapshot_file_of_another_encryption_is_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	put("in/config.json", "{\"hidden_size\": 65}");		/* the same length, name and key */
	WORKS(snapshot_encrypt(at("enc2"), at("in"), false, &key, &opts, NULL, NULL, &e));
	OK(!rename(at("enc2/config.json.tink"), at("enc/config.json.tink")));
	is_refused(&key, "not the file that the manifest lists");
}

TEST(snapshot_manifest_of_another_encryption_is_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	WORKS(snapshot_encrypt(at("enc2"), at("in"), false, &key, &opts, NULL, NULL, &e));
	OK(!rename(at("enc2/cvmbox-manifest.tink"), at("enc/cvmbox-manifest.tink")));
	is_refused(&key, "config.json");
}

TEST(snapshot_without_manifest_or_with_a_file_in_its_place_is_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	OK(!unlink(at("enc/cvmbox-manifest.tink")));
	is_refused(&key, "holds no");
	OK(!link(at("enc/config.json.tink"), at("enc/cvmbox-manifest.tink")));
	is_refused(&key, "cvmbox-manifest");
}

TEST(snapshot_every_flipped_byte_of_every_file_is_refused)
{
	static const char *const files[] = { "enc/cvmbox-manifest.tink", "enc/config.json.tink", "enc/sub/deep/empty.tink" };
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	for (size_t f = 0; f < 3; f++) {
		AUTO_BUF file = { 0 };

		load(&file, at(files[f]));
		for (size_t i = 0; i < file.n && !test_failed(); i += f ? 1 : 7) {
			file.p[i] ^= 1;
			WORKS(outfile_write(at(files[f]), buf_view(&file), 0644, true, &e));
			is_refused(&key, "");
			file.p[i] ^= 1;
		}
		WORKS(outfile_write(at(files[f]), buf_view(&file), 0644, true, &e));
	}
	WORKS(snapshot_decrypt(at("out"), at("enc"), false, &key, &opts, &e));
}

TEST(snapshot_wrong_key_is_refused)
{
	AUTO_SECRET key = { 0 }, other = { 0 };

	make_snapshot(&key);
	one_key(&other, 64, 2, 0);
	is_refused(&other, "cvmbox-manifest.tink");
}

TEST(snapshot_links_in_an_encrypted_folder_are_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	OK(!rename(at("enc/config.json.tink"), at("elsewhere")));
	OK(!symlink(at("elsewhere"), at("enc/config.json.tink")));
	is_refused(&key, "config.json.tink");
	OK(!rename(at("elsewhere"), at("enc/config.json.tink")));
	OK(!rename(at("enc/sub"), at("sub")) && !symlink(at("sub"), at("enc/sub")));
	is_refused(&key, "sub");
	OK(!unlink(at("enc/sub")) && !rename(at("sub"), at("enc/sub")));
	OK(!mkfifo(at("enc/pipe.tink"), 0600));
	is_refused(&key, "pipe.tink");
}

TEST(snapshot_open_beneath_follows_no_link)
{
	AUTO_FD dir = -1, fd = -1;

	OK(!mkdir(at("a"), 0700) && !mkdir(at("a/b"), 0700));
	put("a/b/c", "x");
	put("secret", "y");
	OK(!symlink("../secret", at("a/link")) && !symlink("b", at("a/dirlink")));
	dir = open(at("a"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_beneath(dir, "b/c", NULL);
	OK(fd >= 0);
	FAILS(open_beneath(dir, "link", &e), EC_REFUSED);
	FAILS(open_beneath(dir, "dirlink/c", &e), EC_REFUSED);
	FAILS(open_beneath(dir, "b", &e), EC_REFUSED);
	FAILS(open_beneath(dir, "none", &e), EC_IO);
}

TEST(snapshot_follows_the_links_of_a_hub_cache)
{
	AUTO_SECRET key = { 0 };

	one_key(&key, 64, 1, 0);
	OK(!mkdir(at("blobs"), 0755) && !mkdir(at("snap"), 0755) && !mkdir(at("real"), 0755));
	put("blobs/0123", "weights");
	put("real/tokenizer.json", "{}");
	OK(!symlink("../blobs/0123", at("snap/model.safetensors")) && !symlink("../real", at("snap/tok")));
	WORKS(snapshot_encrypt(at("enc"), at("snap"), false, &key, &opts, NULL, NULL, &e));
	WORKS(snapshot_decrypt(at("out"), at("enc"), false, &key, &opts, &e));
	has("out/model.safetensors", "weights");
	has("out/tok/tokenizer.json", "{}");
	OK(!symlink("..", at("snap/tok/up")));		/* leads back to a folder above */
	FAILS(snapshot_encrypt(at("enc2"), at("snap"), false, &key, &opts, NULL, NULL, &e), EC_REFUSED);
	OK(!exists("enc2"));
}

TEST(snapshot_of_nothing_or_of_an_encrypted_folder_is_refused)
{
	AUTO_SECRET key = { 0 };

	make_snapshot(&key);
	OK(!mkdir(at("void"), 0755));
	FAILS(snapshot_encrypt(at("e1"), at("void"), false, &key, &opts, NULL, NULL, &e), EC_USAGE);
	FAILS(snapshot_encrypt(at("e2"), at("enc"), false, &key, &opts, NULL, NULL, &e), EC_USAGE);
	put("void/cvmbox-manifest", "x");
	FAILS(snapshot_encrypt(at("e3"), at("void"), false, &key, &opts, NULL, NULL, &e), EC_USAGE);
	FAILS(snapshot_encrypt(at("e4"), at("nowhere"), false, &key, &opts, NULL, NULL, &e), EC_IO);
}

static int count_files(const char *rel)
{
	AUTO_STR *command = str_printf(NULL, "find '%s' -type f | wc -l", at(rel));
	FILE *f = popen(command, "r");
	int n = -1;

	if (!f || fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		pclose(f);
	return n;
}

TEST(staging_files_have_no_name_before_the_commit)
{
	AUTO_STAGING s = STAGING_INIT;
	AUTO_FD a = -1, b = -1;

	WORKS(staging_open(&s, at("out"), 0750, false, &e));
	a = staging_file(&s, "x/y/file", 0640, NULL);
	b = staging_file(&s, "other", 0600, NULL);
	OK(a >= 0 && b >= 0);
	EQ(write(a, "text", 4), 4);
	EQ(count_files(""), 0);		/* on a file system with O_TMPFILE, which /tmp is */
	WORKS(staging_commit(&s, &e));
	has("out/x/y/file", "text");
	has("out/other", "");
}

TEST(staging_names_that_contradict_each_other_are_refused)
{
	AUTO_STAGING s = STAGING_INIT;
	AUTO_FD a = -1, b = -1;
	struct err e = { 0 };

	WORKS(staging_open(&s, at("out"), 0750, false, &e));
	a = staging_file(&s, "name/below", 0640, NULL);
	b = staging_file(&s, "name", 0600, NULL);
	OK(a >= 0);
	OK(b < 0 || staging_commit(&s, &e) == -1);
	OK(b < 0 || e.code == EC_REFUSED);
	staging_drop(&s);
	OK(!exists("out"));
	EQ(count_entries(""), 0);
}

/* --- the manifest alone ------------------------------------------------------------------------------------------------ */

TEST(manifest_names_that_leave_the_folder_are_refused)
{
	static const char *const bad[] = { "", "/", "/etc/passwd", "..", ".", "a/..", "../a", "a/../b", "a//b", "a/", "./a", "a/./b",
					   "a\nb", "a\x7f", "a/..", "..//" };
	static const char *const good[] = { "a", "...", "..a", "a..", ".hidden", "a/b/c", "a b", "\xc3\xa4" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(manifest_check_name(bad[i], &e), EC_REFUSED);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		WORKS(manifest_check_name(good[i], &e));
}

TEST(manifest_name_limits)
{
	char name[4000];

	memset(name, 'a', sizeof name);
	name[255] = 0;
	WORKS(manifest_check_name(name, &e));
	name[255] = 'a', name[256] = 0;
	FAILS(manifest_check_name(name, &e), EC_REFUSED);
	for (int i = 0; i < 63; i++)
		name[i] = i % 2 ? '/' : 'a';
	name[63] = 0;
	WORKS(manifest_check_name(name, &e));		/* 32 deep */
	name[63] = '/', name[64] = 'a', name[65] = 0;
	FAILS(manifest_check_name(name, &e), EC_REFUSED);
}

static int parse(const char *files, struct err *e)
{
	AUTO_STR *text = str_printf(e, "{\"schema\":\"cvmbox.model-manifest/1\",\"files\":[%s]}", files);
	AUTO_MANIFEST m = { 0 };

	return manifest_parse(&m, slice_str(text), e);
}

TEST(manifest_form_is_strict)
{
	WORKS(parse("", &e));
	WORKS(parse("{\"name\":\"a\",\"size\":1,\"header\":\"00\"},{\"name\":\"b\",\"size\":0,\"header\":\"00\"}", &e));
	FAILS(parse("{\"name\":\"b\",\"size\":1,\"header\":\"00\"},{\"name\":\"a\",\"size\":0,\"header\":\"00\"}", &e), EC_FORMAT);
	FAILS(parse("{\"name\":\"a\",\"size\":1,\"header\":\"00\"},{\"name\":\"a\",\"size\":0,\"header\":\"00\"}", &e), EC_FORMAT);
	FAILS(parse("{\"name\":\"../a\",\"size\":1,\"header\":\"00\"}", &e), EC_REFUSED);
	FAILS(parse("{\"name\":\"a\",\"size\":-1,\"header\":\"00\"}", &e), EC_FORMAT);
	FAILS(parse("{\"name\":\"a\",\"size\":\"1\",\"header\":\"00\"}", &e), EC_FORMAT);
	FAILS(parse("{\"name\":\"a\",\"size\":1,\"header\":\"\"}", &e), EC_FORMAT);
	FAILS(parse("{\"name\":\"a\",\"size\":1,\"header\":\"0\"}", &e), EC_FORMAT);
	FAILS(parse("{\"name\":\"a\",\"size\":1}", &e), EC_FORMAT);
	FAILS(parse("{\"name\":\"a\",\"size\":1,\"header\":\"00\",\"mode\":1}", &e), EC_FORMAT);
	FAILS(parse("1", &e), EC_FORMAT);
	{
		AUTO_MANIFEST m = { 0 };

		FAILS(manifest_parse(&m, SLICE("{\"schema\":\"cvmbox.model-manifest/2\",\"files\":[]}"), &e), EC_FORMAT);
		FAILS(manifest_parse(&m, SLICE("{\"files\":[]}"), &e), EC_FORMAT);
		FAILS(manifest_parse(&m, SLICE(""), &e), EC_FORMAT);
	}
}

TEST(manifest_names_that_json_cannot_hold_are_refused)
{
	AUTO_MANIFEST m = { 0 };
	AUTO_BUF text = { 0 };

	WORKS(manifest_add(&m, "latin1-\xe4", &e));
	m.file[0].header_n = 1;
	FAILS(manifest_write(&text, &m, &e), EC_FORMAT);
	EQ(text.n, 0);
}
