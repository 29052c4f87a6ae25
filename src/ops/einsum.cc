// Einstein's summation as products: each pair of operands is one batched matrix product.
#include <heed/ops.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "ops/einsum.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

using SizeOfLabel = std::map<char, int64_t>;

// A tensor and the letters of its dimensions.
struct Labelled {
  Tensor tensor;
  std::string letters;
};

bool holds(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

// A letter that occurs twice in one operand means its diagonal.
Labelled without_repeats(Labelled x) {
  for (size_t i = 0; i < x.letters.size(); ++i)
    for (size_t j = i + 1; j < x.letters.size();) {
      if (x.letters[i] != x.letters[j]) {
        ++j;
        continue;
      }
      x.tensor = diagonal(x.tensor, static_cast<int>(i), static_cast<int>(j));
      x.letters.erase(j, 1);
    }
  return x;
}

// Sums over the letters that nobody asks for any more.
Labelled summed(Labelled x, const std::string& needed) {
  Dims dims;
  std::string kept;
  for (size_t i = 0; i < x.letters.size(); ++i)
    if (holds(needed, x.letters[i]))
      kept += x.letters[i];
    else
      dims.push_back(static_cast<int64_t>(i));
  if (dims.rank() > 0) x.tensor = sum(x.tensor, dims);
  return {x.tensor, kept};
}

Tensor arranged(const Labelled& x, const std::string& order) {
  Shape permutation;
  for (char letter : order) permutation.push_back(static_cast<int64_t>(x.letters.find(letter)));
  return permute(x.tensor, permutation);
}

// One product: letters of both that stay are the batch, letters of both that go are summed by the product.
Labelled contract(const Labelled& a, const Labelled& b, const std::string& needed, const SizeOfLabel& sizes) {
  std::string batch, inner, left, right;
  for (char letter : a.letters) (!holds(b.letters, letter) ? left : holds(needed, letter) ? batch : inner) += letter;
  for (char letter : b.letters)
    if (!holds(a.letters, letter)) right += letter;
  const auto size = [&](const std::string& letters) {
    int64_t product = 1;
    for (char letter : letters) product = checked_multiply(product, sizes.at(letter), "einsum");
    return product;
  };
  const Tensor product = matmul(reshape(arranged(a, batch + left + inner), {size(batch), size(left), size(inner)}),
                                reshape(arranged(b, batch + inner + right), {size(batch), size(inner), size(right)}));
  Shape shape;
  const std::string letters = batch + left + right;
  check(letters.size() <= kMaxRank, "einsum", "the product of {} and {} has more than {} dimensions", a.letters,
        b.letters, kMaxRank);
  for (char letter : letters) shape.push_back(sizes.at(letter));
  return {reshape(product, shape), letters};
}

SizeOfLabel sizes_of(const Equation& equation, const std::vector<Tensor>& operands) {
  check(equation.inputs.size() == operands.size(), "einsum", "the equation names {} operands, {} were given",
        equation.inputs.size(), operands.size());
  SizeOfLabel sizes;
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::string& letters = equation.inputs[i];
    check(operands[i].rank() == static_cast<int>(letters.size()), "einsum", "operand {} of shape {} is called {}", i,
          operands[i].shape(), letters.empty() ? "a scalar" : letters);
    for (size_t j = 0; j < letters.size(); ++j) {
      const int64_t size = operands[i].shape()[static_cast<int>(j)];
      const auto [at, fresh] = sizes.emplace(letters[j], size);
      check(fresh || at->second == size, "einsum", "letter {} is {} and {}", letters[j], at->second, size);
    }
  }
  return sizes;
}

}  // namespace

Tensor einsum(const std::string& text, const std::vector<Tensor>& operands) {
  const Equation equation = parse_equation(text);
  const SizeOfLabel sizes = sizes_of(equation, operands);
  Labelled result = without_repeats({operands[0], equation.inputs[0]});
  const auto needed_after = [&](size_t i) {
    std::string needed = equation.output;
    for (size_t j = i + 1; j < operands.size(); ++j) needed += equation.inputs[j];
    return needed;
  };
  for (size_t i = 1; i < operands.size(); ++i) {
    const Labelled next = without_repeats({operands[i], equation.inputs[i]});
    const std::string needed = needed_after(i);
    result = contract(summed(result, needed + next.letters), summed(next, needed + result.letters), needed, sizes);
  }
  return arranged(summed(result, equation.output), equation.output);
}

}  // namespace heed
