// Rows go in chunks. Of a chunk e^(z - reference) is kept for all classes; the reference of a row is the largest of a
// few of its logits, fixed in advance, so that blocks of classes need not know of each other; a chunk with a logit far
// above its reference is done again with the row's largest. The softmax' denominator stays out of the products:
//
//   dx[i] = a/S[i] · Σ_v e[i,v] weight[v] - …      the factor after the product, while a block of weight is in L2
//   dweight[v] += Σ_i e[i,v] (a/S[i] · x[i]) - …   the factor folded into x
//
// and so do the terms of target and smoothing.
#include "kernels/linear_cross_entropy.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "base/runtime.h"
#include "base/threads.h"
#include "kernels/linear_cross_entropy_blocks.h"
#include "kernels/panels.h"
#include "kernels/workspace.h"

namespace heed::kernels {
namespace {

using Problem = LinearCrossEntropy<float>;
using Gradient = LinearCrossEntropyGradient<float>;

constexpr int64_t kPanel = kPanelWidth;           // rows in a panel of xᵀ
constexpr int64_t kProbe = 48;                    // classes that a row's first reference is taken from
constexpr float kHeadroom = 40.0f * 0.69314718f;  // a logit may exceed its reference by so much
constexpr int64_t kMostKept = 40000 * 128;        // exponentials of a chunk

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// How the work is cut: by shape alone, so that the bits do not depend on the number of threads.
struct Cut {
  int64_t columns;   // rows of a chunk at most
  int64_t block;     // classes of a block: its weights stay in L2
  int64_t segments;  // parts of the classes with sums of their own

  Cut(int64_t rows, int64_t width, int64_t classes)
      : columns(std::min(round_up(rows, kPanel), classes > kMostKept / 128 ? kPanel : 2 * kPanel)),
        block(std::clamp<int64_t>((48 << 10) / std::max<int64_t>(1, width) / 6 * 6, 48, 768)),
        segments(std::clamp<int64_t>(classes / 512, 1, 4)) {}
  int64_t segment_begin(int64_t segment, int64_t classes) const {
    return std::min(classes, round_up(classes * segment / segments, block));
  }
};

// Where everything lies in the workspace.
struct Layout {
  Workspace space;
  size_t exponentials, parts, sums, largest, x_panels, scaled_panels, reference, factor, target_logit;

