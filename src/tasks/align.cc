#include "tasks/align.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "explain/methods.h"
#include "tasks/run_folder.h"
#include "tasks/two_numbers.h"
#include "tensor/unicode.h"
#include "train/batches.h"

namespace heed {
namespace {

using Ids = std::vector<int32_t>;
using Links = std::vector<Link>;
using Texts = std::vector<std::string>;

constexpr int64_t kPairsTogether = 64;  // pairs

// ---- what a model says ----------------------------------------------------------------------------------------------

// A text as tokens, and those of its words that have any.
struct Side {
  Ids ids;
  std::vector<int64_t> words;
  std::vector<std::vector<int64_t>> tokens;  // of each of them
};
Side side_of(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<Token> tokens = tokenizer.encode(text, {.add_special = false});
  Side side;
  for (const Token& token : tokens) side.ids.push_back(token.id);
  int64_t number = 0;
  for (const Ids& word : tokens_of_words({text, tokens})) {
    if (!word.empty()) side.words.push_back(number), side.tokens.emplace_back(word.begin(), word.end());
    ++number;
  }
  return side;
}

struct Pair {
  Side source, target;
  bool has_words() const { return !source.words.empty() && !target.words.empty(); }
};
std::vector<Pair> pairs_of(const TranslationModel& run, const Texts& source, const Texts& target) {
  std::vector<Pair> pairs;
  for (size_t n = 0; n < source.size(); ++n)
    pairs.push_back({side_of(run.source, source[n]), side_of(run.target, target[n])});
  return pairs;
}

std::string place_in(const Recorder& recorder, const TranslationModel& run, const std::string& layer) {
  std::vector<std::string> places;
  for (const std::string& place : recorder.attentions())
    if (!place.ends_with("self")) places.push_back(place);
  check(!places.empty(), "align", "{} has no attention to its source: there is nothing to align by", run.model->name());
  return explain::chosen_place(places, layer);
}

// Where the model looks as it says the targets, pairs of similar length together.
class Looked {
 public:
  Looked(const TranslationModel& run, const AlignOptions& options) : run_(run), options_(options) {}

  // Of each pair (T,S) of its words; undefined where a side has none.
  std::vector<Tensor> weights(const std::vector<Pair>& pairs) {
    std::vector<int64_t> numbers, lengths;
    for (size_t n = 0; n < pairs.size(); ++n)
      if (pairs[n].has_words())
        numbers.push_back(static_cast<int64_t>(n)), lengths.push_back(std::ssize(pairs[n].source.ids));
    std::vector<Tensor> all(pairs.size());
    for (const auto& batch : batches_by_length(lengths, {.examples = kPairsTogether})) {
      std::vector<const Pair*> together;
      for (const int64_t n : batch) together.push_back(&pairs[static_cast<size_t>(numbers[static_cast<size_t>(n)])]);
      const Tensor looked = of_tokens(together);
      for (size_t i = 0; i < batch.size(); ++i) {
        const Tensor one = explain::chosen_head(looked[static_cast<int64_t>(i)], options_.head, place_)[0];
        all[static_cast<size_t>(numbers[static_cast<size_t>(batch[i])])] =
            joined_weights(one, together[i]->target.tokens, together[i]->source.tokens);
      }
    }
    return all;
  }

 private:
  // (B,H,T,S). All layers are seen until it is known which is meant.
  Tensor of_tokens(const std::vector<const Pair*>& pairs) {
    std::vector<Ids> read, said;
    for (const Pair* pair : pairs) {
      read.push_back(pair->source.ids), read.back().push_back(run_.source_end());
      said.push_back({run_.ends().begin});
      said.back().insert(said.back().end(), pair->target.ids.begin(), pair->target.ids.end());
    }
    Recorder recorder({.places = {place_.empty() ? "decoder*" : place_}});
    run_.model->forward(pad(read), pad(said), {.watcher = &recorder});
    if (place_.empty()) place_ = place_in(recorder, run_, options_.layer);
    return recorder.weights(place_);
  }

