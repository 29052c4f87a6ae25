# Flags that every file of heed is compiled with.
#
# x86-64: the baseline is AVX2 with FMA (every server and desktop processor since 2013-2015); Highway adds an AVX-512 version
# of each kernel beside it and picks at run time. Products and sums are never contracted by the compiler: where the kernels
# want a fused multiply-add they say so, and the bits do not depend on the compiler's mood.
add_library(heed_flags INTERFACE)
target_compile_options(heed_flags INTERFACE
  -Wall -Wextra -Werror=return-type -ffp-contract=off -fno-math-errno -fno-trapping-math)
string(REGEX MATCH "x86_64|AMD64" HEED_X86 "${CMAKE_SYSTEM_PROCESSOR}")
if(HEED_X86)
  # AES and PCLMUL belong to what Highway calls AVX2 (g++'s haswell leaves AES out); without them it would also compile every
  # kernel for SSSE3 and SSE4, which nobody runs.
  target_compile_options(heed_flags INTERFACE -march=haswell -maes -mpclmul -mtune=generic)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns falsely about its own AVX-512 intrinsics (GCC bug 105593) and about sums of strings (105651);
  # and it takes a source that is compiled together with others for a header, whose names belong to nobody else.
  target_compile_options(heed_flags INTERFACE
    -Wno-uninitialized -Wno-maybe-uninitialized -Wno-psabi -Wno-restrict -Wno-subobject-linkage)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # clang 14 destroys the wrong temporaries in a call that also makes one of fmt's consteval format strings: every
  # check(..., place(name), "text {}") that throws would free memory twice. Format strings are checked by g++.
  target_compile_definitions(heed_flags INTERFACE FMT_CONSTEVAL=)
endif()
# Some 150 test programs are linked in a build: lld takes a second for each, GNU ld four.
include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=lld HEED_LLD)
if(HEED_LLD)
  target_link_options(heed_flags INTERFACE -fuse-ld=lld)
endif()
# AVX-512 is two thirds of the time that kernels take to compile: where it cannot be run it is left out, unless it is asked
# for. A program without it runs on every machine that has AVX2; `heed --version` says what it uses.
set(HEED_ALL_TARGETS ON)
if(HEED_X86 AND EXISTS /proc/cpuinfo)
  file(STRINGS /proc/cpuinfo HEED_AVX512 REGEX "^flags.* avx512bw" LIMIT_COUNT 1)
  if(NOT HEED_AVX512)
    set(HEED_ALL_TARGETS OFF)
  endif()
endif()
option(HEED_PORTABLE "kernels for every instruction set, to be run on other machines too" ${HEED_ALL_TARGETS})
if(NOT HEED_PORTABLE)
  target_compile_definitions(heed_flags INTERFACE HWY_COMPILE_ONLY_STATIC)
endif()
if(HEED_SANITIZE)
  target_compile_options(heed_flags INTERFACE -fsanitize=${HEED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # A product of no depth steps through its absent operand without reading it: an offset from a null pointer, which clang
  # reports. Reads and writes through wild pointers are AddressSanitizer's to find.
  # What null, object-size and vptr find, AddressSanitizer finds as well (no class is cast down but by dynamic_cast); they
  # are a quarter of the compile time.
  if(HEED_SANITIZE MATCHES "undefined")
    target_compile_options(heed_flags INTERFACE -fno-sanitize=pointer-overflow,null,object-size,vptr)
  endif()
  target_link_options(heed_flags INTERFACE -fsanitize=${HEED_SANITIZE})
endif()