  Layout(const Cut& cut, int64_t width, int64_t classes_kept, bool wants_gradient) {
    const auto floats = [&](int64_t count) { return space.reserve(count * sizeof(float)); };
    exponentials = floats(classes_kept * cut.columns);
    parts = floats(wants_gradient ? cut.segments * cut.columns * width : 0);
    sums = floats(cut.segments * cut.columns);
    largest = floats(cut.segments * cut.columns);
    x_panels = floats(cut.columns * width);
    scaled_panels = floats(wants_gradient ? cut.columns * round_up(width, kPanel) : 0);
    reference = floats(cut.columns);
    factor = floats(cut.columns);
    target_logit = floats(cut.columns);
  }
};

float dot(const float* a, const float* b, int64_t count) {
  constexpr int64_t kLanes = 16;
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  for (int64_t lane = 0; i < count; ++i, ++lane) lanes[lane] += a[i] * b[i];
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

void add_scaled(float scale, const float* x, int64_t count, float* y) {
  for (int64_t i = 0; i < count; ++i) y[i] += scale * x[i];
}

class Pass {
 public:
  Pass(const Problem& problem, const Gradient& gradient)
      : q_(problem),
        g_(gradient),
        keeps_all_(g_.dweight || g_.dbias),
        wants_gradient_(keeps_all_ || g_.dx),
        cut_(q_.rows, q_.width, q_.classes),
        layout_(cut_, q_.width,
                keeps_all_ ? q_.classes
                : g_.dx    ? cut_.segments * cut_.block
                           : 0,
                wants_gradient_),
        base_(layout_.space.place()) {
    for (int64_t i = 0; i < q_.rows; ++i)
      if (q_.targets[i] != q_.ignored) counted_.push_back(i);
    for (int64_t v = 0; v < q_.classes; ++v) total_class_weight_ += class_weight(v);
    row_losses_.resize(counted_.size());
  }

  double run() {
    begin_gradients();
    const int64_t rows = static_cast<int64_t>(counted_.size()), chunks = (rows + cut_.columns - 1) / cut_.columns;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      first_ = rows * chunk / chunks;
      count_ = rows * (chunk + 1) / chunks - first_;
      columns_ = round_up(count_, kPanel);
      run_chunk(chunk == 0);
    }
    double loss = 0;
    for (const double row_loss : row_losses_) loss += row_loss;
    return loss;
  }

 private:
  float* at(size_t offset) const { return reinterpret_cast<float*>(base_ + offset); }
  double class_weight(int64_t v) const { return q_.class_weights ? q_.class_weights[v] : 1; }
  double row_weight(int64_t i) const { return q_.row_weights ? q_.row_weights[i] : 1; }
  double share() const { return q_.smoothing / static_cast<double>(q_.classes); }
  double hit(int64_t i) const { return row_weight(i) * (1 - q_.smoothing) * class_weight(q_.targets[i]); }
  const float* row(int64_t i) const { return q_.x + i * q_.width; }
  const float* weight(int64_t v) const { return q_.weight + v * q_.width; }
  float* exponentials(int64_t segment, int64_t v) const {
    if (!wants_gradient_) return nullptr;
    return at(layout_.exponentials) + (keeps_all_ ? v : segment * cut_.block) * columns_;
  }

  // ---- what is known before the first chunk ----

  void begin_gradients() {
    if (g_.dx) std::fill_n(g_.dx, q_.rows * q_.width, 0.0f);
    if (g_.dbias) std::fill_n(g_.dbias, q_.classes, 0.0f);
    smooths_ = q_.smoothing != 0;
    if (smooths_) sum_weights(), smooth_weight_gradient();
    dweight_is_begun_ = smooths_ || counted_.empty();
    if (g_.dweight && counted_.empty()) std::fill_n(g_.dweight, q_.classes * q_.width, 0.0f);
  }

  // Σ_v c[v] weight[v] and Σ_v c[v] bias[v]
  void sum_weights() {
    weighted_weight_.assign(q_.width, 0);
    std::vector<float> parts(cut_.segments * q_.width);
    parallel_items(cut_.segments, [&](int64_t s) {
      for (int64_t v = q_.classes * s / cut_.segments; v < q_.classes * (s + 1) / cut_.segments; ++v)
        add_scaled(static_cast<float>(class_weight(v)), weight(v), q_.width, parts.data() + s * q_.width);
    });
    for (int64_t s = 0; s < cut_.segments; ++s)
      add_scaled(1, parts.data() + s * q_.width, q_.width, weighted_weight_.data());
    for (int64_t v = 0; v < q_.classes && q_.bias; ++v) weighted_bias_ += class_weight(v) * q_.bias[v];
  }

  // dweight[v] = -(ε/V) c[v] Σ_i row weight x[i], and dbias likewise.
  void smooth_weight_gradient() {
    std::vector<float> sum(q_.width, 0.0f);
    double sum_of_ones = 0;
    for (const int64_t i : counted_) {
      add_scaled(static_cast<float>(row_weight(i)), row(i), q_.width, sum.data());
      sum_of_ones += row_weight(i);
    }
    parallel(q_.classes, 1024, [&](int64_t begin, int64_t end) {
      for (int64_t v = begin; v < end; ++v) {
        const float scale = static_cast<float>(-share() * class_weight(v));
        if (g_.dbias) g_.dbias[v] = scale * static_cast<float>(sum_of_ones);
        for (int64_t d = 0; d < q_.width && g_.dweight; ++d) g_.dweight[v * q_.width + d] = scale * sum[d];
      }
    });
  }

  // ---- a chunk ----

  void run_chunk(bool is_first) {
    pack();
    choose_references();
    run_segments();
    if (raise_references()) run_segments();
    parallel(count_, 8, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) finish_row(c);
    });
    if (keeps_all_) add_weight_gradient(is_first && !dweight_is_begun_);
  }

