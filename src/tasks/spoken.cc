#include "tasks/spoken.h"

#include <algorithm>

#include "tasks/language_model.h"

namespace heed {

namespace {

bool ends(const SearchOptions& options, int32_t id) {
  return std::find(options.ends.begin(), options.ends.end(), id) != options.ends.end();
}
// What was said stays.
bool steady(const SearchOptions& options) { return options.strategy != Strategy::beam || options.beam == 1; }

}  // namespace

SpokenAnswers::SpokenAnswers(const SequenceModel& model, const Tokenizer& tokenizer)
    : model_(model), tokenizer_(tokenizer), search_(model) {}

void SpokenAnswers::add(std::vector<Asked> more, Fields& options, Showing showing) {
  const auto manner = std::make_shared<const Manner>(this->manner(options, showing));
  options.check_all_taken(model_.name());
  SearchOptions search = manner->search;
  search.on_token = [this](const Progress& progress) { return hear(progress); };
  std::vector<Ids> read;
  for (const Asked& each : more) read.push_back(ids_of(each.text)), search.numbers.push_back(each.number);
  if (!model_.has_source()) search.prefixes = read;
  int64_t number = search_.add(model_.has_source() ? pad(read) : LanguageModel::no_source(read.size()), search);
  for (size_t n = 0; n < more.size(); ++n) under_way_[number++] = {std::move(more[n]), std::move(read[n]), manner};
}

std::vector<size_t> SpokenAnswers::step() {
  std::vector<size_t> done;
  for (const int64_t n : search_.step()) done.push_back(static_cast<size_t>(n));
  return done;
}

// What stands behind the prompt: a space between them belongs to it, which tokens alone do not say.
std::string SpokenAnswers::said(std::span<const int32_t> ids, int64_t forced) const {
  const std::string before = tokenizer_.decode(ids.first(static_cast<size_t>(forced)));
  const std::string all = tokenizer_.decode(ids);
  return all.compare(0, before.size(), before) == 0 ? all.substr(before.size())
                                                    : tokenizer_.decode(ids.subspan(static_cast<size_t>(forced)));
}

Then SpokenAnswers::hear(const Progress& progress) const {
  const auto& [asked, ids, manner] = under_way_.at(progress.sentence);
  if (asked.gone && asked.gone()) return Then::stop;
  const SearchOptions& search = manner->search;
  if (!asked.on_said || !steady(search) || ends(search, progress.ids.back())) return Then::go_on;
  const int64_t forced = model_.has_source() ? 0 : std::ssize(ids);
  return asked.on_said({said(progress.ids, forced), tokenizer_.token_of(progress.ids.back()), progress.log_probability,
                        progress.hypothesis, might_be(tokenizer_, progress.alternatives)});
}

std::vector<Answered> SpokenAnswers::take(size_t which) {
  std::vector<Answered> answers;
  const One of = std::move(under_way_.extract(static_cast<int64_t>(which)).mapped());
  for (const Hypothesis& each : search_.take(static_cast<int64_t>(which))) {
    Answered one = of.manner->shown(each, of.ids);
    one.said = said(each.ids, each.forced);
    one.ending = each.ending;
    for (auto n = static_cast<size_t>(each.forced); n < each.ids.size(); ++n) {
      if (n + 1 == each.ids.size() && ends(of.manner->search, each.ids[n])) break;
      one.tokens.push_back(tokenizer_.token_of(each.ids[n]));
      one.log_probabilities.push_back(each.log_probabilities[n]);
    }
    one.alternatives = might_be(tokenizer_, each);
    if (one.alternatives.size() > one.tokens.size()) one.alternatives.resize(one.tokens.size());
    answers.push_back(std::move(one));
  }
  return answers;
}

}  // namespace heed
