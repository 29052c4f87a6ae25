// Dtypes and their conversions, memory, printing.
#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/tensor.h>
#include <sys/mman.h>

#include <bit>
#include <cmath>
#include <sstream>
#include <thread>

#include "support/close.h"
#include "support/files.h"
#include "tensor/dtype.h"

namespace heed {
namespace {

using testing::close;
using testing::refused;

constexpr Dtype kAll[] = {Dtype::f32, Dtype::f64, Dtype::bf16, Dtype::f16,
                          Dtype::i64, Dtype::i32, Dtype::u8,   Dtype::boolean};

// IEEE 754's definition of the value of some bits, in double.
double value_of_bits(uint32_t bits, int exponent_bits, int fraction_bits) {
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const double fraction = std::ldexp(bits & ((1u << fraction_bits) - 1), -fraction_bits);
  const double sign = bits >> (exponent_bits + fraction_bits) & 1 ? -1 : 1;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * (exponent ? std::ldexp(1 + fraction, exponent - bias) : std::ldexp(fraction, 1 - bias));
}

template <class Half>
void expect_every_value(int exponent_bits, int fraction_bits) {
  for (uint32_t bits = 0; bits < 1 << 16; ++bits) {
    Half half;
    half.bits = static_cast<uint16_t>(bits);
    const double want = value_of_bits(bits, exponent_bits, fraction_bits);
    const float got = static_cast<float>(half);
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(got)) << bits;
      ASSERT_TRUE(std::isnan(static_cast<float>(Half(got)))) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(got), want) << bits;
      ASSERT_EQ(std::signbit(got), std::signbit(want)) << bits;
      ASSERT_EQ(Half(got).bits, bits);
    }
  }
}
TEST(Half, EveryValueOfF16) { expect_every_value<f16>(5, 10); }
TEST(Half, EveryValueOfBf16) { expect_every_value<bf16>(8, 7); }

// Between each two neighbours: what lies below the middle goes down, above it up, the middle to the even one.
template <class Half>
void expect_rounding(uint16_t infinity) {
  for (uint16_t bits = 0; bits + 1 < infinity; ++bits) {
    Half low, high;
    low.bits = bits, high.bits = static_cast<uint16_t>(bits + 1);
    const float middle = static_cast<float>(
        (static_cast<double>(static_cast<float>(low)) + static_cast<double>(static_cast<float>(high))) / 2);
    ASSERT_EQ(Half(middle).bits, bits % 2 == 0 ? low.bits : high.bits) << bits;
    ASSERT_EQ(Half(std::nextafter(middle, 0.0f)).bits, low.bits) << bits;
    ASSERT_EQ(Half(std::nextafter(middle, INFINITY)).bits, high.bits) << bits;
    ASSERT_EQ(Half(-middle).bits, Half(middle).bits | 0x8000) << bits;
  }
}
TEST(Half, F16RoundsToNearestEven) { expect_rounding<f16>(0x7c00); }
TEST(Half, Bf16RoundsToNearestEven) { expect_rounding<bf16>(0x7f80); }

TEST(Half, Overflow) {
  EXPECT_EQ(f16(65519.99f).bits, 0x7bff);
  EXPECT_EQ(f16(65520.0f).bits, 0x7c00);
  EXPECT_EQ(f16(-1e30f).bits, 0xfc00);
  EXPECT_EQ(f16(INFINITY).bits, 0x7c00);
  EXPECT_EQ(bf16(3.4e38f).bits, 0x7f80);
  EXPECT_EQ(f16(1e-10f).bits, 0);
}

