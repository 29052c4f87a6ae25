// Attention: every mechanism is a choice of scores, position, span and normaliser; what they mean, to the sign, is said
// at each. out = Σ_j normaliser(scores(q_i, k_j)) v_j, computed without a T×S array, forward and backward.
//
//   heed::Tensor q = heed::randn({1, 8, 128, 64}), k = heed::randn({1, 8, 128, 64}), v = heed::randn({1, 8, 128, 64});
//   q.requires_grad(true);
//   auto [out, weights] = heed::attend(q, k, v, {.position = heed::alibi(8), .span = heed::causal() & heed::window(9,
//   0),
//                                                .dropout = 0.1f, .return_weights = true});
//   heed::backward(heed::sum(out));
//   std::cout << heed::describe(q, k, v, {.span = heed::causal()}) << '\n';
//
// Shapes: q (B,H,T,D), k (B,G,S,D), v (B,G,S,E): B batch, H query heads, G key/value heads (G divides H), T queries, S
// keys. Without the first dimensions they are taken as 1. Any strides, as long as the last dimension is contiguous.
#pragma once

#include <heed/ops.h>
#include <heed/tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace heed {

namespace attention {
class ScoreRoom;
class PositionRoom;
class SpanRoom;
class NormalizerRoom;

// A choice for one of the four slots, with the learned tensors that it was given.
template <class Room>
struct Slot {
  std::shared_ptr<const Room> room;  // null: the slot's default
};
}  // namespace attention

// ---- Scores: s(q, k) ------------------------------------------------------------------------------------------------
using Scores = attention::Slot<attention::ScoreRoom>;
Scores dot();                            // q·k
Scores scaled_dot();                     // q·k/√D: the default
Scores scaled_dot(double scale);         // q·k·scale
Scores scaled_dot(const Tensor& scale);  // learned: one number, or one a head (H)
Scores general(const Tensor& w);         // qᵀ W k, W (D_q, D_k) or (H, D_q, D_k)
Scores cosine(double scale);             // scale·q·k/(‖q‖‖k‖); a vector of zeros scores 0
Scores cosine(const Tensor& scale);
Scores distance(double scale);  // −scale·‖q − k‖²
Scores distance(const Tensor& scale);
Scores location(const Tensor& w);     // (W q)_j, W (S or more, D), or one for each of k's heads: (G, S or more, D)
Scores log_length(double scale = 1);  // scale·log S·q·k/√D, S the keys that are no padding
Scores log_length(const Tensor& scale);
Scores switchable_scale(const Tensor& gate, const Tensor& scales);  // c·q·k, c = Σ_m softmax(gate q)_m scales_m
// vecᵀ tanh(w q + u k + bias): w (A,D) and u (A,D'), or one a head, (H,A,D) and (G,A,D'); undefined: q or k as they
// are. vec (A) or (H,A).
enum class Squash { tanh, sigma };  // sigma: 1/(1 + e^−x)
struct AdditiveOptions {
  Tensor bias = {};   // (A)
  Tensor gain = {};   // one number, or (H): vec becomes gain·vec/‖vec‖
  Tensor value = {};  // (A,E) or (G,A,E): value·v_j is added within
  Squash squash = Squash::tanh;
};
Scores additive(const Tensor& w, const Tensor& u, const Tensor& vec, const AdditiveOptions& options = {});
Scores luong_concat(const Tensor& w, const Tensor& vec);                      // vecᵀ tanh(w [q; k]), w (A,D+D')
Scores keras_additive(const Tensor& scale = {});                              // Σ_d scale_d tanh(q_d + k_d), scale (D)
Scores pooling(const Tensor& w, const Tensor& vec, const Tensor& bias = {});  // vecᵀ tanh(w k + bias), whatever q is
Scores linear_pooling(const Tensor& w, const Tensor& bias = {});              // w·k + bias, w (D) or (H,D)

// Scores for keys that are looked at again and again: what depends on the keys alone is computed once.
struct ReadAhead {
  Scores scores;
  Tensor keys;  // (B,G,S,·)
};
ReadAhead read_ahead(const Scores& scores, const Tensor& k);

// ---- Positions ------------------------------------------------------------------------------------------------------
using Position = attention::Slot<attention::PositionRoom>;
// Query i stands at place i' = i + S − T, key j at j; where there are more queries than keys, absolute positions count
// from the first query instead.
// table[i'] is added to q_i, table[j] to k_j; the table (places, D) is learned.
Position learned_positions(const Tensor& table);
// The same with sin(place·base^(−2c/D)) in column 2c and the cosine in column 2c + 1. Vaswani et al. 2017,
// arXiv:1706.03762
Position sinusoidal(double base = 10000);

