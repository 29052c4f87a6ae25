#include "text/models/merges.h"

#include <bit>
#include <queue>

#include "text/draw.h"

namespace heed::tokenize {
namespace {

size_t hash_of(int32_t left, int32_t right) {
  const uint64_t pair = uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  const uint64_t mixed = pair * 0x9e3779b97f4a7c15u;  // Fibonacci hashing
  return static_cast<size_t>(mixed ^ mixed >> 32);
}

// The two halves of a merge, as the file has it.
std::pair<std::string, std::string> halves(const Json& merge, const Object& object) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  object.require(merge.is_string(), "merges: holds {}, wanted pairs of texts", merge.type_name());
  const std::string text = merge.get<std::string>();
  const size_t space = text.find(' ');
  object.require(space != std::string::npos && text.find(' ', space + 1) == std::string::npos,
                 "merges: '{}' is not two tokens with a space between them", shortened(printable(text), 40));
  return {text.substr(0, space), text.substr(space + 1)};
}

}  // namespace

Merges::Merges(const Object& object, const Vocabulary& vocabulary, const std::string& prefix) {
  const auto id_of = [&](const std::string& token) {
    const auto id = vocabulary.id_of(token);
    object.require(id.has_value(), "merges: '{}' is no token", shortened(printable(token), 40));
    return *id;
  };
  for (const Json& merge : object.list("merges")) {
    const auto [left, right] = halves(merge, object);
    const std::string rest = right.starts_with(prefix) ? right.substr(prefix.size()) : right;
    list_.push_back({id_of(left), id_of(right), static_cast<int32_t>(list_.size()), id_of(left + rest)});
  }
  build_table();
}

void Merges::build_table() {
  table_.resize(std::bit_ceil(2 * list_.size() + 2));
  for (const Merge& merge : list_) {
    size_t at = hash_of(merge.left, merge.right) & (table_.size() - 1);
    while (table_[at].left >= 0 && (table_[at].left != merge.left || table_[at].right != merge.right))
      at = (at + 1) & (table_.size() - 1);
    table_[at] = merge;  // of two that are the same the last one counts, as in Hugging Face's library
  }
}

const Merges::Merge* Merges::find(int32_t left, int32_t right) const {
  for (size_t at = hash_of(left, right);; ++at) {
    const Merge& merge = table_[at & (table_.size() - 1)];
    if (merge.left == left && merge.right == right) return &merge;
    if (merge.left < 0) return nullptr;
  }
}

// A queue of merges that may be done, over a list of tokens linked to their neighbours. A merge whose tokens are no
// longer what they were when it was queued is passed over.
struct Merges::Work {
  struct Link {
    int32_t before, after;  // -1: none
    bool gone = false;
  };
  struct Wanted {
    int32_t rank, at, whole;
    bool operator<(const Wanted& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
  };
  const Merges& merges;
  Symbol* tokens;
  std::vector<Link> links;
  std::priority_queue<Wanted> queue;

  Work(const Merges& all, Symbol* first, size_t count) : merges(all), tokens(first) {
    const auto n = static_cast<int32_t>(count);
    for (int32_t i = 0; i < n; ++i) links.push_back({i - 1, i + 1 < n ? i + 1 : -1});
    for (int32_t i = 0; i + 1 < n; ++i) want(i);
  }
  Link& link(int32_t i) { return links[static_cast<size_t>(i)]; }
  void want(int32_t at) {
    const Merge* merge = merges.find(tokens[at].id, tokens[link(at).after].id);
    if (merge != nullptr) queue.push({merge->rank, at, merge->whole});
  }
  void join(const Wanted& next) {
    const int32_t left = next.at;
    if (link(left).gone || link(left).after < 0) return;
    const int32_t right = link(left).after;
    const Merge* merge = merges.find(tokens[left].id, tokens[right].id);
    if (merge == nullptr || merge->whole != next.whole) return;
    tokens[left].id = next.whole, tokens[left].end = tokens[right].end;
    link(right).gone = true;
    link(left).after = link(right).after;
    if (link(left).after >= 0) link(link(left).after).before = left, want(left);
    if (link(left).before >= 0) want(link(left).before);
  }
  void run(double dropout, Random* random) {
    std::vector<Wanted> passed;
    while (!queue.empty()) {
      const Wanted next = queue.top();
      queue.pop();
      if (random != nullptr && dropout > 0 && uniform(*random) < dropout) {
        passed.push_back(next);
        continue;
      }
      for (const Wanted& each : passed) queue.push(each);
      passed.clear();
      join(next);
    }
  }
};

void Merges::apply(std::vector<Symbol>& tokens, size_t first, double dropout, Random* random) const {
  if (tokens.size() - first < 2 || list_.empty()) return;
  Work work(*this, tokens.data() + first, tokens.size() - first);
  work.run(dropout, random);
  size_t kept = first;
  for (size_t i = first; i < tokens.size(); ++i)
    if (!work.links[i - first].gone) tokens[kept++] = tokens[i];
  tokens.resize(kept);
}

std::string Merges::json(const Vocabulary& vocabulary) const {
  std::string text = "[";
  for (const Merge& merge : list_)
    text += fmt::format("{}[{},{}]", text.size() > 1 ? "," : "", json_text(vocabulary.token_of(merge.left)),
                        json_text(vocabulary.token_of(merge.right)));
  return text + "]";
}

}  // namespace heed::tokenize