TEST(Convert, OutOfRangeSaturates) {
  EXPECT_EQ(convert<int32_t>(1e20), INT32_MAX);
  EXPECT_EQ(convert<int32_t>(-1e20f), INT32_MIN);
  EXPECT_EQ(convert<int32_t>(2147483520.0f), 2147483520);
  EXPECT_EQ(convert<int64_t>(9.3e18), INT64_MAX);
  EXPECT_EQ(convert<int64_t>(-INFINITY), INT64_MIN);
  EXPECT_EQ(convert<uint8_t>(-1.0), 0);
  EXPECT_EQ(convert<uint8_t>(255.9), 255);
  EXPECT_EQ(convert<uint8_t>(256.0f), 255);
  EXPECT_EQ(convert<int32_t>(NAN), 0);
  EXPECT_EQ(convert<uint8_t>(int64_t{300}), 255);
  EXPECT_EQ(convert<uint8_t>(int64_t{-1}), 0);
  EXPECT_EQ(convert<int32_t>(int64_t{1} << 40), INT32_MAX);
  EXPECT_EQ(convert<int32_t>(INT64_MIN), INT32_MIN);
  EXPECT_EQ(convert<bool>(0.5), true);
  EXPECT_EQ(convert<bool>(-0.0f), false);
  EXPECT_EQ(convert<bool>(f16(0.0f)), false);
  EXPECT_EQ(convert<uint8_t>(true), 1);
  EXPECT_EQ(convert<int32_t>(f16(INFINITY)), INT32_MAX);
}

// A double is rounded once: just above the middle between two halves it goes up, though f32 cannot tell it from the
// middle.
TEST(Convert, DoublesAreRoundedOnce) {
  const double tiny = std::ldexp(1, -40);
  EXPECT_EQ(convert<f16>(1 + std::ldexp(1, -11)).bits, 0x3c00);
  EXPECT_EQ(convert<f16>(1 + std::ldexp(1, -11) + tiny).bits, 0x3c01);
  EXPECT_EQ(convert<f16>(-1 - std::ldexp(3, -11) + tiny).bits, 0xbc01);
  EXPECT_EQ(convert<bf16>(1 + std::ldexp(1, -8) + tiny).bits, 0x3f81);
  EXPECT_EQ(convert<bf16>(1 + std::ldexp(3, -8) - tiny).bits, 0x3f81);
  EXPECT_EQ(convert<bf16>(1e300).bits, 0x7f80);
  EXPECT_EQ(convert<f16>(-INFINITY).bits, 0xfc00);
  EXPECT_TRUE(std::isnan(static_cast<float>(convert<f16>(static_cast<double>(NAN)))));
}

TEST(Convert, EveryPairOfDtypesKeepsSmallWholeNumbers) {
  for (Dtype from : kAll)
    for (Dtype to : kAll) {
      const Tensor x = tensor({{0, 1}, {1, 0}}, from).to(to);
      EXPECT_EQ(x.dtype(), to);
      EXPECT_TRUE(close(x.values(), std::vector<double>{0, 1, 1, 0}, 0)) << name(from) << " to " << name(to);
    }
}

TEST(Tensors, OfEveryDtype) {
  for (Dtype dtype : kAll) {
    const Tensor ones = Tensor::full({2, 3}, 1, dtype);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(ones.raw()) % 64, 0u);
    EXPECT_TRUE(close(ones.values(), std::vector<double>(6, 1), 0)) << name(dtype);
    EXPECT_TRUE(close(Tensor::zeros({2, 3}, dtype).values(), std::vector<double>(6, 0), 0));
    EXPECT_EQ(Tensor({0, 3}, dtype).numel(), 0);
    EXPECT_EQ(scalar(1, dtype).item(), 1);
  }
  EXPECT_EQ(size_of(Dtype::f64), 8);
  EXPECT_EQ(size_of(Dtype::boolean), 1);
  EXPECT_EQ(size_of(Dtype::bf16), 2);
}

