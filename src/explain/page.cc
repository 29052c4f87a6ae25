#include "explain/page.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/threads.h"
#include "explain/mechanism_page.h"
#include "explain/seen_json.h"
#include "explain/web_files.h"
#include "tensor/shape_format.h"
#include "tensor/unicode.h"
#include "text/base64.h"

namespace heed::explain {
namespace {

using Json = nlohmann::ordered_json;

// ---- numbers on their way: whole numbers of a few bits, deflated, in base64 ------------------------------

enum class Sign { none, with };

// Weights may be negative where no normaliser made them: then all of the layer have a sign.
Sign sign_of(const Tensor& weights) {
  const Tensor numbers = weights.packed().to(Dtype::f32);
  const std::span<const float> all = numbers.span<float>();
  return std::any_of(all.begin(), all.end(), [](float x) { return x < 0; }) ? Sign::with : Sign::none;
}

// For each row its scale (f32), then its codes, the first in the lowest bits; a row begins with a byte.
//   x ≈ scale·code, code = round(x / scale), scale = largest |x| of the row / largest code
// A code that has a sign is stored with the largest added.
std::string codes_of(const Tensor& x, int bits, Sign sign) {
  const Tensor numbers = x.packed().to(Dtype::f32);
  const int64_t width = numbers.dim(-1), rows = numbers.numel() / width;
  const size_t row_bytes = static_cast<size_t>((width * bits + 7) / 8), scales = static_cast<size_t>(rows) * 4;
  const int largest = (1 << (sign == Sign::with ? bits - 1 : bits)) - 1, zero = sign == Sign::with ? largest : 0;
  std::string bytes(scales + static_cast<size_t>(rows) * row_bytes, '\0');
  const float* from = numbers.span<float>().data();
  for (int64_t r = 0; r < rows; ++r, from += width) {
    float most = 0;
    for (int64_t s = 0; s < width; ++s) most = std::max(most, std::abs(from[s]));
    const float scale = most / static_cast<float>(largest), per = most > 0 ? static_cast<float>(largest) / most : 0;
    std::memcpy(&bytes[static_cast<size_t>(r) * 4], &scale, 4);
    char* to = &bytes[scales + static_cast<size_t>(r) * row_bytes];
    for (int64_t s = 0; s < width; ++s) {
      const int code = static_cast<int>(from[s] * per + static_cast<float>(zero) + 0.5F);
      to[s * bits / 8] = static_cast<char>(to[s * bits / 8] | code << s * bits % 8);
    }
  }
  return bytes;
}

std::string deflated(const std::string& bytes, int level) {
  uLongf size = ::compressBound(bytes.size());
  std::string out(size, '\0');
  const int done = ::compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), level);
  if (done != Z_OK) fail(ErrorKind::system, "page", "zlib does not compress {} bytes", bytes.size());
  out.resize(size);
  return out;
}

constexpr int kQuick = 1, kSmallest = 9;  // levels of zlib

std::string travelling(const std::string& bytes, int level) { return tokenize::to_base64(deflated(bytes, level)); }

// Of each layer.
std::vector<Sign> signs_of(const Seen& seen) {
  std::vector<Sign> signs;
  for (const SeenAttention& each : seen.attention) signs.push_back(sign_of(each.weights));
  return signs;
}

std::vector<std::string> travelling_weights(const Seen& seen, const std::vector<Sign>& signs, int bits) {
  std::vector<std::string> blocks(seen.attention.size());
  parallel_items(static_cast<int64_t>(blocks.size()), [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    blocks[at] = travelling(codes_of(seen.attention[at].weights, bits, signs[at]), kQuick);
  });
  return blocks;
}

size_t total(const std::vector<std::string>& blocks) {
  size_t size = 0;
  for (const std::string& block : blocks) size += block.size();
  return size;
}

// The heads of some layers say how far the others will shrink.
bool may_fit(const Seen& seen, const std::vector<Sign>& signs, int bits, size_t room) {
  size_t all = 0;
  for (size_t i = 0; i < seen.attention.size(); ++i) {
    const Tensor& weights = seen.attention[i].weights;
    const std::string head = codes_of(weights.slice(0, 0, 1), bits, signs[i]);
    all += static_cast<size_t>(weights.dim(0)) * deflated(head, kQuick).size() * 4 / 3;
  }
  return all < room + room / 8;
}

struct Weights {
  int bits = 8;
  std::vector<std::string> blocks;
  std::vector<Sign> signs;
};

Weights weights_within(const Seen& seen, size_t room) {
  const std::vector<Sign> signs = signs_of(seen);
  for (const int bits : {8, 4, 2}) {
    if (!may_fit(seen, signs, bits, room)) continue;
    Weights weights{bits, travelling_weights(seen, signs, bits), signs};
    if (total(weights.blocks) <= room) return weights;
  }
  fail(ErrorKind::usage, "page", "the weights do not fit into a page of {} MB: take fewer layers, heads or tokens",
       kLargestPage / 1'000'000);
}

