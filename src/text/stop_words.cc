#include "text/stop_words.h"

#include <algorithm>

#include "base/check.h"
#include "tensor/file.h"
#include "tensor/unicode.h"

namespace heed::tokenize {
namespace {

constexpr std::string_view kEnglish =
    "a about above after again against all am an and any are as at be because been before being below between both but "
    "by can could did do does doing down during each few for from further had has have having he her here hers herself "
    "him himself his how i if in into is it its itself just me more most my myself no nor not now of off on once only "
    "or other our ours ourselves out over own same she should so some such than that the their theirs them themselves "
    "then there these they this those through to too under until up very was we were what when where which while who "
    "whom why will with would you your yours yourself yourselves";
constexpr std::string_view kChinese =
    "的 我的 你的 他的 她的 了 和 是 在 我 有 就 不 人 都 一 一个 上 也 很 到 说 要 去 你 会 着 没有 看 自己 这 那 他 "
    "她 它 我们 你们 他们 "
    "她们 它们 "
    "这个 那个 这些 那些 这里 那里 什么 怎么 为什么 哪 哪里 谁 吗 呢 吧 啊 呀 哦 嘛 与 及 或 或者 而 而且 但 但是 因为 "
    "所以 "
    "如果 虽然 然而 因此 并 并且 以 以及 为 对 对于 从 向 把 被 让 给 由 于 之 其 将 还 又 再 才 只 更 最 已 已经 正在 "
    "等";

std::vector<std::string> words_of(std::string_view text, std::string_view separators) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

std::vector<std::string> stop_words_of(const std::string& name) {
  if (name == "en") return words_of(kEnglish, " ");
  if (name == "zh") return words_of(kChinese, " ");
  const Bytes file = read_file(name);
  std::string_view text(reinterpret_cast<const char*>(file.data), static_cast<size_t>(file.size));
  check_format(valid_utf8(text), name, "is not UTF-8, wanted a stop word a line");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return words_of(text, "\r\n");
}

}  // namespace heed::tokenize
