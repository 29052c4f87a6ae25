#include <heed/explain.h>

#include <algorithm>
#include <cmath>

#include "explain/words_watcher.h"

namespace heed {
namespace {

// ∂ answer[:, part] / ∂ of; the tape is kept until the last part.
std::vector<Tensor> gradients_of_part(const Tensor& answer, int64_t part, const std::vector<Tensor>& of) {
  Tensor seed = zeros(answer.shape(), answer.dtype());
  seed.slice(1, part, part + 1).fill(1);
  return gradients(answer, of, {.seed = seed, .keep = part + 1 < answer.dim(1)});
}

// What a question answers with `shares` (copies) of the words' vectors, and the gradients at these.
struct Differentiated {
  Tensor words;                   // (copies,count,width)
  Tensor answer;                  // (copies,parts)
  std::vector<Tensor> gradients;  // of each part, (copies,count,width)
};
Differentiated differentiated(const Question& question, const std::vector<float>& shares) {
  const int64_t copies = std::ssize(shares);
  Differentiated all;
  explain::WordsWatcher watcher(question, [&](const Tensor& x) {
    if (all.words.defined()) return all.words;  // a contrast asks twice
    const Tensor share = reshape(tensor_from(shares, {copies}), {copies, 1, 1});
    return all.words = (x.detach() * share).requires_grad(true);
  });
  all.answer = question.answer(copies, watcher);
  check(all.words.defined(), "explain", "the model shows no words at {}", question.words);
  for (int64_t t = 0; t < all.answer.dim(1); ++t)
    all.gradients.push_back(gradients_of_part(all.answer, t, {all.words})[0]);
  return all;
}

// of_part(gradient (count,width), words (count,width)): (count); of each part a row.
template <class OfPart>
Tensor of_parts(const Question& question, const OfPart& of_part) {
  const Differentiated all = differentiated(question, {1});
  const NoGrad scope;
  std::vector<Tensor> rows;
  for (const Tensor& gradient : all.gradients) rows.push_back(of_part(gradient[0], all.words.detach()[0]));
  return stack(rows, 0);
}

}  // namespace

Tensor input_gradients(const Question& question) {
  return of_parts(question, [](const Tensor& gradient, const Tensor&) { return norm(gradient, 2, {1}); });
}
Tensor gradient_times_input(const Question& question) {
  return of_parts(question, [](const Tensor& gradient, const Tensor& x) { return sum(gradient * x, {1}); });
}

// The middles of equal steps: ∫ f ≈ Σ f((n + ½)/N)/N.
Integrated integrated_gradients(const Question& question, int64_t steps) {
  check(steps > 0, "integrated gradients", "got {} steps, wanted one or more", steps);
  constexpr int64_t kTogether = 16;
  std::vector<Tensor> sums;  // of each part, (count,width)
  for (int64_t begin = 0; begin < steps; begin += kTogether) {
    std::vector<float> shares;
    for (int64_t n = begin; n < std::min(steps, begin + kTogether); ++n)
      shares.push_back(static_cast<float>((static_cast<double>(n) + 0.5) / static_cast<double>(steps)));
    const Differentiated some = differentiated(question, shares);
    const NoGrad scope;
    for (size_t t = 0; t < some.gradients.size(); ++t) {
      if (t == sums.size())
        sums.push_back(sum(some.gradients[t], {0}));
      else
        sums[t] = sums[t] + sum(some.gradients[t], {0});
    }
  }
  const NoGrad scope;
  Tensor x;
  explain::WordsWatcher watcher(question, [&](const Tensor& words) { return x = words; });
  const Tensor gained = question.answer(1, watcher)[0] - explain::answer_with(question, zeros({1, question.count}))[0];
  Integrated all;
  std::vector<Tensor> rows;
  for (const Tensor& each : sums) rows.push_back(sum(each * x[0], {1}) / static_cast<double>(steps));
  all.scores = stack(rows, 0);
  all.completeness_error = max(abs(sum(all.scores, {1}) - gained)).item();
  return all;
}

Tensor occlusion(const Question& question) {
  const NoGrad scope;
  Tensor kept = ones({question.count + 1, question.count});
  for (int64_t j = 0; j < question.count; ++j) kept.at<float>({j + 1, j}) = 0;
  const Tensor answers = explain::answers_with(question, kept);
  return transpose(answers.slice(0, 0, 1) - answers.slice(0, 1, question.count + 1));
}

// out_i = Σ_j a_ij v_j, so ∂/∂a_ij = ∂/∂out_i · v_j.
Tensor gradient_times_attention(const Question& question, const std::string& place) {
  Recorder recorder({.places = {place}, .vectors = true, .gradients = true});
  const Tensor answer = question.answer(1, recorder);
  const std::vector<Attended>& seen = recorder.seen(place);
  const std::vector<Recorder::Read>& read = recorder.read(place);
  std::vector<Tensor> outs, rows;
  for (const Attended& each : seen) outs.push_back(each.out);
  for (int64_t t = 0; t < answer.dim(1); ++t) {
    const std::vector<Tensor> of_outs = gradients_of_part(answer, t, outs);
    const NoGrad scope;
    Tensor row;
    for (size_t n = 0; n < seen.size(); ++n) {
      const Tensor& v = read[n].v;  // (1,G,S,E), shared by the H/G heads of a group
      const int64_t groups = v.dim(1), heads = of_outs[n].dim(1), queries = of_outs[n].dim(2);
      const Tensor grouped = reshape(of_outs[n], {1, groups, heads / groups * queries, v.dim(3)});
      const Tensor of_weights = reshape(matmul(grouped, transpose(v)), seen[n].weights.shape());
      const Tensor all = sum(of_weights * seen[n].weights.detach(), {0, 1, 2});
      check(all.dim(0) >= question.count, "explain", "{} keys at {}, which are not the {} words of the question",
            all.dim(0), place, question.count);
      const Tensor scores = all.slice(0, all.dim(0) - question.count, all.dim(0));
      row = row.defined() ? row + scores : scores;
    }
    rows.push_back(row);
  }
  return stack(rows, 0);
}

}  // namespace heed
