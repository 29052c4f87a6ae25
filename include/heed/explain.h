// Seeing: what a model did while it worked, and what of it mattered to the result.
//
//   const std::unique_ptr<heed::SequenceModel> model = heed::make_model(
//       "transformer", {{"source_words", "30"}, {"target_words", "20"}, {"width", "32"}, {"layers", "2"}});
//   heed::Recorder recorder({.places = {"decoder.*.cross"}, .heads = {0, 3}});
//   model->forward(heed::pad({{5, 6, 7, 3}}), heed::pad({{2, 8, 9}}), {.watcher = &recorder});
//   for (const std::string& place : recorder.attentions())                      // decoder.0.cross, decoder.1.cross
//     std::cout << place << ' ' << recorder.weights(place).shape() << '\n';      // (1, 2, 3, 4)
//   // Why 8 9 3? And did it look at what mattered?
//   const heed::Question question = heed::ask(*model, {5, 6, 7, 3}, {2, 8, 9, 3});
//   const heed::Tensor looked = heed::mean(recorder.weights("decoder.1.cross")[0], {0, 1});
//   const heed::Tensor mattered = heed::mean(heed::input_gradients(question), {0});
//   std::cout << heed::kendall_tau(looked, mattered) << '\n';
//   std::cout << heed::faithfulness(question, looked).comprehensiveness << '\n';
//
// Attention is evidence, not proof: a word that was looked at need not have mattered. The measures of a Question say
// what mattered; faithfulness says how far any of them can be believed.
#pragma once

#include <heed/generate.h>
#include <heed/models.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace heed {

// ---- Capture --------------------------------------------------------------------------------------------------------

// What is recorded: places by their names, '*' standing for anything; of attention these heads.
struct Wanted {
  std::vector<std::string> places = {"*"};
  std::vector<int64_t> heads = {};  // empty: all
  bool vectors = false;             // queries, keys and values too
  bool gradients = false;           // what is recorded stays on the tape
};

// Remembers what it is shown and changes nothing: the bits of the result are those without it. A place that is come to
// again and again, as in a decoder's steps, has one row after the other.
class Recorder final : public Watcher {
 public:
  explicit Recorder(Wanted wanted = {}) : wanted_(std::move(wanted)) {}
  Attended attend(const std::string& place, const Tensor& q, const Tensor& k, const Tensor& v,
                  const AttendOptions& options) override;
  Tensor value(const std::string& place, const Tensor& x) override;
  bool wants(const std::string& place) const override;

  const std::vector<std::string>& attentions() const { return attentions_; }  // in the order of the model
  const std::vector<std::string>& values() const { return values_; }
  // Error naming all there are for a place that is not there.
  Tensor weights(const std::string& place) const;      // (B,H,T,S); a step that saw fewer keys has zeros behind them
  Tensor log_sum_exp(const std::string& place) const;  // (B,H,T)
  Tensor value_at(const std::string& place) const;     // (B,T,width)
  const std::vector<Attended>& seen(const std::string& place) const;  // each time by itself
  struct Read {
    Tensor q, k, v;
  };
  const std::vector<Read>& read(const std::string& place) const;  // where vectors are wanted

 private:
  Wanted wanted_;
  std::vector<std::string> attentions_, values_;
  std::map<std::string, std::vector<Attended>> attended_;
  std::map<std::string, std::vector<Read>> read_;
  std::map<std::string, std::vector<Tensor>> shown_;
};

// ---- Heads ----------------------------------------------------------------------------------------------------------

// Of weights (…,T,S), a number a head; query i stands at the place i + S − T. Means over the queries.
Tensor head_entropy(const Tensor& weights);   // −Σ_j a_ij ln a_ij
Tensor head_distance(const Tensor& weights);  // Σ_j a_ij |i' − j|

// What a head does: how much weight, a mean over the queries that could, goes to what the name says.
struct HeadKind {
  std::string name;  // previous token, next token, first token, same word, separator, diagonal
  double strength = 0;
};
// weights (T,S) of a text at itself; the strongest first. `separators`: tokens that only divide.
std::vector<HeadKind> head_kinds(const Tensor& weights, const std::vector<std::string>& tokens,
                                 const std::vector<std::string>& separators = {"<s>", "</s>", ".", ",", "。", "，"});

// Where the input of the first layer ends up in the last, over layers (H,S,S). Abnar & Zuidema 2020, arXiv:2005.00928
Tensor attention_rollout(const std::vector<Tensor>& layers);  // Ã = rownorm(mean over heads + I), R_l = Ã_l R_{l−1}
Tensor attention_flow(const std::vector<Tensor>& layers);     // the largest flow through the same graph

