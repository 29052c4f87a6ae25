#include "tasks/spoken.h"

#include <algorithm>

namespace heed {

SpokenAnswers::SpokenAnswers(std::vector<Asked> asked, const Tokenizer& tokenizer)
    : asked_(std::move(asked)), tokenizer_(tokenizer) {}

void SpokenAnswers::begin(const SequenceModel& model, const Sentences& source, SearchOptions options) {
  prefixes_ = options.prefixes, ends_ = options.ends;
  steady_ = options.strategy != Strategy::beam || options.beam == 1;
  for (const Asked& each : asked_) options.numbers.push_back(each.number);
  options.on_token = [this](const Progress& progress) { return hear(progress); };
  search_.emplace(model, source, std::move(options));
}

std::vector<size_t> SpokenAnswers::step() {
  std::vector<size_t> done;
  for (const int64_t n : search_->step()) done.push_back(static_cast<size_t>(n));
  return done;
}

int64_t SpokenAnswers::forced(int64_t which) const {
  return prefixes_.empty() ? 0 : static_cast<int64_t>(prefixes_[static_cast<size_t>(which)].size());
}
bool SpokenAnswers::ends(int32_t id) const { return std::find(ends_.begin(), ends_.end(), id) != ends_.end(); }

// What stands behind the prompt: a space between them belongs to it, which tokens alone do not say.
std::string SpokenAnswers::said(std::span<const int32_t> ids, int64_t forced) const {
  const std::string before = tokenizer_.decode(ids.first(static_cast<size_t>(forced)));
  const std::string all = tokenizer_.decode(ids);
  return all.compare(0, before.size(), before) == 0 ? all.substr(before.size())
                                                    : tokenizer_.decode(ids.subspan(static_cast<size_t>(forced)));
}

Then SpokenAnswers::hear(const Progress& progress) const {
  const Asked& asked = asked_[static_cast<size_t>(progress.sentence)];
  if (asked.gone && asked.gone()) return Then::stop;
  if (!asked.on_said || !steady_ || ends(progress.ids.back())) return Then::go_on;
  return asked.on_said({said(progress.ids, forced(progress.sentence)), tokenizer_.token_of(progress.ids.back()),
                        progress.log_probability, progress.hypothesis, might_be(tokenizer_, progress.alternatives)});
}

std::vector<Answered> SpokenAnswers::take(size_t which) {
  std::vector<Answered> answers;
  for (const Hypothesis& each : search_->take(static_cast<int64_t>(which))) {
    Answered one = shown(which, each);
    one.said = said(each.ids, each.forced);
    one.ending = each.ending;
    for (auto n = static_cast<size_t>(each.forced); n < each.ids.size(); ++n) {
      if (n + 1 == each.ids.size() && ends(each.ids[n])) break;
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