TEST(Tensors, WrongSizesAndDtypes) {
  const auto usage = [](const std::vector<std::string>& parts, const auto& action) {
    return refused(ErrorKind::usage, parts, action);
  };
  EXPECT_TRUE(usage({"negative", "(2, -1)"}, [] { Tensor x({2, -1}); }));
  EXPECT_TRUE(usage({"negative"}, [] { Tensor x(Shape{0, -1}); }));
  EXPECT_TRUE(usage({"64 bits"}, [] { Tensor x({int64_t{1} << 40, int64_t{1} << 40}); }));
  EXPECT_TRUE(usage({"64 bits"}, [] { Tensor x(Shape{int64_t{1} << 61}, Dtype::f64); }));
  EXPECT_TRUE(usage({"64 bits"}, [] { Tensor::wrap(nullptr, Shape{int64_t{1} << 61}, Dtype::f64); }));
  EXPECT_TRUE(usage({"9", "8"}, [] { Tensor x({1, 1, 1, 1, 1, 1, 1, 1, 1}); }));
  EXPECT_TRUE(usage({"f32", "f64"}, [] { Tensor(Shape{1}).data<double>(); }));
  EXPECT_TRUE(usage({"undefined"}, [] { Tensor().shape(); }));
  EXPECT_TRUE(usage({"undefined"}, [] { Tensor().as_strided({1}, {1}, 0); }));
  EXPECT_TRUE(usage({"item", "(2)"}, [] { tensor({1, 2}).item(); }));
  EXPECT_TRUE(usage({"2", "3"}, [] { tensor({{1, 2}, {1, 2, 3}}); }));
  EXPECT_TRUE(usage({"2 values", "(3)"}, [] { tensor_from(std::vector<float>{1, 2}, {3}); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"memory"}, [] { Tensor x({(int64_t{1} << 62) - 1}, Dtype::u8); }));
  EXPECT_TRUE(refused(ErrorKind::system, {"memory"}, [] { Tensor x({INT64_MAX}, Dtype::u8); }));
}

TEST(Tensors, WrapKeepsTheOwner) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  const std::weak_ptr<void> watch = owner;
  Tensor row;
  {
    const Tensor x = Tensor::wrap(owner->data(), {2, 2}, Dtype::f32, owner);
    row = x[1];
  }
  owner.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_TRUE(close(row.values(), std::vector<double>{3, 4}, 0));
  row = Tensor();
  EXPECT_TRUE(watch.expired());
}

TEST(Tensors, SoleOwner) {
  Tensor x({2});
  EXPECT_TRUE(x.sole_owner());
  {
    const Tensor same = x;
    EXPECT_FALSE(x.sole_owner());
  }
  const Tensor view = x.slice(0, 0, 1);
  EXPECT_FALSE(x.sole_owner());
}

