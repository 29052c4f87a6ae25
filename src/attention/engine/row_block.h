// The row-block engine: normalisers that want a whole row of scores at once. A block of queries meets all keys that it
// sees, in a scratch of the thread; the pieces between product and weighted sum are those of the streaming engine.
//
//   S = scale·Q·Kᵀ, its pieces      P = normaliser(S)      O = (P∘M)·V
//   dP = dO·Vᵀ∘M + dweights         dS = normaliser'(S, dP)
//   dV += (P∘M)ᵀ·dO    dK += scale·dSᵀ·Q    dQ += scale·dS·K
//
// A visible key whose weight is exactly 0 is not looked at: its value may be NaN.
#pragma once

#include <functional>

#include "attention/engine/problem.h"

namespace heed::attention {

// What forward found of a row, so that its weights can be made again without a search. Each normaliser uses some.
struct RowStatistics {
  double largest = 0;    // score, in units of log 2
  double threshold = 0;  // below it there are no weights
  double sum = 1;        // of weights before they were divided by it
  double place = 0;      // of a key
};

// The scores of one query in units of log 2, −∞ where hidden: of the keys [first, first + count), count a multiple of
// 64. `number` is the row's among all B·H·T.
template <class T>
struct ScoreRow {
  T* data;
  int64_t first, count, number;
};

template <class T>
struct RowPieces {
  std::function<RowStatistics(const ScoreRow<T>&)> measure;
  // Scores become weights.
  void (*weigh)(const ScoreRow<T>&, const RowStatistics&);
  // Scores become weights; their gradient dP becomes that of the scores (in units of 1).
  void (*backward)(const ScoreRow<T>&, const RowStatistics&, T* gradient);
};

// For both dtypes.
struct RowNormalizer {
  RowPieces<float> f32;
  RowPieces<double> f64;
  const RowPieces<float>& pieces(float) const { return f32; }
  const RowPieces<double>& pieces(double) const { return f64; }
};

// statistics: (B,H,T)
template <class T>
void forward_rows(const Problem<T>& problem, const RowPieces<T>& pieces, const Rows<T>& out, RowStatistics* statistics);
template <class T>
void backward_rows(const Problem<T>& problem, const RowPieces<T>& pieces, const RowStatistics* statistics,
                   const Incoming<T>& incoming, const Outgoing<T>& outgoing);
// (B, |heads|, |queries|, S), before dropout.
template <class T>
void weights_of_rows(const Problem<T>& problem, const RowPieces<T>& pieces, const RowStatistics* statistics,
                     const Chosen& chosen, T* weights);

}  // namespace heed::attention