// How the angles of rope are stretched to texts `factor` times as long as those trained on; w is the rotated width.
struct RopeLinear {  // positions divided by the factor. Chen et al. 2023, arXiv:2306.15595
  double factor = 1;
};
struct RopeNtk {  // base·factor^(w/(w−2))
  double factor = 1;
};
struct RopeDynamicNtk {  // base·(factor·L/trained − (factor − 1))^(w/(w−2)), L the places in use, where that is more
  double factor = 1;
  int64_t trained = 2048;  // places
};
struct RopeYarn {  // Peng et al. 2023, arXiv:2309.00071
  double factor = 1;
  int64_t trained = 2048;                       // places
  double beta_fast = 32, beta_slow = 1;         // rotations over `trained`: more are kept, fewer are stretched
  std::optional<double> attention_factor = {};  // of cosine and sine; by default 0.1·ln(factor) + 1
};
struct RopeLlama3 {  // Llama 3.1's: interpolated between slow and fast. Meta 2024, arXiv:2407.21783
  double factor = 1;
  int64_t trained = 8192;     // places
  double fast = 4, slow = 1;  // rotations over `trained`: more are kept, fewer are stretched
};
using RopeScaling = std::variant<std::monostate, RopeLinear, RopeNtk, RopeDynamicNtk, RopeYarn, RopeLlama3>;
enum class RopeLayout {
  half_split,   // column c is paired with c + w/2
  interleaved,  // 2c with 2c + 1
};
struct RopeOptions {
  double base = 10000;
  RopeLayout layout = RopeLayout::half_split;
  int64_t width = 0;  // how many columns are rotated, the first ones; 0: all
  RopeScaling scaling = {};
  int64_t offset = 0;              // added to every place
  Tensor queries = {}, keys = {};  // i64 (T) or (B,T), (S) or (B,S): places in place of i' and j
};
// Pairs of columns of q and k are turned by place·base^(−2c/w). Su et al. 2021, arXiv:2104.09864
Position rope(const RopeOptions& options = {});

// −m_h·|i−j|, m_h = 2^(−8h/H), i counted from S−T. Press, Smith & Lewis 2021, arXiv:2108.12409
Position alibi(int64_t heads);

// table[h][bucket(j − i')] is added; the table (H, buckets) is learned. The first half of the buckets of a direction
// holds a distance each, the others grow logarithmically up to max_distance. Raffel et al. 2019, arXiv:1910.10683,
// whose scores are plain dot products: {.scores = dot(), .position = t5(table)}
struct T5Options {
  bool bidirectional = true;  // false: all keys to come share the bucket of distance 0
  int64_t max_distance = 128;
};
Position t5(const Tensor& table, const T5Options& options = {});

// q_i·keys[x]/√D is added to the scores and values[x] to v_j as i sees it, x = clip(j − i', −R, R) + R: learned tables
// (2R + 1, D) and, unless undefined, (2R + 1, E). Shaw, Uszkoreit & Vaswani 2018, arXiv:1803.02155
Position shaw(const Tensor& keys, const Tensor& values = {});
// q becomes q + u, and (q_i + v)·(W R_{i'−j})/√D is added to the scores; R_x are the sines, then the cosines of
// x·10000^(−2c/M); u and v (H, D) and W (H·D, M) are learned. Dai et al. 2019, arXiv:1901.02860
Position transformer_xl(const Tensor& u, const Tensor& v, const Tensor& w);

// ---- Spans: who may look where --------------------------------------------------------------------------------------
using Span = attention::Slot<attention::SpanRoom>;
namespace attention {  // both must allow it
Slot<SpanRoom> operator&(const Slot<SpanRoom>& a, const Slot<SpanRoom>& b);
}
Span causal();                                    // j <= i + S − T
Span window(int64_t left, int64_t right);         // i' − left <= j <= i' + right, i' = i + S − T
Span lengths(const Tensor& key_lengths);          // i64 (B): j < n_b
Span starts(const std::vector<int64_t>& firsts);  // one a batch: j >= n_b; padding stands before
Span prefix(int64_t length);                      // j < length or causal: prefix LM
Span prefix(const Tensor& lengths);               // i64 (B): one length a batch
// Packed sequences: only the same document sees each other. Ids i64 (S) or (B,S), or where each begins: 0, … S.
Span documents(const Tensor& ids);
Span documents(const std::vector<int64_t>& offsets);
// Luong's local attention: |j − t| <= reach; query i stands at t = first + i, counted from the beginning.
Span local_m(int64_t reach, int64_t first = 0);
// |j − p| <= reach, p = S·σ(vᵀ tanh(W q)); weights times exp(−(j − p)²/2σ²), σ = reach/2, not renormalised.
Span local_p(const Tensor& w, const Tensor& v, int64_t reach = 10);  // (P,D) and (P), or (H,P,D) and (H,P)
// Query i sees the blocks of `size` keys that are listed for its own block, i / size.
Span block_sparse(const std::vector<std::vector<int64_t>>& blocks, int64_t size);
Span dilated(int64_t window, int64_t step);              // every step-th key, `window` to each side
Span strided(int64_t step);                              // Sparse Transformer: the last `step`, and every step-th
Span strided_fixed(int64_t step, int64_t summary);       // the own block, and the last `summary` of each before
Span adaptive(const Tensor& z, double ramp);             // learned z (H or 1): weights fall to 0 from z to z + ramp
Tensor adaptive_loss(const Tensor& z, double strength);  // strength·mean z
void adaptive_clamp(Tensor& z, double most);             // to [0, most], after a step

