# SPDX-License-Identifier: Apache-2.0
# make            build/cvmbox, one static file        make check    tests (installs what they need)
# make demo       the whole flow, step by step         make bench    speed, as ratios against peers
# make asan       sanitizer build and its tests        make fuzz     every fuzz target for FUZZ_SECONDS
# make interop    tests against other tools            make install  DESTDIR= PREFIX=
# V=1 shows commands.  B= build folder.  DEPS_DIR= folder with the upstream tarballs (see scripts/deps).
VERSION := 0.1.0
PREFIX ?= /usr/local
B ?= build
FLAVOUR ?= musl
O := $(B)/$(FLAVOUR)
DEPS := $(B)/deps/$(if $(filter musl,$(FLAVOUR)),musl,glibc)
Q := $(if $(V),,@)
MAKEFLAGS += --no-print-directory
# As many jobs as processors, unless -j was given.
SUBMAKE = $(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))
.DELETE_ON_ERROR:


ARCH := $(shell uname -m)
ifeq ($(FLAVOUR),musl)
CC := musl-gcc
endif
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang

# --- what there is -----------------------------------------------------------------------------------
ROOMS ?= $(sort $(notdir $(wildcard lib/*)))
APPLETS ?= $(sort $(basename $(notdir $(wildcard applets/*.c))))
TESTS ?= $(sort $(basename $(notdir $(wildcard tests/unit/*.c))))
FUZZERS ?= $(sort $(basename $(notdir $(wildcard tests/fuzz/*.c))))
LIB_SRC := $(sort $(foreach r,$(ROOMS),$(wildcard lib/$r/*.c)))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
APP_SRC := $(foreach a,$(APPLETS),applets/$a.c $(sort $(wildcard applets/$a/*.c)))
APP_OBJ := $(APP_SRC:%.c=$(O)/%.o)
CMD_OBJ := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard cmd/*.c)))
TEST_OBJ := $(TESTS:%=$(O)/tests/unit/%.o)

# --- how it is compiled --------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wcast-qual -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wno-format-nonliteral -Wno-missing-field-initializers $(if $(WERROR),-Werror)
CPPFLAGS := -D_GNU_SOURCE -DCVMBOX_VERSION='"$(VERSION)"' -include lib/base/banned.h -Ilib -I$(B)/gen \
	-isystem $(DEPS)/include
# No unwind tables: nothing here unwinds.  Rooms that wait for devices, disks and people are made small.
CFLAGS_musl := -O2 -g0 -fPIE -fno-asynchronous-unwind-tables -fno-unwind-tables
COLD := tee gpu attest broker image evidence net
CFLAGS_asan := -O1 -g -fPIE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# CVMBOX_TESTING: a captured machine (--sysroot) may get secrets.  Never in the product.
CFLAGS_test := -O2 -g -fPIE -DCVMBOX_TESTING
CFLAGS_fuzz := -O1 -g -fPIE -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
ALL_CFLAGS = -std=gnu11 $(CFLAGS_$(FLAVOUR)) $(WARN) -fstack-protector-strong -ffunction-sections -fdata-sections \
	-fno-strict-aliasing -ffile-prefix-map=$(CURDIR)/= $(CFLAGS_ROOM) $(EXTRA_CFLAGS)
ifeq ($(FLAVOUR),musl)
$(O)/applets/%.o $(O)/cmd/%.o $(foreach r,$(COLD),$(O)/lib/$r/%.o): CFLAGS_ROOM := -Os
endif
$(O)/lib/infer/%.o: CFLAGS_ROOM := -O3 -fno-math-errno -fno-trapping-math
$(O)/tests/%.o: CFLAGS_ROOM := -Wno-shadow -Wno-cast-qual -Itests/unit
$(O)/lib/base/%.o $(O)/lib/codec/%.o: CFLAGS_ROOM := -Wconversion -Wno-sign-conversion

DEP_LIBS := $(addprefix $(DEPS)/lib/lib,curl.a mbedtls.a mbedx509.a mbedcrypto.a cjson.a fdt.a z.a expat.a)
LDFLAGS_COMMON := -Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack $(EXTRA_LDFLAGS)
ifeq ($(FLAVOUR),musl)
# Debian's wrapper turns -static-pie into a dynamic file, so the start files are named by hand (musl's rcrt1.o
# relocates the program itself: no interpreter, addresses stay random).
MUSL_LIB := $(dir $(firstword $(wildcard /usr/lib/$(ARCH)-linux-musl/rcrt1.o /usr/local/musl/lib/rcrt1.o /usr/lib/musl/lib/rcrt1.o)))
GCC_FILE = $(shell $(CC) -print-file-name=$1 2>/dev/null)
LINK = $(CC) -nostartfiles -static -Wl,-pie,--no-dynamic-linker,-z,text,-z,stack-size=1048576,--build-id=none $(LDFLAGS_COMMON) \
	$(MUSL_LIB)rcrt1.o $(MUSL_LIB)crti.o $(call GCC_FILE,crtbeginS.o)
LINK_END = -lc -lgcc -lgcc_eh -lc $(call GCC_FILE,crtendS.o) $(MUSL_LIB)crtn.o
else
LINK = $(CC) -pie $(filter -fsanitize=%,$(subst $(comma)fuzzer-no-link,,$(CFLAGS_$(FLAVOUR)))) $(LDFLAGS_COMMON)
LINK_END = -lpthread -lm
endif
comma := ,

# --- the product -----------------------------------------------------------------------------------------
.PHONY: all
all: $(B)/cvmbox

$(B)/cvmbox: FORCE
	+$(Q)$(SUBMAKE) FLAVOUR=musl $(B)/musl/cvmbox
	$(Q)cmp -s $(B)/musl/cvmbox $@ || { cp $(B)/musl/cvmbox $@.new && mv $@.new $@; }

$(O)/cvmbox: $(CMD_OBJ) $(APP_OBJ) $(O)/libcvmbox.a
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@.new $(CMD_OBJ) $(APP_OBJ) $(O)/libcvmbox.a $(DEP_LIBS) $(LINK_END)
	$(Q)$(if $(filter musl,$(FLAVOUR)),strip -s $@.new,true)
	$(Q)mv $@.new $@

$(O)/libcvmbox.a: $(LIB_OBJ)
	$(Q)rm -f $@; ar rcD $@ $(LIB_OBJ)

$(O)/unit: $(TEST_OBJ) $(O)/libcvmbox.a
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@ $(TEST_OBJ) $(O)/libcvmbox.a $(DEP_LIBS) $(LINK_END)

# Our code as a command of its own, for scripts that the product has no verb for; makers of samples come from the unit tests.
$(O)/tools/nv-sample: $(addprefix $(O)/tests/unit/,nv_maker.o rim_maker.o)
$(O)/tools/gpu-model: $(O)/tests/unit/gpu_model.o
$(O)/tools/%: $(O)/tests/tools/%.o $(O)/libcvmbox.a
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(O)/libcvmbox.a $(DEP_LIBS) $(LINK_END)

.PRECIOUS: $(O)/tests/fuzz/%.o $(O)/tests/tools/%.o
$(O)/fuzz/%: $(O)/tests/fuzz/%.o $(O)/libcvmbox.a
	@mkdir -p $(@D)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $< $(O)/libcvmbox.a $(DEP_LIBS) $(LINK_END)

$(O)/%.o: %.c $(B)/gen/applets.gen.h | $(DEPS)/.stamp
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The applet list is the folder: a new file there is a new command (also correct when a file goes away).
$(B)/gen/applets.gen.h: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(foreach a,$(subst -,_,$(APPLETS)),'APPLET($a)') >$@.new; cmp -s $@.new $@ && rm -f $@.new || mv $@.new $@

$(DEPS)/.stamp: scripts/deps scripts/deps.lock lib/crypto/mbedtls-config.h
	$(Q)CC= scripts/deps --flavour $(if $(filter musl,$(FLAVOUR)),musl,glibc) --prefix $(B)/deps
	@touch $@

.PHONY: FORCE clean distclean
FORCE:
clean:
	rm -rf $(filter-out $(B)/deps,$(wildcard $(B)/*))
distclean:
	rm -rf $(B)

-include $(LIB_OBJ:.o=.d) $(APP_OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(CMD_OBJ:.o=.d)

# --- what people type --------------------------------------------------------------------------------------
APPS = $(sort $(basename $(notdir $(wildcard applets/*.c))))
MAN1 := $(wildcard man/*.1)
MAN5 := $(wildcard man/*.5)
SHARE = $(DESTDIR)$(PREFIX)/share

.PHONY: setup check demo bench asan fuzz interop install dist docs unit
setup:
	@scripts/setup build

demo:
	@scripts/setup demo
	+$(Q)$(SUBMAKE) all
	@scripts/demo $(B)/cvmbox

check:
	@scripts/setup check
	+$(Q)$(SUBMAKE) all
	+$(Q)$(SUBMAKE) FLAVOUR=test CC=gcc $(B)/test/unit $(B)/test/cvmbox $(B)/test/tools/gpu-model $(B)/test/tools/nv-sample
	@CHECK_CPPFLAGS="-isystem $(B)/deps/glibc/include" scripts/check $(B)

asan:
	@scripts/setup check
	+$(Q)$(SUBMAKE) FLAVOUR=asan CC=$(or $(SANCC),gcc) $(B)/asan/unit $(B)/asan/cvmbox
	@scripts/check-asan $(B)

fuzz:
	@scripts/setup ci
	+$(Q)$(SUBMAKE) FLAVOUR=fuzz CC=$(CLANG) $(FUZZERS:%=$(B)/fuzz/fuzz/%)
	@scripts/fuzz $(B)/fuzz/fuzz $(or $(FUZZ_SECONDS),60)

bench: all
	@scripts/setup bench
	@scripts/bench $(B)/cvmbox
	@scripts/bench-attest $(B)/cvmbox --install

interop: all
	@scripts/interop $(B)/cvmbox

# Fills the OPTIONS block of each page from the option tables; `make check` compares.
docs: all
	@scripts/docs $(B)/cvmbox --write

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/man/man5 $(SHARE)/bash-completion/completions \
		$(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	install -m 0755 $(B)/cvmbox $(DESTDIR)$(PREFIX)/bin/cvmbox
	install -m 0644 $(MAN1) $(SHARE)/man/man1
	install -m 0644 $(MAN5) $(SHARE)/man/man5
	$(B)/cvmbox help --completion bash >$(SHARE)/bash-completion/completions/cvmbox
	$(B)/cvmbox help --completion zsh >$(SHARE)/zsh/site-functions/_cvmbox
	$(B)/cvmbox help --completion fish >$(SHARE)/fish/vendor_completions.d/cvmbox.fish

# The source as one file that builds offline: with the upstream tarballs in deps/ (DEPS_DIR=deps).
dist: all
	@scripts/dist $(VERSION) $(B)
