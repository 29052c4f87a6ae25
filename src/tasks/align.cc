#include "tasks/align.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "explain/methods.h"
#include "tasks/run_folder.h"
#include "tasks/two_numbers.h"
#include "tensor/unicode.h"

namespace heed {
namespace {

using Ids = std::vector<int32_t>;

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

// Where the model looks as it says the target: (T,S) of the words.
Tensor weights_of(const TranslationModel& run, const Side& source, const Side& target, const AlignOptions& options) {
  Ids read = source.ids, said = {run.ends().begin};
  read.push_back(run.source_end());
  said.insert(said.end(), target.ids.begin(), target.ids.end());
  Recorder recorder({.places = {"decoder*"}});
  run.model->forward(pad({read}), pad({said}), {.watcher = &recorder});
  std::vector<std::string> places;
  for (const std::string& place : recorder.attentions())
    if (!place.ends_with("self")) places.push_back(place);
  check(!places.empty(), "align", "{} has no attention to its source: there is nothing to align by", run.model->name());
  const std::string place = explain::chosen_place(places, options.layer);
  const Tensor tokens = explain::chosen_head(recorder.weights(place)[0], options.head, place)[0];
  return joined_weights(tokens, target.tokens, source.tokens);
}

// Of each word of the target its source.
std::vector<Link> links_of(const Tensor& weights, const Side& source, const Side& target) {
  std::vector<Link> found = links(weights);
  for (Link& link : found)
    link = {source.words[static_cast<size_t>(link.source)], target.words[static_cast<size_t>(link.target)]};
  return found;
}
std::vector<Link> turned(std::vector<Link> links) {
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

  std::vector<Link> links(const std::string& source, const std::string& target) const {
    const NoGrad scope;
    const Side from = side_of(there_.source, source), to = side_of(there_.target, target);
    if (from.words.empty() || to.words.empty()) return {};
    const Tensor weights = weights_of(there_, from, to, options_);
    std::vector<Link> forward = links_of(weights, from, to);
    const auto back = [&] {
      return back_ ? said_back(source, target) : turned(links_of(transpose(weights), to, from));
    };
    switch (options_.symmetrize) {
      case Symmetrize::none: break;
      case Symmetrize::intersection: return symmetrized(forward, back(), Symmetry::intersection);
      case Symmetrize::either: return symmetrized(forward, back(), Symmetry::either);
      case Symmetrize::grow_diag: return symmetrized(forward, back(), Symmetry::grow_diag);
    }
    return forward;
  }

 private:
  std::vector<Link> said_back(const std::string& source, const std::string& target) const {
    const Side from = side_of(back_->source, target), to = side_of(back_->target, source);
    if (from.words.empty() || to.words.empty()) return {};
    return turned(links_of(weights_of(*back_, from, to, options_), from, to));
  }

  AlignOptions options_;
  TranslationModel there_;
  std::optional<TranslationModel> back_;
};

// ---- what people say ------------------------------------------------------------------------------------------------

struct Gold {
  std::vector<Link> sure, possible;
};

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
      fail(ErrorKind::data, where,
           "'{}' is no link, wanted SOURCE-TARGET, or SOURCE?TARGET of a possible one, from {} on",
           shortened(printable(written), 40), begin);
    (sure ? gold.sure : gold.possible).push_back({link->first - begin, link->second - begin});
  }
  return gold;
}

double error_rate(const std::vector<std::vector<Link>>& links, const AlignOptions& options) {
  RowReader lines = read_lines(options.gold);
  AlignmentError error;
  Row row;
  for (const std::vector<Link>& found : links) {
    if (!lines.next(&row))
      fail(ErrorKind::data, options.gold, "has {} lines, wanted one for each of {} pairs", row.line, links.size());
    const Gold gold = gold_of(row.values[0], options.gold_begin, fmt::format("{}:{}", options.gold, row.line));
    error.add(found, gold.sure, gold.possible);
  }
  if (lines.next(&row))
    fail(ErrorKind::data, options.gold, "goes on after line {}, the last that belongs to a pair", links.size());
  return error.rate();
}

}  // namespace

Alignments align(const std::string& run, const AlignOptions& options) {
  const Aligner aligner(run, options);
  const Pairs pairs = read_pairs(options);
  Alignments all;
  for (size_t n = 0; n < pairs.source.size(); ++n) all.links.push_back(aligner.links(pairs.source[n], pairs.target[n]));
  if (!options.gold.empty()) all.error_rate = error_rate(all.links, options);
  return all;
}

}  // namespace heed