  const TranslationModel& run_;
  const AlignOptions& options_;
  std::string place_;
};

// Of each word of the target its source; none where a side has no words.
Links links_of(const Tensor& weights, const Side& source, const Side& target) {
  if (!weights.defined()) return {};
  Links found = links(weights);
  for (Link& link : found)
    link = {source.words[static_cast<size_t>(link.source)], target.words[static_cast<size_t>(link.target)]};
  return found;
}
Links turned(Links links) {
  for (Link& link : links) std::swap(link.source, link.target);
  return links;
}

TranslationModel translator(const std::string& folder) {
  about_run(folder, "translate");
  return TranslationModel::load(folder);
}

class Aligner {
 public:
  Aligner(const std::string& run, const AlignOptions& options) : options_(options), there_(translator(run)) {
    if (!options.reverse.empty()) back_.emplace(translator(options.reverse));
    check(options.reverse.empty() || options.symmetrize != Symmetrize::none, "reverse",
          "two directions want to become one: say --symmetrize intersection, union or grow-diag");
  }

  // Of each pair.
  std::vector<Links> links(const Texts& source, const Texts& target) const {
    const NoGrad scope;
    const std::vector<Pair> pairs = pairs_of(there_, source, target);
    const std::vector<Tensor> weights = Looked(there_, options_).weights(pairs);
    std::vector<Links> forward, all;
    for (size_t n = 0; n < pairs.size(); ++n) forward.push_back(links_of(weights[n], pairs[n].source, pairs[n].target));
    if (options_.symmetrize == Symmetrize::none) return forward;
    const std::vector<Links> back = back_ ? said_back(source, target) : read_back(pairs, weights);
    for (size_t n = 0; n < pairs.size(); ++n) all.push_back(symmetrized(forward[n], back[n], symmetry()));
    return all;
  }

 private:
  // Of each word of the source its target, by the same weights.
  static std::vector<Links> read_back(const std::vector<Pair>& pairs, const std::vector<Tensor>& weights) {
    std::vector<Links> back;
    for (size_t n = 0; n < pairs.size(); ++n)
      back.push_back(weights[n].defined() ? turned(links_of(transpose(weights[n]), pairs[n].target, pairs[n].source))
                                          : Links());
    return back;
  }
  std::vector<Links> said_back(const Texts& source, const Texts& target) const {
    const std::vector<Pair> pairs = pairs_of(*back_, target, source);
    const std::vector<Tensor> weights = Looked(*back_, options_).weights(pairs);
    std::vector<Links> back;
    for (size_t n = 0; n < pairs.size(); ++n)
      back.push_back(turned(links_of(weights[n], pairs[n].source, pairs[n].target)));
    return back;
  }
  Symmetry symmetry() const {
    switch (options_.symmetrize) {
      case Symmetrize::either: return Symmetry::either;
      case Symmetrize::grow_diag: return Symmetry::grow_diag;
      case Symmetrize::none:
      case Symmetrize::intersection: break;
    }
    return Symmetry::intersection;
  }

