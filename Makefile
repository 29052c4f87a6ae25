# A thin front on CMake; CMakePresets.json says how each build is made.
.PHONY: all
all: setup
	@cmake --preset release -DHEED_TESTS=OFF >/dev/null && cmake --build --preset release
.PHONY: setup
setup:
	@tools/setup
