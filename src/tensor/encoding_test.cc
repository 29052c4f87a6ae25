// The small floats against ml_dtypes, and files that NumPy and the safetensors package wrote.
#include "tensor/encoding.h"

#include <gtest/gtest.h>
#include <heed/io.h>

#include <bit>
#include <cmath>
#include <set>

#include "support/close.h"
#include "support/files.h"
#include "tensor/contents.h"

namespace heed {
namespace {

using testing::close;

const std::string kGolden = HEED_GOLDEN;

TEST(Encoding, NamesAndSizes) {
  for (int i = 0; i < kEncodings; ++i) {
    const auto encoding = static_cast<Encoding>(i);
    EXPECT_EQ(encoding_named(name(encoding)), encoding);
  }
  EXPECT_FALSE(encoding_named("F3"));
  EXPECT_EQ(std::string(name(Encoding::u64)), "U64");
  for (Dtype dtype :
       {Dtype::boolean, Dtype::f32, Dtype::u8, Dtype::f64, Dtype::bf16, Dtype::f16, Dtype::i64, Dtype::i32}) {
    EXPECT_EQ(dtype_for(encoding_of(dtype)), dtype);
    EXPECT_EQ(bits_of(encoding_of(dtype)), 8 * size_of(dtype));
  }
}

TEST(Encoding, SmallFloatsAreWhatMlDtypesSays) {
  const TensorFile golden = load_npz(kGolden + "/small_floats.npz");
  ASSERT_EQ(golden.tensors.size(), 6u);
  for (const auto& [dtype, values] : golden.tensors) {
    const auto& got = small_floats(*encoding_named(dtype));
    const std::span<const float> want = values.span<float>();
    ASSERT_EQ(want.size(), 256u);
    for (size_t i = 0; i < 256; ++i) {
      const bool both_nan = std::isnan(got[i]) && std::isnan(want[i]);
      EXPECT_TRUE(both_nan || std::bit_cast<uint32_t>(got[i]) == std::bit_cast<uint32_t>(want[i])) << dtype << ' ' << i;
    }
  }
}

TEST(Golden, SafetensorsOfEveryDtype) {
  const SafetensorsReader reader(kGolden + "/formats.safetensors");
  EXPECT_EQ(reader.entries().size(), static_cast<size_t>(kEncodings));
  EXPECT_EQ(reader.metadata().at("字"), "值");
  for (const TensorEntry& entry : reader.entries()) {
    if (dtype_for(*encoding_named(entry.dtype))) {
      EXPECT_EQ(reader.tensor(entry).shape(), (Shape{2, 4}));
    }
  }
}

TEST(Golden, ArraysOfNumPy) {
  const std::string path = kGolden + "/formats.npz";
  const TensorFile content = load_npz(path);
  EXPECT_EQ(std::set<std::string>(content.others.begin(), content.others.end()),
            (std::set<std::string>{"complex", "date", "record", "text"}));
  EXPECT_EQ(content.tensors.size(), 12u);
  EXPECT_EQ(content["scalar"].item(), 2.5);
  EXPECT_EQ(content["empty"].shape(), (Shape{0, 3}));
  for (const auto& [name, tensor] : content.tensors) {
    if (name == "scalar" || name == "empty") continue;
    const std::vector<double> want =
        name == "flags" ? std::vector<double>{0, 1, 0, 1, 0, 1} : std::vector<double>{0, 1, 2, 3, 4, 5};
    EXPECT_TRUE(close(tensor.values(), want, 0)) << name;
  }
}

TEST(Golden, SummaryOfEveryArray) {
  const FileSummary file = summarize(kGolden + "/formats.npz");
  EXPECT_EQ(file.arrays.size(), 16u);
  for (const ArraySummary& array : file.arrays)
    EXPECT_EQ(array.statistics.has_value(),
              array.name != "text" && array.name != "record" && array.name != "complex" && array.name != "date")
        << array.name;
}

}  // namespace
}  // namespace heed
