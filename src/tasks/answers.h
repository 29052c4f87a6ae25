// A run that is asked step by step, by several at once: what serving needs of a task. What else is asked beside a text
// changes nothing of its answer.
#pragma once

#include <heed/generate.h>
#include <heed/text.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tasks/tokens.h"
#include "tasks/trained_run.h"

namespace heed {

// How far an answer has come: what was said behind the prompt, the newest token last.
struct Said {
  std::string text, token;
  float log_probability = 0;
  int64_t choice = 0;  // of n_best
  std::vector<Might> alternatives = {};
};
struct Asked {
  std::string text;
  int64_t number = 0;                             // what its samples are drawn by
  std::function<Then(const Said&)> on_said = {};  // of each token; a beam, which may change its mind, tells nothing
  std::function<bool()> gone = {};                // nobody waits for it any more: it ends with its next token
};
struct Answered {
  Prediction prediction;
  // Of tasks that speak: what was said behind the prompt, and why it ended.
  std::string said = {};
  std::vector<std::string> tokens = {};
  std::vector<float> log_probabilities = {};
  std::vector<std::vector<Might>> alternatives = {};  // where asked for
  int64_t read = 0;                                   // tokens of the input
  Ending ending = Ending::end;
};

// Answers under way, numbered in the order in which they were asked for. More may be asked for at any time, all of them
// or none, and go on beside the others; an Error changes nothing of these.
class Answers {
 public:
  virtual ~Answers() = default;
  virtual void add(std::vector<Asked> more, Fields& options, Showing showing) = 0;
  virtual std::vector<size_t> step() = 0;                // a token further; which of those asked are answered now
  virtual std::vector<Answered> take(size_t which) = 0;  // of one that is: the best first
  virtual int64_t rows() const = 0;                      // that are computed side by side in a step
};

class AnsweringRun {
 public:
  virtual ~AnsweringRun() = default;
  virtual std::unique_ptr<Answers> answers() const = 0;            // none is asked for yet
  virtual bool speaks() const = 0;                                 // token by token
  virtual const Tokenizer& tokenizer() const = 0;                  // of what it reads
  virtual Tensor embed(std::span<const std::string> texts) const;  // (N,W); Error where it has no such thing
  virtual explain::Seen explain(const std::string& text, const ExplainOptions& options) const = 0;  // as TrainedRun's
};

std::unique_ptr<AnsweringRun> load_answering_run(const std::string& folder);  // of whatever task it is
// Of tasks that say no tokens.
std::unique_ptr<Answers> all_at_once(const TrainedRun& run);

}  // namespace heed