// More than 2^31 elements; zeros() would touch every page, so the memory is mapped and only its ends are used.
TEST(Tensors, BeyondTwoToTheThirtyFirst) {
  const int64_t n = (int64_t{1} << 31) + 5;
  void* memory = ::mmap(nullptr, static_cast<size_t>(n), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const std::shared_ptr<void> owner(memory, [](void* at) { ::munmap(at, static_cast<size_t>(n)); });
  Tensor x = Tensor::wrap(memory, {n}, Dtype::u8, owner);
  x.at<uint8_t>({n - 1}) = 7;
  EXPECT_EQ(x.numel(), n);
  EXPECT_EQ(x.value({n - 1}), 7);
  EXPECT_TRUE(close(x.slice(0, n - 2, n).values(), std::vector<double>{0, 7}, 0));
  EXPECT_EQ(x.slice(0, 0, n, 1 << 30).numel(), 3);
  const Tensor wide = x.view({-1, 1}).expand({n, 1 << 20});
  EXPECT_EQ(wide.select(0, n - 1).select(0, 12345).item(), 7);
  EXPECT_EQ(wide.numel(), n << 20);
  std::ostringstream out;
  out << x;
  EXPECT_NE(out.str().find("7]  u8 (2147483653)"), std::string::npos) << out.str();
}

TEST(Arena, TheSteadyStateAsksForNothing) {
  const auto step = [] {
    Tensor a({100, 100}), b({33}, Dtype::f64), c = a.clone();
    b = Tensor::zeros({7, 7, 7});
  };
  step();
  const MemoryUse before = memory_use();
  for (int i = 0; i < 100; ++i) step();
  const MemoryUse after = memory_use();
  EXPECT_EQ(after.system_requests, before.system_requests);
  EXPECT_EQ(after.held, before.held);
  EXPECT_EQ(after.in_use, before.in_use);
}

TEST(Arena, ReleaseGivesBack) {
  release_memory();
  const MemoryUse before = memory_use();
  EXPECT_EQ(before.held, before.in_use);
  {
    Tensor x({1 << 20});
    EXPECT_GE(memory_use().in_use, before.in_use + (4 << 20));
    release_memory();  // what is in use stays
    x.fill(1);
    EXPECT_GE(memory_use().held, 4 << 20);
  }
  EXPECT_GE(memory_use().held, before.held + (4 << 20));  // kept for the next one
  release_memory();
  EXPECT_EQ(memory_use().held, before.held);
}

TEST(Arena, Peak) {
  reset_memory_peak();
  const int64_t before = memory_use().peak;
  {
    const Tensor x({1 << 20});
    const Tensor y({1 << 20});
  }
  EXPECT_GE(memory_use().peak, before + (8 << 20));
  reset_memory_peak();
  EXPECT_LT(memory_use().peak, before + (8 << 20));
}

// A block is at most a fifth larger than what was asked for (beyond the smallest).
TEST(Arena, LittleIsLost) {
  for (int64_t bytes : {300, 1000, 4097, 100'000, (1 << 20) + 1, 5'000'000}) {
    const int64_t before = memory_use().in_use;
    const Tensor x({bytes}, Dtype::u8);
    const int64_t used = memory_use().in_use - before;
    EXPECT_GE(used, bytes);
    EXPECT_LE(static_cast<double>(used), 1.26 * static_cast<double>(bytes));
  }
}

TEST(Arena, ManyThreads) {
  const int64_t before = memory_use().in_use;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        Tensor x({i % 50 + 1, 17});
        x.fill(t);
        ASSERT_EQ(x.value({i % 50, 16}), t);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(memory_use().in_use, before);
}

TEST(Printing, ForAPerson) {
  EXPECT_EQ(text(tensor({1, 2.5, -3})), "[  1, 2.5,  -3]");
  EXPECT_EQ(text(tensor({{1, 2}, {3, 4}})), "[[1, 2],\n [3, 4]]");
  EXPECT_EQ(text(scalar(2)), "2");
  EXPECT_EQ(text(tensor({1, 0}, Dtype::boolean)), "[ true, false]  bool (2)");
  EXPECT_EQ(text(tensor({1e-7, NAN, INFINITY})), "[1.0000e-07,        nan,        inf]");
  EXPECT_EQ(text(Tensor::zeros({2, 0})), "[[],\n []]  f32 (2, 0)");
  EXPECT_EQ(text(Tensor()), "(undefined tensor)");
  EXPECT_EQ(text(tensor({7}, Dtype::i64)), "[7]  i64 (1)");
  const std::string cube = text(Tensor::zeros({2, 1, 2}));
  EXPECT_EQ(cube, "[[[0, 0]],\n\n [[0, 0]]]");
}

TEST(Printing, LargeOnesAreAbridged) {
  const std::string shown = text(Tensor::zeros({100, 100}));
  EXPECT_NE(shown.find("..."), std::string::npos);
  EXPECT_NE(shown.find("f32 (100, 100)"), std::string::npos);
  EXPECT_LT(shown.size(), 300u);
}

// i64 keeps all its digits, also beyond 2^53.
TEST(Printing, LargeIntegersAreExact) {
  Tensor x({1}, Dtype::i64);
  x.at<int64_t>({0}) = (int64_t{1} << 53) + 1;
  EXPECT_EQ(text(x), "[9007199254740993]  i64 (1)");
}

}  // namespace
}  // namespace heed
