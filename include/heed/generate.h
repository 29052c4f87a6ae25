// Decoding: what a model says, step by step. Greedily, with a beam, or drawn; batched, each sentence leaving the batch
// as soon as it is done.
//
//   const std::unique_ptr<heed::SequenceModel> model = heed::make_model(
//       "rnn-search", {{"source_words", "100"}, {"target_words", "50"}, {"width", "32"}});
//   const heed::Sentences source = heed::pad({{5, 6, 7}, {8, 9}});
//   const heed::Found found = heed::search(*model, source, {.beam = 4, .n_best = 2, .alignment = true});
//   for (const heed::Hypothesis& hypothesis : found[0])                         // of the first sentence
//     std::cout << hypothesis.score << ' ' << hypothesis.ids.size() << " tokens, "
//               << heed::pharaoh(heed::links(hypothesis.alignment)) << '\n';
//   heed::search(*model, source, {.strategy = heed::Strategy::sample, .temperature = 0.8, .top_p = 0.9, .seed = 7});
//
// Probabilities are the model's, after repetition_penalty and temperature have changed its logits. What is not allowed,
// a repeated n-gram and what top_k, top_p and min_p leave out is not said; the others count what they counted before.
#pragma once

#include <heed/models.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace heed {

enum class Strategy { greedy, beam, sample };
// What the log-probability of a hypothesis of n tokens is divided by: ((5 + n) / 6)^α (Wu et al. 2016,
// arXiv:1609.08144) or n^α (Marian, Hugging Face).
enum class LengthPenalty { gnmt, marian };
// A beam ends when so many hypotheses have ended as are kept side by side (first), or when n_best have and what is
// under way does not beat them: as it stands (heuristic), or whatever may follow (never too early). Hugging Face's
// true, false and "never". A beam of 1 is greedy: it ends with its first end.
enum class EarlyStopping { first, heuristic, never };

// A token that might have been said.
struct Alternative {
  int32_t id;
  float log_probability;
};

// How far a hypothesis has come. Of a beam it is each step's best, which may change its mind.
struct Progress {
  int64_t sentence = 0, hypothesis = 0;            // of the batch; of n_best
  std::span<const int32_t> ids;                    // all so far, the newest last
  float log_probability = 0;                       // of the newest
  std::span<const Alternative> alternatives = {};  // at its place, where they are asked for
};
enum class Then { go_on, stop };  // stop: this hypothesis, or the sentence's beam, ends here

struct SearchOptions {
  Strategy strategy = Strategy::beam;
  int64_t beam = 4, n_best = 1;
  int64_t longest = 256;
  double longest_factor = 3, longest_plus = 50;
  LengthPenalty length_form = LengthPenalty::gnmt;
  double length_penalty = 0.6, coverage_penalty = 0;
  EarlyStopping early_stopping = EarlyStopping::heuristic;
  int64_t no_repeat = 0;
  double repetition_penalty = 1, temperature = 1;
  int64_t top_k = 0;
  double top_p = 1, min_p = 0;
  int64_t seed = 1;
  bool alignment = false;
  int64_t alternatives = 0;

  // What no text says: tokens, and what belongs to each sentence of the batch.
  std::optional<int32_t> begin = 2;                 // read before everything else; none: the prefix begins
  std::vector<int32_t> ends = {3};                  // any of them ends a hypothesis; none: `longest` does
  std::vector<int32_t> allowed = {};                // what may be said besides the ends; none: everything
  std::vector<std::vector<int32_t>> prefixes = {};  // said before anything is chosen: a language model's prompt
  std::vector<int64_t> numbers = {};                // what sentence n's samples are drawn by; none: n
  std::function<Then(const Progress&)> on_token = {};

  void visit(auto&& field) {
    field("strategy", strategy, "greedy, beam or sample");
    field("beam", beam, "hypotheses side by side, of the strategy beam; 1 is greedy");
    field("n_best", n_best, "hypotheses of each sentence: the best of the beam, or so many samples");
    field("longest", longest, "tokens that a hypothesis may have");
    field("longest_factor", longest_factor, "and not more than this times the source's, 0: whatever the source has");
    field("longest_plus", longest_plus, "plus this");
    field("length_form", length_form, "gnmt: log P / ((5+n)/6)^a; marian: log P / n^a");
    field("length_penalty", length_penalty, "that a; 0: plain log P");
    field("coverage_penalty", coverage_penalty, "b: adds b times the sum over the source of log min(attention, 1)");
    field("early_stopping", early_stopping, "first, heuristic or never, from the fastest to the most thorough");
    field("no_repeat", no_repeat, "no sequence of so many tokens comes twice; 0: it may");
    field("repetition_penalty", repetition_penalty, "more than 1: what was said becomes less probable");
    field("temperature", temperature, "less than 1: sharper; more: flatter");
    field("top_k", top_k, "only the k most probable tokens; 0: all");
    field("top_p", top_p, "only the most probable tokens that together have this probability");
    field("min_p", min_p, "only tokens with this share of the most probable one's probability");
    field("seed", seed, "of samples");
    field("alignment", alignment, "where each token looked at the source");
    field("alternatives", alternatives,
          "so many of the most probable tokens at each place, with what was said or without");
  }
};

// Why a hypothesis ended: it said an end; it became as long as it may; on_token stopped it; nothing may be said.
enum class Ending { end, longest, stopped, nothing_left };

struct Hypothesis {
  std::vector<int32_t> ids;              // the prefix, then what was found, with the end where it was said
  std::vector<float> log_probabilities;  // of each of them; 0 of the prefix, which was not chosen
  int64_t forced = 0;                    // tokens of the prefix
  double score = 0;                      // log P / length penalty + coverage penalty, of what was found
  Tensor alignment;                      // f32 (T,S) of the T ids, the sentence's own S; undefined where not asked for
  Ending ending = Ending::end;
  std::vector<std::vector<Alternative>> alternatives = {};  // at the place of each token that was found
};

// Of each sentence its hypotheses, the best first; samples in the order in which they were drawn.
using Found = std::vector<std::vector<Hypothesis>>;

// A model without a source gets a source of width 0 that says how many sentences there are. Nothing is recorded for
// gradients.
Found search(const SequenceModel& model, const Sentences& source, const SearchOptions& options = {});

// Which word of the source a word of the target comes from: the one that it looked at most; with a threshold, each with
// at least that weight. In the order of the source.
struct Link {
  int64_t source = 0, target = 0;
  bool operator==(const Link&) const = default;
};
std::vector<Link> links(const Tensor& alignment, double threshold = 0);
std::string pharaoh(const std::vector<Link>& links);  // "0-0 1-2": source-target

// Each `unknown` becomes the source's token that it looked at most, or what the dictionary has for that one (Luong et
// al. 2015, arXiv:1410.8206; Jean et al. 2015). alignment (T,S): of tokens and source.
std::vector<std::string> replace_unknown(const std::vector<std::string>& tokens, const Tensor& alignment,
                                         const std::vector<std::string>& source, const std::string& unknown = "<unk>",
                                         const std::map<std::string, std::string>& dictionary = {});

}  // namespace heed