// ---- What mattered --------------------------------------------------------------------------------------------------

// What a model answers, as a function of the vectors of the words that it reads.
struct Question {
  enum class Scale { log_probability, number };
  std::string words;  // where these are: "source.words"
  int64_t count = 0;  // of them
  // So many copies of the text at once: (copies, parts), the log-probability of each part of the answer.
  std::function<Tensor(int64_t copies, Watcher& watcher)> answer = {};
  Scale scale = Scale::log_probability;
};
// target: with what it begins with; its parts are the tokens after that.
Question ask(const SequenceModel& translator, const std::vector<int32_t>& source, const std::vector<int32_t>& target);
// Why does the text go on as it does from its token `first` on?
Question ask(const SequenceModel& language_model, const std::vector<int32_t>& text, int64_t first);
// What the logits of a classifier are: of one label among all, of each label whether it holds, or numbers.
enum class Reading { one_label, each_label, number };
Question ask(const TextClassifier& classifier, const std::vector<int32_t>& text, int64_t label,
             Reading reading = Reading::one_label);
Question contrast(const Question& why, const Question& and_not);  // log p − log p': of the same words

// Of each part of the answer, and of each word: (parts, count).
Tensor input_gradients(const Question& question);       // ‖∂/∂x_j‖
Tensor gradient_times_input(const Question& question);  // x_j·∂/∂x_j
Tensor occlusion(const Question& question);             // what is lost where the word's vector is zero
// Σ over queries and heads of a_ij ∂/∂a_ij, of the attention at a place whose keys are the words.
Tensor gradient_times_attention(const Question& question, const std::string& place);
// (x − 0)·∫ ∂/∂x along the way from zeros. Sundararajan, Taly & Yan 2017, arXiv:1703.01365
struct Integrated {
  Tensor scores;                  // (parts, count)
  double completeness_error = 0;  // the most that a row's sum is off what the answer gained
};
Integrated integrated_gradients(const Question& question, int64_t steps = 32);

// Words by their scores (count), the largest first, taken away one after the other, or kept alone: areas between what
// the answer's probability was and what it becomes. DeYoung et al. 2020, arXiv:1911.03429
struct Faithfulness {
  double comprehensiveness = 0;       // large: these words were needed
  double sufficiency = 0;             // small: these words were enough
  std::vector<double> removed, kept;  // the probability, the geometric mean over the parts, at even shares of the words
};
Faithfulness faithfulness(const Question& question, const Tensor& scores);
double kendall_tau(const Tensor& a, const Tensor& b);  // τ_b of two orders: 1 the same, −1 reversed

// What the answer's log-probability, a mean over its parts, loses when a head gives nothing.
struct HeadImportance {
  std::string place;
  std::vector<double> lost;  // a head each
};
std::vector<HeadImportance> head_importance(const Question& question);

// Does the answer care where the model looked? Its probability with weights shuffled among the keys that could be seen,
// and with equal ones. Jain & Wallace 2019, arXiv:1902.10186; Wiegreffe & Pinter 2019, arXiv:1908.04626
struct Counterfactual {
  std::string place;
  double as_it_was = 0, shuffled = 0, uniform = 0;
};
std::vector<Counterfactual> counterfactuals(const Question& question, uint64_t seed = 1);

// ---- Words and alignments -------------------------------------------------------------------------------------------

// Which tokens make a word: "▁un", "break" or "Ġun", "break" or "un", "##break".
std::vector<std::vector<int64_t>> joined_tokens(const std::vector<std::string>& tokens);
// weights (T,S) of tokens as those of words: sums over the keys of a word, means over its queries.
Tensor joined_weights(const Tensor& weights, const std::vector<std::vector<int64_t>>& queries,
                      const std::vector<std::vector<int64_t>>& keys);

// Links of two directions made one. grow_diag: Koehn, Axelrod et al. 2005, IWSLT
enum class Symmetry { intersection, either, grow_diag };
std::vector<Link> symmetrized(const std::vector<Link>& a, const std::vector<Link>& b, Symmetry how);
// The links of weights (T,S) as each side sees them: of each target its source, of each source its target.
std::vector<Link> links_both_ways(const Tensor& weights, Symmetry how);

// 1 − (|A∩S| + |A∩P|) / (|A| + |S|) over all that was added, S ⊆ P. Och & Ney 2003
class AlignmentError {
 public:
  void add(const std::vector<Link>& found, const std::vector<Link>& sure, const std::vector<Link>& possible = {});
  double rate() const;

 private:
  int64_t found_ = 0, sure_ = 0, in_sure_ = 0, in_possible_ = 0;
};

}  // namespace heed