  AlignOptions options_;
  TranslationModel there_;
  std::optional<TranslationModel> back_;
};

// ---- what people say ------------------------------------------------------------------------------------------------

struct Gold {
  Links sure, possible;
};

[[noreturn]] void refuse_link(const std::string& where, const std::string& written, const char* wanted, int64_t begin) {
  fail(ErrorKind::data, where, "'{}' is no link, wanted {}, from {} on", shortened(printable(written), 40), wanted,
       begin);
}

// "3-4" sure, "3?4" and "3p4" possible.                                     Och & Ney 2003
Gold gold_of(const std::string& line, int64_t begin, const std::string& where) {
  Gold gold;
  for (const std::string& written : split(line, ' ')) {
    if (written.empty()) continue;
    const auto sure = two_numbers<int64_t>(written, '-');
    auto link = sure;
    for (const char mark : {'?', 'p'})
      if (!link) link = two_numbers<int64_t>(written, mark);
    if (!link || link->first < begin || link->second < begin)
      refuse_link(where, written, "SOURCE-TARGET, or SOURCE?TARGET of a possible one", begin);
    (sure ? gold.sure : gold.possible).push_back({link->first - begin, link->second - begin});
  }
  return gold;
}

// A line a pair.
class PairLines {
 public:
  explicit PairLines(const AlignOptions& options) : options_(options) {}
  void take(const Row& row) {
    gold_.push_back(gold_of(row.values[0], options_.gold_begin, fmt::format("{}:{}", options_.gold, row.line)));
  }
  std::vector<Gold> all(size_t pairs) && {
    if (gold_.size() < pairs)
      fail(ErrorKind::data, options_.gold, "has {} lines, wanted one for each of {} pairs", gold_.size(), pairs);
    if (gold_.size() > pairs)
      fail(ErrorKind::data, options_.gold, "goes on after line {}, the last that belongs to a pair", pairs);
    return std::move(gold_);
  }

 private:
  const AlignOptions& options_;
  std::vector<Gold> gold_;
};

// "12 3 4 P": of pair 12 the third word of the source and the fourth of the target, possible; all counted from 1. S or
// nothing: sure. What follows, how sure people were, is not read.           Mihalcea & Pedersen 2003
class LinkLines {
 public:
  LinkLines(const std::string& path, size_t pairs) : path_(path), gold_(pairs) {}
  void take(const Row& row) {
    const std::string where = fmt::format("{}:{}", path_, row.line);
    std::istringstream line(row.values[0]);
    int64_t pair = 0, source = 0, target = 0;
    std::string kind = "S";
    line >> pair >> source >> target;
    const bool numbers = !line.fail();
    if (!line.eof()) line >> kind;
    if (!numbers || pair < 1 || source < 1 || target < 1 || (kind != "S" && kind != "P"))
      refuse_link(where, row.values[0], "PAIR SOURCE TARGET and S or P", 1);
    if (pair > std::ssize(gold_)) fail(ErrorKind::data, where, "is of pair {}, but there are {}", pair, gold_.size());
    Gold& of = gold_[static_cast<size_t>(pair - 1)];
    (kind == "S" ? of.sure : of.possible).push_back({source - 1, target - 1});
  }
  std::vector<Gold> all() && { return std::move(gold_); }

 private:
  std::string path_;
  std::vector<Gold> gold_;
};

// Does it begin with a number by itself, as no link of Pharaoh's does?
bool is_of_links(const std::string& path) {
  RowReader lines = read_lines(path);
  for (Row row; lines.next(&row);)
    if (const std::string first = split(row.values[0], ' ')[0]; !row.values[0].empty())
      return !first.empty() && std::all_of(first.begin(), first.end(), [](char c) { return c >= '0' && c <= '9'; });
  return false;
}

std::vector<Gold> read_gold(const AlignOptions& options, size_t pairs) {
  const bool of_links = is_of_links(options.gold);
  RowReader lines = read_lines(options.gold);
  PairLines by_pair(options);
  LinkLines by_link(options.gold, pairs);
  for (Row row; lines.next(&row);) {
    if (!of_links)
      by_pair.take(row);
    else if (!row.values[0].empty())
      by_link.take(row);
  }
  return of_links ? std::move(by_link).all() : std::move(by_pair).all(pairs);
}

double error_rate(const std::vector<Links>& links, const AlignOptions& options) {
  const std::vector<Gold> gold = read_gold(options, links.size());
  AlignmentError error;
  for (size_t n = 0; n < links.size(); ++n) error.add(links[n], gold[n].sure, gold[n].possible);
  return error.rate();
}

}  // namespace

Alignments align(const std::string& run, const AlignOptions& options) {
  const Aligner aligner(run, options);
  const Pairs pairs = read_pairs(options);
  Alignments all{aligner.links(pairs.source, pairs.target)};
  if (!options.gold.empty()) all.error_rate = error_rate(all.links, options);
  return all;
}

}  // namespace heed
