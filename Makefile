# A thin front on CMake; CMakePresets.json says how each build is made.
MAKEFLAGS += --no-print-directory
QUIET_CONFIGURE = cmake --preset $(1) > /dev/null
PREFIX ?= /usr/local
# Tests run beside each other, each on one core; those of threads say themselves how many they want.
JOBS ?= $(shell nproc)
CTEST = HEED_THREADS=1 ctest -j $(JOBS) --output-on-failure --test-dir

.PHONY: all setup demo test check format floors headers tidy asan tsan soak bench docs fuzz install clean
all: setup
	@$(call QUIET_CONFIGURE,release) && cmake --build --preset release
setup:
	@tools/setup

demo: setup
	@$(call QUIET_CONFIGURE,release) && cmake --build --preset release --target heed
	@tools/demo build/release/heed build/demo

test: setup
	@$(call QUIET_CONFIGURE,release) && cmake --build --preset release --target all tests
	@$(CTEST) build/release

# What a change must pass besides the tests; each part can be run alone.
check: setup
	@for part in format-check floors headers tidy asan tsan soak; do \
	  echo "== $$part"; $(MAKE) $$part || { echo "check: $$part failed"; exit 1; }; done
format-check:
	@tools/check-format
floors:
	@tools/check-floors
headers:
	@tools/check-headers
tidy:
	@$(call QUIET_CONFIGURE,tidy) && tools/check-tidy build/tidy
asan:
	@$(call QUIET_CONFIGURE,asan) && cmake --build --preset asan --target tests
	@ASAN_OPTIONS=allocator_may_return_null=1 $(CTEST) build/asan
tsan:
	@$(call QUIET_CONFIGURE,tsan) && cmake --build --preset tsan --target thread_tests
	@tools/run-tsan build/tsan
# A server under good, bad, slow and vanishing clients for a minute; tools/soak BUILD 3600 for an hour.
soak: setup
	@$(call QUIET_CONFIGURE,release) && cmake --build --preset release --target heed
	@tools/soak build/release 60

format:
	@tools/check-format --fix
bench: all
	@bench/start build/release
	@build/release/heed bench ops
	@build/release/heed bench attention
# The pages that are made from the program's own tables, and the picture of the viewer.
docs: all
	@mkdir -p docs/mechanisms && rm -f docs/mechanisms/*.md && build/release/heed mechanisms --write docs/mechanisms
	@build/release/heed options > docs/options.md
	@tools/draw-viewer build/release docs/viewer.png
fuzz: setup
	@$(call QUIET_CONFIGURE,fuzz) && cmake --build --preset fuzz && tools/run-fuzz build/fuzz
install: all
	@cmake --install build/release --prefix $(PREFIX)
clean:
	@rm -rf build