// ---- Normalisers ----------------------------------------------------------------------------------------------------
using Normalizer = attention::Slot<attention::NormalizerRoom>;
Normalizer softmax();         // the default
Normalizer sigmoid();         // each weight by itself
Normalizer no_normalizer();   // weights are the scores
Normalizer sparsemax();       // the nearest point of the simplex: many weights are exactly 0
Normalizer entmax15();        // [s/2 − τ]₊²: between softmax and sparsemax
Normalizer top_k(int64_t k);  // softmax over the k largest scores of each query
Normalizer hard();            // the key with the largest score, and no other
Normalizer sampled();         // one key, drawn by the softmax: AttendOptions::random says from where
// softmax with one more element in each row's sum, a logit a head (H), that takes weight and brings no value.
Normalizer sink(const Tensor& logits);

// Somebody who looks on while a model works, and may interfere. Each place has a name: "decoder.2.cross".
class Watcher;
struct Watch {
  Watcher* watcher = nullptr;  // null: nobody looks on, at no cost
  std::string place = {};
  Tensor shown(const Tensor& x) const;  // x, or what the watcher makes of it
};

struct AttendOptions {
  Scores scores = {};
  Position position = {};
  Span span = {};
  Normalizer normalizer = {};
  Tensor mask = {};             // boolean, broadcasts to (B,H,T,S): true where i may look at j
  Tensor bias = {};             // added to the scores; broadcasts to (B,H,T,S)
  Tensor key_lengths = {};      // i64 (B): keys and values from there on are never read
  double soft_cap = 0;          // c·tanh(s/c); 0: none
  float dropout = 0;            // on the normalised weights, divided by 1 − p
  Random* random = nullptr;     // what dropout and sampled() draw from; null: random()
  bool return_weights = false;  // of all heads and queries, unless weights_of says which
  struct Part {
    std::vector<int64_t> heads = {}, queries = {};  // empty: all
  };
  Part weights_of = {};
  Watch watch = {};  // attend asks the watcher
};

// auto [out, weights] = attend(…): the first two; log_sum_exp is there by its name.
struct Attended {
  Tensor out;          // (B,H,T,E)
  Tensor weights;      // (B,H,T,S) before dropout, where asked for
  Tensor log_sum_exp;  // (B,H,T), differentiable; −∞ where a query may look nowhere; undefined where there is none
  // Of sampled(): the keys that were drawn, i64 (B,H,T), −1 where a query may look nowhere; the logarithm of how
  // probable that was, and the entropy of the softmax, (B,H,T), differentiable, 0 there.
  Tensor drawn = {}, log_probability = {}, entropy = {};
  template <size_t kIndex>
  const Tensor& get() const {
    return kIndex == 0 ? out : weights;
  }
};
Attended attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options = {});
// One sentence: which path these options take for these shapes, and in how much memory.
std::string describe(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options = {});

class Watcher {
 public:
  virtual ~Watcher() = default;
  // In place of attend, which is the answer unless it is overridden. A decoder that keeps several rows of a sentence
  // side by side has them as heads: (B,H·R,T,D), the rows of a head together.
  virtual Attended attend(const std::string& place, const Tensor& q, const Tensor& k, const Tensor& v,
                          const AttendOptions& options);
  // x (B,T,width) is what a model has come to at a place; it goes on with the answer.
  virtual Tensor value(const std::string& place, const Tensor& x);
  // What a model does not come to on its way is made for whoever wants it, and then shown: the gates of recurrent
  // layers, which go on as they were. Nobody does, unless this is overridden.
  virtual bool wants(const std::string& place) const;
};

// ---- On top ---------------------------------------------------------------------------------------------------------

