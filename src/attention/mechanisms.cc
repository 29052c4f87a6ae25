#include "attention/mechanisms.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "attention/rows.h"
#include "base/check.h"
#include "base/nearest.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"
#include "tensor/unicode.h"

namespace heed::attention {
namespace {

// ---- are these the tensors that a row learns? -------------------------------------------------------------

bool same_sizes(const Shape& given, const Shape& wanted) {
  return std::equal(given.begin(), given.end(), wanted.begin(), wanted.end(),
                    [](int64_t a, int64_t b) { return b < 0 || a == b; });
}
Shape without_first(Shape shape) {
  shape.erase(0);
  return shape;
}
// Whether a room may take it; whether it does depends on all of its tensors.
bool may_be(const Shape& given, const Shape& wanted, const Sizes& n) {
  if (same_sizes(given, wanted)) return true;
  const bool one = given.rank() <= 1 && given.numel() == 1;
  if (one && (wanted == Shape{n.heads} || wanted == Shape{1})) return true;
  if (wanted.rank() == 2 && wanted[0] == n.heads && same_sizes(given, without_first(wanted))) return true;
  return given.rank() == wanted.rank() + 1 && (given[0] == n.heads || given[0] == n.groups) &&
         same_sizes(without_first(given), wanted);
}

std::string text(const Shape& wanted) {
  std::vector<std::string> sizes;
  for (const int64_t size : wanted) sizes.push_back(size < 0 ? "any" : std::to_string(size));
  return fmt::format("({})", fmt::join(sizes, ", "));
}

std::string joined(const std::vector<std::string>& names) {
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

void check_names(const Mechanism& row, const LearnedTensors& given) {
  std::vector<std::string> wanted, got, missing, superfluous;
  for (const Learned& each : row.learned) {
    wanted.emplace_back(each.name);
    if (!given.contains(each.name)) missing.emplace_back(each.name);
  }
  for (const auto& [name, tensor] : given) {
    got.push_back(printable(name));
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) superfluous.push_back(got.back());
  }
  check(missing.empty() && superfluous.empty(), row.name, "learns {}, given were {}: missing {}, too many {}",
        joined(wanted), joined(got), joined(missing), joined(superfluous));
}

void check_learned(const Mechanism& row, const LearnedTensors& given, const Sizes& n) {
  check_names(row, given);
  for (const Learned& each : row.learned) {
    const Tensor &x = given.at(each.name), &first = given.at(row.learned[0].name);
    check(x.defined(), row.name, "the tensor {} is undefined", each.name);
    const Shape wanted = each.shape(n);
    check(may_be(x.shape(), wanted, n), row.name, "the tensor {} has shape {}, wanted {}", each.name, x.shape(),
          text(wanted));
    check(is_floating(x.dtype()) && x.dtype() == first.dtype(), row.name,
          "the tensor {} is {}, the tensor {} is {}: wanted one floating dtype", each.name, name(x.dtype()),
          row.learned[0].name, name(first.dtype()));
  }
}

// The row, its tensors checked before it takes them.
Mechanism checked(Mechanism row) {
  row.options = [take = row.options, row](const LearnedTensors& given, const Sizes& n) {
    check_learned(row, given, n);
    return take(given, n);
  };
  return row;
}

std::vector<Mechanism> all_checked(std::vector<Mechanism> rows) {
  for (Mechanism& row : rows) row = checked(std::move(row));
  return rows;
}

}  // namespace

const std::vector<Mechanism>& mechanisms() {
  static const std::vector<Mechanism> all = all_checked({
      // scores
      dot_row(),
      scaled_dot_row(),
      learned_scale_row(),
      additive_row(),
      normed_additive_row(),
      additive_value_row(),
      concat_row(),
      keras_additive_row(),
      pooling_row(),
      linear_pooling_row(),
      general_row(),
      cosine_row(),
      distance_row(),
      location_row(),
      log_length_row(),
      switchable_scale_row(),
      // positions
      learned_positions_row(),
      sinusoidal_row(),
      rope_row(),
      rope_interleaved_row(),
      yarn_row(),
      alibi_row(),
      t5_row(),
      shaw_row(),
      transformer_xl_row(),
      // spans
      causal_row(),
      window_row(),
      lengths_row(),
      starts_row(),
      prefix_row(),
      documents_row(),
      local_m_row(),
      local_p_row(),
      block_sparse_row(),
      dilated_row(),
      strided_row(),
      strided_fixed_row(),
      adaptive_row(),
      // normalisers
      sigmoid_row(),
      no_normalizer_row(),
      sparsemax_row(),
      entmax15_row(),
      top_k_row(),
      hard_row(),
      sampled_row(),
      sink_row(),
  });
  return all;
}

const Mechanism& mechanism(const std::string& name) {
  const auto& all = mechanisms();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Mechanism& m) { return name == m.name; });
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const Mechanism& m : all) names.emplace_back(m.name);
  fail(ErrorKind::usage, "mechanisms", "there is no mechanism {}; the nearest name is {}", name, nearest(name, names));
}

Shape filled(Shape shape, int64_t inner) {
  for (int64_t& size : shape) {
    if (size <= -kInner) size = inner > 0 ? inner : -size - kInner;
    size = std::abs(size);
  }
  return shape;
}

LearnedTensors example_tensors(const Mechanism& row, const Sizes& n, Dtype dtype, uint64_t seed) {
  LearnedTensors tensors;
  Random from{seed, 0, 0};
  for (const Learned& learned : row.learned) {
    const Shape shape = filled(learned.shape(n));
    tensors[learned.name] = (rand(shape, from, Dtype::f64) * (learned.high - learned.low) + learned.low).to(dtype);
  }
  return tensors;
}

}  // namespace heed::attention
