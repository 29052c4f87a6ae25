#include "explain/page.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "explain/web_files.h"
#include "support/files.h"
#include "text/base64.h"

namespace heed::explain {
namespace {

using Json = nlohmann::json;

// What stands between an element's id and the end of the element.
std::string element(const std::string& page, const std::string& id) {
  const size_t begin = page.find("id=\"" + id + "\">");
  if (begin == std::string::npos) return "";
  const size_t from = begin + id.size() + 6;
  return page.substr(from, page.find("</script>", from) - from);
}

std::string block(const std::string& page, size_t number, size_t bytes) {
  const std::string packed = tokenize::from_base64(element(page, "block-" + std::to_string(number))).value_or("");
  std::string out(bytes, '\0');
  uLongf size = bytes;
  EXPECT_EQ(::uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(packed.data()),
                         packed.size()),
            Z_OK);
  EXPECT_EQ(size, bytes);
  return out;
}

Seen small(const Tensor& weights) {
  Seen seen{.title = "t", .model = "m", .texts = {{"text", {"a", "b", "c"}}}};
  seen.attention.push_back({"layer", 0, 0, weights, {}, {}});
  return seen;
}

float scale_at(const std::string& bytes, size_t row) {
  float scale = 0;
  std::memcpy(&scale, &bytes[row * 4], 4);
  return scale;
}

TEST(Page, WeightsAreWithinTheLossThatItStates) {
  const Tensor weights = rand({2, 3, 3}, random());
  const std::string text = page(small(weights));
  const Json layer = Json::parse(element(text, "seen"))["attention"][0];
  ASSERT_EQ(layer["bits"], 8);
  const std::string bytes = block(text, layer["block"], 6 * 4 + 18);
  const std::vector<double> want = weights.values();
  for (size_t i = 0; i < want.size(); ++i) {
    const double got = scale_at(bytes, i / 3) * static_cast<uint8_t>(bytes[24 + i]);
    EXPECT_NEAR(got, want[i], scale_at(bytes, i / 3) / 2 * 1.001);
  }
}

TEST(Page, VectorsKeepTheirSign) {
  Seen seen = small(Tensor::full({1, 3, 3}, 0.5));
  seen.attention[0].q = tensor({-2, 1, 0, 0, 0.5, 2}).view({1, 3, 2}), seen.attention[0].k = Tensor::full({1, 3, 2}, 0);
  const std::string text = page(seen),
                    bytes = block(text, Json::parse(element(text, "seen"))["attention"][0]["q"]["block"], 18);
  std::vector<double> got;
  for (size_t i = 0; i < 6; ++i) got.push_back(scale_at(bytes, i / 2) * (static_cast<uint8_t>(bytes[12 + i]) - 127));
  const std::vector<double> want = {-2, 1, 0, 0, 0.5, 2};
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(got[i], want[i], 0.01);
}

TEST(Page, HostileTokensStayText) {
  Seen seen = small(Tensor::full({1, 3, 3}, 0.5));
  seen.title = "</script><script>alert(1)</script>";
  seen.texts[0].tokens = {"</script>", "<img src=x onerror=alert(1)>", "\xff<!--"};
  const std::string text = page(seen), without = page(small(Tensor::full({1, 3, 3}, 0.5)));
  const auto count = [](const std::string& in, const std::string& what) {
    size_t n = 0;
    for (size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++n;
    return n;
  };
  for (const char* markup : {"<script", "</script", "<img", "<!--"})
    EXPECT_EQ(count(text, markup), count(without, markup));
  EXPECT_EQ(Json::parse(element(text, "seen"))["texts"][0]["tokens"][1], seen.texts[0].tokens[1]);
}

TEST(Page, HoldsEveryFileOfTheViewer) {
  const std::string text = page(Seen{});
  for (const WebFile& file : web_files()) {
    if (file.name == "index.html") continue;
    EXPECT_NE(text.find(file.content), std::string::npos) << file.name;
  }
  EXPECT_EQ(text.find("src=\""), std::string::npos);
}

// Noise does not shrink: fewer bits, and then a sentence.
TEST(Page, KeepsToItsSize) {
  const int64_t tokens = 700;
  Seen seen{.title = "", .model = "", .texts = {{"text", std::vector<std::string>(tokens, "w")}}};
  const Tensor noise = rand({8, tokens, tokens}, random());
  for (int layer = 0; layer < 3; ++layer) seen.attention.push_back({"layer", 0, 0, noise, {}, {}});
  const std::string text = page(seen);
  EXPECT_LE(text.size(), kLargestPage);
  EXPECT_EQ(Json::parse(element(text, "seen"))["attention"][0]["bits"], 4);
  for (int layer = 0; layer < 17; ++layer) seen.attention.push_back({"layer", 0, 0, noise, {}, {}});
  EXPECT_TRUE(testing::refused(ErrorKind::usage, {"do not fit", "fewer layers"}, [&] { page(seen); }));
}

TEST(Page, NothingIsDrawnThatDoesNotBelongTogether) {
  EXPECT_TRUE(testing::refused(ErrorKind::usage, {"3 tokens", "(1, 2, 2)"}, [] {
    page(small(Tensor::full({1, 2, 2}, 1)));
  }));
}

}  // namespace
}  // namespace heed::explain
