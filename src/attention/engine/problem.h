// What the engine computes, on raw numbers: attention after the slots have prepared it.
//
//   s_ij = scale · q_i·k_j, or Σ_d u_d tanh(q_id + k_jd);  + Σ biases(i,j) + relative;  capped;
//    where i may look at j:  p_i = normaliser(s_i),  m = multiplier
//   o_i  = Σ_j p_ij m_ij v_j,   λ_i = log Σ_j exp s_ij
//
// Letters: B batch, H query heads, G key/value heads (G divides H), T queries, S keys, D width of q and k, E of v.
#pragma once

#include <heed/tensor.h>

#include <cstdint>
#include <type_traits>
#include <vector>

#include "attention/engine/visible.h"
#include "kernels/dropout.h"
#include "kernels/pairs.h"
#include "kernels/panels.h"

namespace heed::attention {

// What is computed with where T is stored: f32 in place of bf16.
template <class T>
using Number = std::conditional_t<std::is_same_v<T, bf16>, float, T>;
// What the products are made of: numbers, or of bf16 pairs of neighbours along the depth.
template <class T>
using Unit = std::conditional_t<std::is_same_v<T, bf16>, kernels::Bf16Pair, T>;
template <class T>
constexpr int64_t units(int64_t numbers) {
  return std::is_same_v<T, bf16> ? (numbers + 1) / 2 : numbers;
}
// Whether rows are the right factor of a product only when they are packed in strips, and the units that they take
// then: a row more, off powers of two.
template <class T>
bool wants_packing(int64_t width) {
  return std::is_same_v<T, bf16> || width > kernels::strip_width<Number<T>>();
}
template <class T>
int64_t packed_size(int64_t width, int64_t rows) {
  return wants_packing<T>(width) ? kernels::panels_size(units<T>(rows) + 1, width) : 0;
}
// Whether scores may be other than products; bf16 has the other forms only by way of f32.
template <class T>
inline constexpr bool kEveryForm = !std::is_same_v<T, bf16>;

struct Sizes {
  int64_t batch = 0, heads = 0, groups = 0, queries = 0, keys = 0, width = 0, value_width = 0;
  int64_t heads_per_group() const { return heads / groups; }
  int64_t rows() const { return batch * heads * queries; }
  int64_t row_number(int64_t b, int64_t h, int64_t i) const { return (b * heads + h) * queries + i; }
};

// Element (b, h, i, c) of a tensor at data[b·batch + h·head + i·row + c]. A bias may have any strides but the last:
// a function of the key alone has row 0, one of the distance j − i has row −1.
template <class T>
struct Rows {
  T* data = nullptr;
  int64_t batch = 0, head = 0, row = 0;
  T* at(int64_t b, int64_t h, int64_t i) const { return data + b * batch + h * head + i * row; }
  explicit operator bool() const { return data != nullptr; }
};

// Normalisers that need no whole row at once.
enum class Streaming { softmax, sigmoid, none };

// A row of weights and 128 keys are a block of decisions.
inline constexpr int64_t kDropoutKeys = 128;
struct Dropout {
  double p = 0;
  kernels::DropoutKey key = {};
  explicit operator bool() const { return p > 0; }
  double factor() const { return 1 / (1 - p); }
  // Which weights of `rows` rows from number `row` on are kept, of the 128 keys from `key_block`·128 on: [rows][2]
  // words.
  void draw(const Sizes& n, int64_t row, int64_t rows, int64_t key_block, uint64_t* keep) const {
    const int64_t blocks = (n.keys + kDropoutKeys - 1) / kDropoutKeys;
    kernels::dropout_bits(key, p, row * blocks + key_block, blocks, rows, keep);
  }
};

// The multiplier exp(−(j − c_i)²/2σ²) of weights.
template <class T>
struct Centres {
  const T* data = nullptr;  // (B,H,T): c; null: no multiplier
  double sigma = 1;
};

// A table of vectors by the distance of a key from its query, j − i', i' = i + S − T: that of `first` is row 0; beyond
// its ends the table goes on with its first and last row.
template <class T>
struct ByDistance {
  Rows<const T> rows;
  int64_t first = 0, count = 0, width = 0;
  explicit operator bool() const { return static_cast<bool>(rows); }
};
// scale · r_i·keys(j − i') is added to the scores, values(j − i') to v_j as query i sees it.
template <class T>
struct Relative {
  Rows<const T> queries;  // (B,H,T, width of the keys' table)
  double scale = 1;
  ByDistance<T> keys, values;  // the second may be absent
  explicit operator bool() const { return static_cast<bool>(keys); }
};

template <class T>
struct Problem {
  Sizes n;
  Rows<const T> q, k, v;  // (B,H,T,D), (B,G,S,D), (B,G,S,E)
  double scale = 1;
  std::vector<Rows<const Number<T>>> biases;  // each (B,H,T,S)
  double soft_cap = 0;                        // s becomes cap·tanh(s/cap); 0: not capped
  Streaming normalizer = Streaming::softmax;
  Visible visible;
  Dropout dropout;
  Rows<const T> features;  // u (H,D): scores are Σ_d u_d tanh(q_d + k_d); null: they are products
  Centres<Number<T>> centres;
  Relative<T> relative = {};
};

template <class T>
struct Outputs {
  Rows<T> out;             // (B,H,T,E)
  Number<T>* log_sum_exp;  // (B,H,T), −∞ where a row may look nowhere; of softmax alone
};

// A given alignment A (B,H,T,S) that the weights are compared with: −Σ A log a, or Σ (a − A)². Hidden keys do not
// count.
enum class GuideKind { cross_entropy, squared_error };
template <class T>
struct Guide {
  Rows<const T> alignment;
  GuideKind kind = GuideKind::cross_entropy;
  const T* factors = nullptr;  // (B,H,T), of each row's loss in what is differentiated
};

template <class T>
struct Incoming {
  Rows<const T> out, dout;         // (B,H,T,E)
  const Number<T>* log_sum_exp;    // (B,H,T), of softmax
  const Number<T>* row_terms;      // (B,H,T) or null: what δ_i = dO_i·O_i − row_term_i has besides
  Rows<const Number<T>> dweights;  // (B,H,T,S) or null: a gradient of the weights themselves, those before dropout
  Guide<Number<T>> guide = {};     // its row terms are those that guided() notes, times the factors
};

// The keys of a head are worked on in at most so many chunks side by side.
inline constexpr int64_t kMostChunks = 8;

// Everything is added to, and must be zero at first.
template <class T>
struct Outgoing {
  Rows<T> dq, dk, dv;            // as q, k, v
  std::vector<Rows<T>> dbiases;  // as biases; null where not wanted
  bool shared_biases = false;    // a gradient of a bias is shared by batches or heads
  Rows<T> dfeatures = {};        // (kMostChunks·B,H,D), whose sum over the first it is
  T* dcentres = nullptr;         // (B,H,T), where there are centres
  // Of the relative term; a table's gradient has rows as the table has, but for each batch and head.
  Rows<T> drelative_queries = {}, drelative_keys = {}, drelative_values = {};
};

// The weights of some heads and queries, (B, |heads|, |queries|, S), before dropout. log_sum_exp: of softmax, else
// null.
struct Chosen {
  std::vector<int64_t> heads, queries;
};
template <class T>
void weights(const Problem<T>& problem, const T* log_sum_exp, const Chosen& chosen, T* weights);

// Up to so many queries, packing keys costs more than it brings.
inline constexpr int64_t kFewQueries = 4;

// Below so many multiply-adds a second thread costs more than it brings.
inline bool worth_threads(const Sizes& n) { return n.rows() * n.keys * (n.width + n.value_width) > (int64_t{1} << 18); }

// The loss of each row (B,H,T) against a guide, and its row term over the factor: Σ_j A, or −2 Σ_j a(a − A).
template <class T>
void guided(const Problem<T>& problem, const T* log_sum_exp, const Guide<T>& guide, T* losses, T* row_terms);

template <class T>
void forward(const Problem<T>& problem, const Outputs<T>& outputs);
template <class T>
void backward(const Problem<T>& problem, const Incoming<T>& incoming, const Outgoing<Number<T>>& outgoing);

}  // namespace heed::attention