// A loss between the weights and a given alignment A (B,H,T,S, broadcasts), whose rows sum to 1; rows of zeros do not
// count. Cross-entropy −Σ A log a or squared error Σ (a − A)², the mean over the rows that have one. Gradients reach q
// and k inside the fused kernel: no matrix is kept. Chen et al. 2016, arXiv:1607.01628
enum class Guide { cross_entropy, squared_error };
Tensor guided_loss(const Tensor& q, const Tensor& k, const Tensor& alignment, const AttendOptions& options = {},
                   Guide guide = Guide::cross_entropy);

// What trains sampled(): −Σ [(reward − baseline)·log_probability + entropy_weight·entropy], to be added to the loss.
// The gradient is an unbiased estimate of that of −E[Σ reward], whatever the baseline, as long as it does not depend on
// the draw. The reward broadcasts to (B,H,T), larger is better; no gradient reaches it. Xu et al. 2015,
// arXiv:1502.03044
// score_function_loss(attended, reward, {.baseline = baseline.step(reward)}), `baseline` a MovingBaseline that is kept.
struct ScoreFunctionOptions {
  double baseline = 0, entropy_weight = 0;
};
Tensor score_function_loss(const Attended& sampled, const Tensor& reward, const ScoreFunctionOptions& options = {});
// b ← decay·b + (1 − decay)·mean reward
struct MovingBaseline {
  double value = 0, decay = 0.9;
  double step(const Tensor& reward);  // the baseline before this reward, which then enters it
};

// φ(q)(φ(k)ᵀv) / φ(q)Σφ(k), φ = elu + 1: time and memory grow with the length alone.
// Katharopoulos et al. 2020, arXiv:2006.16236
Tensor linear_attention(const Tensor& q, const Tensor& k, const Tensor& v, bool causal = false);
// The causal form one step at a time.
struct LinearState {
  Tensor sum, norm;                                                // Σ φ(k) vᵀ (B,H,D,E), Σ φ(k) (B,H,D)
  Tensor step(const Tensor& q, const Tensor& k, const Tensor& v);  // (B,H,1,D), …; goes on from the state
};

// Heads that exchange scores before the softmax and weights after it: `scores` (H',H) makes H' rows of scores of H,
// `weights` (H'',H') mixes what comes of them; v has H'' heads. In blocks of queries, never all at once.
// Shazeer et al. 2020, arXiv:2003.02436
Tensor talking_heads(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& scores, const Tensor& weights,
                     const Span& span = {});

// The weighted sum with one more choice, a vector s (B,H,T,E) with the score z (B,H,T): β = the weight of the sentinel
// in the softmax over the keys and it, ĉ = βs + (1 − β)c. Lu et al. 2017, arXiv:1612.01887
struct Sentinel {
  Tensor out, beta;  // (B,H,T,E), (B,H,T)
};
Sentinel with_sentinel(const Attended& over_keys, const Tensor& sentinel, const Tensor& score);
// s = σ(W_x x + W_h h) ∘ tanh(m)
Tensor visual_sentinel(const Tensor& x, const Tensor& h, const Tensor& m, const Tensor& w_x, const Tensor& w_h);

// What was looked at so far, step by step, and what it costs to look there again: Σ_j min(a_j, c_j).
// See, Liu & Manning 2017, arXiv:1704.04368 (λ = 1)
struct Coverage {
  Tensor sum;                          // (B,…,S); undefined before the first step
  Tensor step(const Tensor& weights);  // the loss of these weights (one number a row), then adds them
};

// Transformer-XL's memory: older hidden states in front of x along `dim`; no gradient reaches them.
Tensor with_memory(const Tensor& memory, const Tensor& x, int dim = -2);

// Keys and values of what was read so far, contiguous, grown by doubling: append what is new, then attend to all.
class KeyValueCache {
 public:
  void append(const Tensor& k, const Tensor& v);  // (B,G,n,D), (B,G,n,E)
  int64_t size() const { return size_; }
  Tensor keys() const;    // (B,G,size,D)
  Tensor values() const;  // (B,G,size,E)
  void truncate(int64_t size);
  // i64: batch n becomes what was batch batches[n]; the first `gone` places of all are dropped.
  void take(const Tensor& batches, int64_t gone = 0);
  // The batches of another stand behind these, so many each. All end together: zeros stand before the shorter ones.
  void join(const KeyValueCache& more, int64_t batches, int64_t of_more);
  Attended attend(const Tensor& q, const AttendOptions& options = {.span = causal()}) const;

 private:
  Tensor keys_, values_;
  int64_t size_ = 0;
};

// The attention over all keys from the attention over parts of them (each with its log_sum_exp).
Attended merge(const std::vector<Attended>& parts);

}  // namespace heed

template <>
struct std::tuple_size<heed::Attended> : std::integral_constant<size_t, 2> {};
template <size_t kIndex>
struct std::tuple_element<kIndex, heed::Attended> {
  using type = const heed::Tensor;
};