// ---- the page -------------------------------------------------------------------------------------------

class Blocks {
 public:
  size_t add(std::string block) {
    text_ += "<script type=\"text/plain\" id=\"block-" + std::to_string(count_) + "\">" + block + "</script>\n";
    return count_++;
  }
  const std::string& text() const { return text_; }

 private:
  size_t count_ = 0;
  std::string text_;
};

Json mechanisms_json() {
  Json all = Json::array();
  const Json chinese = Json::parse(mechanism_table_json(Language::chinese));
  for (const attention::Mechanism& row : attention::mechanisms()) {
    Json one = Json::parse(mechanism_json(row, Language::english));
    one["zh"] = chinese[all.size()];
    all.push_back(std::move(one));
  }
  return all;
}

// JSON that may stand within a script element: there is no '<' in it.
std::string embedded(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) c == '<' ? void(safe += "\\u003c") : void(safe += c);
  return safe;
}

Json vectors_json(const Tensor& x, Blocks& blocks) {
  return {{"width", x.dim(2)}, {"block", blocks.add(travelling(codes_of(x, 8, Sign::with), kQuick))}};
}

Json attention_json(const Seen& seen, Blocks& blocks, size_t room) {
  Weights weights = weights_within(seen, room);
  room -= total(weights.blocks);
  Json all = Json::array();
  for (size_t i = 0; i < seen.attention.size(); ++i) {
    const SeenAttention& each = seen.attention[i];
    Json one = {{"name", each.name},    {"queries", each.queries},
                {"keys", each.keys},    {"heads", each.weights.dim(0)},
                {"bits", weights.bits}, {"block", blocks.add(std::move(weights.blocks[i]))}};
    one["signed"] = weights.signs[i] == Sign::with;
    if (!each.importance.empty()) one["importance"] = each.importance;
    const size_t vectors = each.q.defined() ? static_cast<size_t>(each.q.numel() + each.k.numel()) * 3 / 2 : 0;
    one["vectors"] = vectors == 0 ? "none" : vectors <= room ? "here" : "left out";
    if (vectors > 0 && vectors <= room) {
      one["q"] = vectors_json(each.q, blocks), one["k"] = vectors_json(each.k, blocks);
      room -= vectors;
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::string_view content_of(std::string_view name) {
  for (const WebFile& file : web_files())
    if (file.name == name) return file.content;
  fail(ErrorKind::usage, "page", "the viewer has no file '{}'", name);
}

// A text with the file that `before NAME after` names in its place, for each of them.
std::string with_files(std::string text, std::string_view before, std::string_view after, std::string_view tag,
                       std::string_view attributes) {
  for (size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
    const size_t name = at + before.size(), end = text.find(after, name);
    const std::string content(content_of(std::string_view(text).substr(name, end - name)));
    const std::string element = fmt::format("<{0}{2}>\n{1}</{0}>", tag, content, attributes);
    text.replace(at, end + after.size() - at, element);
    at += element.size();
  }
  return text;
}

std::string viewer(const std::string& attributes) {
  const std::string text(content_of("index.html"));
  const std::string styled = with_files(text, "<link rel=\"stylesheet\" href=\"", "\">", "style", attributes);
  return with_files(styled, "<script src=\"", "\"></script>", "script", attributes);
}

void put(std::string& text, std::string_view mark, const std::string& in_its_place) {
  text.replace(text.find(mark), mark.size(), in_its_place);
}
void put_policy(std::string& text, const std::string& policy) { put(text, "<!-- what it may do -->\n", policy); }
void put_seen(std::string& text, const Json& seen, const Blocks& blocks) {
  put(text, "<!-- what was seen -->",
      "<script type=\"application/json\" id=\"seen\">" + embedded(seen) + "</script>\n" + blocks.text());
}

// A page from a file asks nobody for anything.
constexpr const char* kOffline =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; style-src "
    "'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'\">\n";

}  // namespace

std::string page(const Seen& seen) {
  check_whole(seen);
  std::string text = viewer("");
  put_policy(text, kOffline);
  Blocks blocks;
  Json json = described(seen);
  json["mechanisms"] = blocks.add(travelling(mechanisms_json().dump(), kSmallest));
  const size_t taken = text.size() + blocks.text().size() + embedded(json).size() + (1 << 16);
  json["attention"] = attention_json(seen, blocks, taken < kLargestPage ? kLargestPage - taken : 0);
  put_seen(text, json, blocks);
  return text;
}

std::string served_page() {
  std::string text = viewer(fmt::format(" nonce=\"{}\"", kNonce));
  put_policy(text, "");
  Blocks blocks;
  Json json = described({});
  json["mechanisms"] = blocks.add(travelling(mechanisms_json().dump(), kSmallest));
  json["attention"] = Json::array(), json["served"] = true;
  put_seen(text, json, blocks);
  return text;
}

}  // namespace heed::explain