  // xᵀ in panels; the rows that fill up the last panel are zero and far below their reference.
  void pack() {
    constexpr int64_t kGroup = 16;
    const int64_t some = std::min(kGroup, strip_);
    const std::vector<float> zeros(q_.width, 0.0f);
    parallel(columns_ / kGroup, 2, [&](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; ++group) {
        const int64_t column = group * kGroup;
        const float* source[kGroup];
        for (int64_t c = 0; c < kGroup; ++c)
          source[c] = column + c < count_ ? row(counted_[first_ + column + c]) : zeros.data();
        for (int64_t c = 0; c < kGroup; c += some) {
          float* to = at(layout_.x_panels) + strip_column(column + c, q_.width, strip_);
          for (int64_t d = 0; d < q_.width; ++d)
            for (int64_t i = 0; i < some; ++i) to[d * strip_ + i] = source[c + i][d];
        }
      }
    });
  }

  LogitBlock logits_of(int64_t begin, int64_t end) const {
    return {.classes = end - begin,
            .columns = columns_,
            .width = q_.width,
            .weight = weight(begin),
            .bias = q_.bias ? q_.bias + begin : nullptr,
            .x_panels = at(layout_.x_panels),
            .reference = at(layout_.reference)};
  }

  // The largest of the target's logit and those of the first classes.
  void choose_references() {
    float *reference = at(layout_.reference), *target_logit = at(layout_.target_logit);
    std::fill_n(reference, columns_, std::numeric_limits<float>::max());
    LogitBlock probe = logits_of(0, std::min(kProbe, q_.classes));
    probe.largest = at(layout_.largest);
    probe.sum = at(layout_.sums);
    clear_sums(0);
    logit_block(probe);
    for (int64_t c = 0; c < count_; ++c) {
      const int64_t i = counted_[first_ + c], target = q_.targets[i];
      assert(target >= 0 && target < q_.classes);
      target_logit[c] = dot(row(i), weight(target), q_.width) + (q_.bias ? q_.bias[target] : 0.0f);
      reference[c] = std::max({probe.largest[c], target_logit[c], std::numeric_limits<float>::lowest()});
    }
  }

  void clear_sums(int64_t segment) {
    std::fill_n(at(layout_.sums) + segment * columns_, columns_, 0.0f);
    std::fill_n(at(layout_.largest) + segment * columns_, columns_, -std::numeric_limits<float>::infinity());
  }

  void run_segments() {
    parallel_items(cut_.segments, [&](int64_t segment) {
      clear_sums(segment);
      const int64_t begin = cut_.segment_begin(segment, q_.classes), end = cut_.segment_begin(segment + 1, q_.classes);
      for (int64_t v = begin; v < end; v += cut_.block) {
        LogitBlock block = logits_of(v, std::min(end, v + cut_.block));
        block.more = v + 2 * cut_.block <= end;
        block.exponentials = exponentials(segment, v);
        block.largest = at(layout_.largest) + segment * columns_;
        block.sum = at(layout_.sums) + segment * columns_;
        logit_block(block);
        if (g_.dx)
          input_gradient_block({block.classes, columns_, q_.width, block.exponentials, block.weight,
                                at(layout_.parts) + segment * columns_ * q_.width, v > begin});
      }
    });
  }

  bool raise_references() {
    bool raised = false;
    float* reference = at(layout_.reference);
    for (int64_t c = 0; c < count_; ++c) {
      float largest = at(layout_.largest)[c];
      for (int64_t s = 1; s < cut_.segments; ++s) largest = std::max(largest, at(layout_.largest)[s * columns_ + c]);
      if (largest - reference[c] <= kHeadroom) continue;
      reference[c] = largest;
      raised = true;
    }
    return raised;
  }

  // loss = a·lse - (1 - ε) c[t] z[t] - (ε/V) Σ_v c[v] z[v], and the row's dx.
  void finish_row(int64_t c) {
    const int64_t i = counted_[first_ + c], target = q_.targets[i];
    double sum = 0;
    for (int64_t s = 0; s < cut_.segments; ++s) sum += at(layout_.sums)[s * columns_ + c];
    const double row_share = row_weight(i) * share(), mass = hit(i) + row_share * total_class_weight_;
    const double log_sum_exp = at(layout_.reference)[c] + std::log(sum);
    row_losses_[first_ + c] = mass * log_sum_exp - hit(i) * at(layout_.target_logit)[c];
    if (smooths_)
      row_losses_[first_ + c] -= row_share * (dot(row(i), weighted_weight_.data(), q_.width) + weighted_bias_);
    at(layout_.factor)[c] = static_cast<float>(mass / sum);
    if (!g_.dx) return;
    float* dx = g_.dx + i * q_.width;
    for (int64_t s = 0; s < cut_.segments; ++s)
      add_scaled(at(layout_.factor)[c], at(layout_.parts) + (s * columns_ + c) * q_.width, q_.width, dx);
    add_scaled(static_cast<float>(-hit(i)), weight(target), q_.width, dx);
    if (smooths_) add_scaled(static_cast<float>(-row_share), weighted_weight_.data(), q_.width, dx);
  }

  // ---- the weights' gradient of a chunk ----

  // factor ∘ x in panels.
  void pack_scaled() {
    std::fill(at(layout_.factor) + count_, at(layout_.factor) + columns_, 0.0f);
    parallel(round_up(q_.width, kPanel) / strip_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s)
        for (int64_t c = 0; c < columns_; ++c) {
          float* to = at(layout_.scaled_panels) + (s * columns_ + c) * strip_;
          std::fill_n(to, strip_, 0.0f);
          if (c >= count_) continue;
          const float *from = row(counted_[first_ + c]) + s * strip_, factor = at(layout_.factor)[c];
          for (int64_t d = 0; d < std::min(strip_, q_.width - s * strip_); ++d) to[d] = factor * from[d];
        }
    });
  }

  void add_weight_gradient(bool overwrite) {
    pack_scaled();
    const int64_t blocks = (q_.classes + cut_.block - 1) / cut_.block;
    parallel(blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t v = block * cut_.block, next = v + cut_.block, count = std::min(cut_.block, q_.classes - v);
        weight_gradient_block({count, columns_, q_.width, exponentials(0, v),
                               block + 1 < end && next + count <= q_.classes, at(layout_.scaled_panels),
                               at(layout_.factor), g_.dweight ? g_.dweight + v * q_.width : nullptr,
                               g_.dbias ? g_.dbias + v : nullptr, !overwrite});
        subtract_targets(v, v + count);
      }
    });
  }

  // The rows of this chunk whose targets are in [begin, end).
  void subtract_targets(int64_t begin, int64_t end) {
    for (int64_t c = 0; c < count_; ++c) {
      const int64_t i = counted_[first_ + c], target = q_.targets[i];
      if (target < begin || target >= end) continue;
      const float scale = static_cast<float>(-hit(i));
      if (g_.dweight) add_scaled(scale, row(i), q_.width, g_.dweight + target * q_.width);
      if (g_.dbias) g_.dbias[target] += scale;
    }
  }

  const Problem& q_;
  const Gradient& g_;
  const bool keeps_all_, wants_gradient_;
  const int64_t strip_ = strip_width<float>();
  const Cut cut_;
  Layout layout_;
  std::byte* const base_;
  std::vector<int64_t> counted_;    // the rows that are not ignored
  std::vector<double> row_losses_;  // theirs
  std::vector<float> weighted_weight_;
  double weighted_bias_ = 0, total_class_weight_ = 0;
  bool smooths_ = false, dweight_is_begun_ = false;
  int64_t first_ = 0, count_ = 0,
          columns_ = 0;  // the chunk: from which counted row, how many, filled up to whole panels
};

}  // namespace

double linear_cross_entropy(const Problem& problem, const Gradient& gradient) {
  start_runtime();
  if (problem.rows == 0 || problem.classes == 0) {
    if (gradient.dx) std::fill_n(gradient.dx, problem.rows * problem.width, 0.0f);
    if (gradient.dweight) std::fill_n(gradient.dweight, problem.classes * problem.width, 0.0f);
    if (gradient.dbias) std::fill_n(gradient.dbias, problem.classes, 0.0f);
    return 0;
  }
  return Pass(problem, gradient).run();
}

int64_t linear_cross_entropy_memory(int64_t rows, int64_t width, int64_t classes) {
  Layout layout(Cut(rows, width, classes), width, classes, true);
  return static_cast<int64_t>(layout.space.reserve(0));
}

}  // namespace heed::kernels
