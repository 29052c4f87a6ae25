// close(got, want, tolerance): the only comparison that tests use. It fails on empty ranges, unequal sizes, NaN and on
// comparing a buffer with itself, so that a test cannot pass by comparing nothing.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <span>

namespace heed::testing {

// |got - want| <= tolerance * (1 + |want|), element by element.
template <class T, class U>
::testing::AssertionResult close(std::span<const T> got, std::span<const U> want, double tolerance) {
  if (want.empty()) return ::testing::AssertionFailure() << "nothing to compare";
  if (got.size() != want.size())
    return ::testing::AssertionFailure() << fmt::format("{} values, wanted {}", got.size(), want.size());
  if (static_cast<const void*>(got.data()) == static_cast<const void*>(want.data()))
    return ::testing::AssertionFailure() << "a buffer compared with itself";
  for (size_t i = 0; i < want.size(); ++i) {
    const double g = static_cast<double>(got[i]), w = static_cast<double>(want[i]);
    const bool same_infinity = std::isinf(w) && g == w;
    if (!same_infinity && !(std::abs(g - w) <= tolerance * (1 + std::abs(w))))
      return ::testing::AssertionFailure() << fmt::format("at {}: got {}, wanted {} (off by {})", i, g, w, g - w);
  }
  return ::testing::AssertionSuccess();
}

template <class A, class B>
::testing::AssertionResult close(const A& got, const B& want, double tolerance) requires requires {
  std::span(got);
  std::span(want);
}
{
  return close(std::span<const typename A::value_type>(got), std::span<const typename B::value_type>(want), tolerance);
}

}  // namespace heed::testing
