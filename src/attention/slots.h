// The four slots: what a room must say of itself. A room's `prepare` adds its part to the pipeline by ordinary taped
// ops; where it `computes_with_tensors` q, k and v (or with what the engine makes of them), bf16 becomes f32 first. Its
// `reference` is the formula and nothing else, in double, and shares no code with the engine.
#pragma once

#include <heed/attention.h>

#include <functional>
#include <vector>

#include "attention/engine/problem.h"
#include "attention/engine/row_block.h"

namespace heed::attention {

// A term of the scores. Dense: broadcasts to (B,H,T,S). By distance: (H or 1, S+T−1), that of i and j at j − i + T − 1.
struct Bias {
  Tensor values;
  bool by_distance = false;
};

// Weights that fall off around a centre of each query, after the normaliser: p_ij exp(−(j − c_i)²/2σ²).
struct Focus {
  Tensor centre;  // (B,H,T); undefined: none
  double sigma = 1;
  std::string of;  // the span that asked for it
};

// Of tensors of 2 to 4 dimensions that attend accepts; Error otherwise.
Sizes sizes_of(const Tensor& q, const Tensor& k, const Tensor& v);

// scale · queries_i·keys[x] is added to the scores and values[x] to the values, x = j − i' − first, clipped to the
// tables.
struct RelativeTerm {
  Tensor queries;  // (B,H,T,D)
  Tensor keys;     // (distances, D) or (H, distances, D)
  Tensor values;   // (distances, E), or undefined
  int64_t first = 0;
  double scale = 1;
};

// What the engine is handed: attention after the slots have prepared it (all of it may be on the tape).
struct Pipeline {
  Tensor q, k, v;
  Tensor query;    // q as it was given
  Tensor lengths;  // i64 (B): of keys that are no padding; undefined: all
  Sizes n;
  Dtype number = Dtype::f32;  // what is computed with: q's dtype, f32 where that is bf16
  double scale = 1;
  std::vector<Bias> biases;
  Visible visible;
  Streaming normalizer = Streaming::softmax;
  Tensor features;  // (H or 1, D): the scores are Σ_d features_d·tanh(q_d + k_d); undefined: scale·q·k
  Focus focus;
  std::string renormalized = {};                     // what holds only where an uncapped softmax comes next
  std::optional<RowNormalizer> row_normalizer = {};  // in place of it: one that wants whole rows
  // Of one that draws: itself, drawing a word a row from there on; what it leaves of a row is that of sampled.h.
  std::function<RowNormalizer(const Random&)> draws = {};
  bool has_sink = false;       // the sum of a row holds more than its keys
  RelativeTerm relative = {};  // where it has keys

  bool is_softmax() const { return !row_normalizer && normalizer == Streaming::softmax && !has_sink; }
};

// Keys or values (B,G,S,…) as they are, but 0 where they are padding: what is computed of them has no gradient there,
// and nothing that lies there reaches that of what they are multiplied with.
Tensor without_padding(const Pipeline& p, const Tensor& rows);

// The elements of an i64 tensor, in order; Error in the name of `who` for other dtypes.
std::vector<int64_t> integers(const char* who, const Tensor& x);

// One head in double, for references: rows of q, k and v.
struct Plain {
  int64_t queries, keys, width, key_width, value_width, batch, head, heads, groups;
  int64_t length;  // of keys that are no padding
  std::vector<double> q, k, v;
  Random random = {};  // where the call's draws begin
  const double* query(int64_t i) const { return q.data() + i * width; }
  const double* key(int64_t j) const { return k.data() + j * key_width; }
  int64_t group() const { return head / (heads / groups); }
  int64_t place(int64_t i) const { return i + keys - queries; }  // of query i among the keys
};

class ScoreRoom {
 public:
  virtual ~ScoreRoom() = default;
  virtual const char* name() const = 0;
  virtual void prepare(Pipeline& p) const = 0;
  virtual bool computes_with_tensors() const { return true; }
  virtual bool uses_queries() const { return true; }  // false: a key's score is its own
  // Whether it matters which key is the first: then no places can be put before it.
  virtual bool counts_from_first() const { return false; }
  // What is left to compute for keys whose own part is done; undefined scores: all of it, of the keys as they are.
  virtual ReadAhead read_ahead(const Tensor& k) const { return {{}, k}; }
  virtual double reference(const Plain& x, int64_t i, int64_t j) const = 0;
};

class PositionRoom {
 public:
  virtual ~PositionRoom() = default;
  virtual const char* name() const = 0;
  virtual void prepare(Pipeline& p) const = 0;
  virtual bool computes_with_tensors() const { return true; }
  virtual bool counts_from_first() const { return false; }                      // as above
  virtual void move(Plain&) const {}                                            // what it does to q and k
  virtual double reference(const Plain&, int64_t, int64_t) const { return 0; }  // what it adds to a score
  // What it adds to component c of v_j, as query i sees it.
  virtual double value_reference(const Plain&, int64_t, int64_t, int64_t) const { return 0; }
};

class SpanRoom {
 public:
  virtual ~SpanRoom() = default;
  virtual std::string name() const = 0;
  virtual void prepare(Pipeline& p) const = 0;
  virtual bool computes_with_tensors() const { return true; }
  virtual bool counts_from_first() const { return false; }  // as above
  virtual Tensor lengths() const { return {}; }             // of the keys that are there at all; undefined: all are
  virtual bool reference(const Plain& x, int64_t i, int64_t j) const = 0;
  virtual double bias(const Plain&, int64_t, int64_t) const { return 0; }        // what it adds to a score
  virtual double multiplier(const Plain&, int64_t, int64_t) const { return 1; }  // of a weight
};

class NormalizerRoom {
 public:
  virtual ~NormalizerRoom() = default;
  virtual const char* name() const = 0;
  virtual void prepare(Pipeline& p) const = 0;
  virtual bool computes_with_tensors() const { return true; }
  // What is left to do by taped ops; `part`: whose weights were asked for.
  virtual void finish(Attended&, const AttendOptions::Part& part) const { (void)part; }
  // The scores of query i, −∞ where hidden, become weights.
  virtual void reference(const Plain& x, int64_t i, std::vector<double>& row) const = 0;
};

// Of two lengths of keys, each of which may be undefined, the shorter ones.
Tensor shorter(const Tensor& a, const Tensor& b);
// Of the keys that are there, by whichever slot it was said.
Tensor key_lengths(const AttendOptions& options);

// The rooms of the slots that were left empty.
const ScoreRoom& room_of(const Scores& slot);
const PositionRoom* room_of(const Position& slot);  // null: no position
const SpanRoom* room_of(const Span& slot);          // null: global
const NormalizerRoom& room_of(const Normalizer& slot);

}  // namespace heed::attention
