// attend: the slots prepare the pipeline by taped ops, the engine computes it, one record on the tape brings the
// gradients of what was prepared.
#include <heed/attention.h>
#include <heed/base.h>

#include <algorithm>
#include <numeric>

#include "attention/engine/bands.h"
#include "attention/normalizers/sampled.h"
#include "attention/slots.h"
#include "base/check.h"
#include "kernels/pairs.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace attention {
namespace {

Tensor four(const Tensor& x) {
  Tensor y = x;
  while (y.rank() < 4) y = unsqueeze(y, 0);
  return y;
}

}  // namespace

Sizes sizes_of(const Tensor& q, const Tensor& k, const Tensor& v) {
  const auto check_shapes = [&](bool fit, fmt::format_string<int64_t&, int64_t&> what, int64_t a = 0, int64_t b = 0) {
    if (!fit)
      fail(ErrorKind::usage, "attend", "q {}, k {}, v {}: {}", q.shape(), k.shape(), v.shape(),
           fmt::format(what, a, b));
  };
  for (const Tensor* x : {&q, &k, &v}) check_shapes(x->rank() >= 2 && x->rank() <= 4, "wanted 2 to 4 dimensions each");
  check(q.dtype() == k.dtype() && k.dtype() == v.dtype(), "attend", "q is {}, k is {}, v is {}: wanted one dtype",
        name(q.dtype()), name(k.dtype()), name(v.dtype()));
  const Tensor q4 = four(q.detach()), k4 = four(k.detach()), v4 = four(v.detach());
  const Sizes n{q4.dim(0), q4.dim(1), k4.dim(1), q4.dim(2), k4.dim(2), q4.dim(3), v4.dim(3)};
  check_shapes(k4.dim(0) == n.batch && v4.dim(0) == n.batch, "the batches differ");
  check_shapes(k4.dim(1) == v4.dim(1), "k has {} heads, v has {}", k4.dim(1), v4.dim(1));
  check_shapes(n.groups > 0 && n.heads % n.groups == 0, "k has {} heads, which does not divide q's {}", n.groups,
               n.heads);
  check_shapes(v4.dim(2) == n.keys, "k has {} positions, v has {}", n.keys, v4.dim(2));
  return n;
}

namespace {

// What is computed with.
Dtype number_of(Dtype stored) { return stored == Dtype::bf16 ? Dtype::f32 : stored; }

// body(T{}) for the dtypes that the engine takes.
template <class Body>
decltype(auto) dispatch_stored(Dtype dtype, const char* who, const Body& body) {
  if (dtype == Dtype::bf16) return body(bf16{});
  return dispatch_floating(dtype, who, body);
}

void check_widths(const Tensor& q, const Tensor& k) {
  check(q.dim(-1) == k.dim(-1), "attend", "q is {} wide, k is {}", q.dim(-1), k.dim(-1));
}

// The tensor with four dimensions, if it broadcasts to (B,H,T,S).
Tensor broadcast(const char* what, const Tensor& x, const Sizes& n) {
  check(x.rank() <= 4, "attend", "the {} has shape {}: wanted at most 4 dimensions", what, x.shape());
  Tensor y = four(x);
  const int64_t full[] = {n.batch, n.heads, n.queries, n.keys};
  for (int dim = 0; dim < 4; ++dim)
    check(y.dim(dim) == 1 || y.dim(dim) == full[dim], "attend", "the {} has shape {}, which does not broadcast to {}",
          what, x.shape(), Shape{n.batch, n.heads, n.queries, n.keys});
  return y;
}

int64_t stride(const Tensor& x, int dim) { return x.dim(dim) == 1 ? 0 : x.strides()[dim]; }

// Returns the tensor that the pipeline now looks at.
Tensor restrict_mask(Pipeline& p, const Tensor& given) {
  check(given.dtype() == Dtype::boolean || given.dtype() == Dtype::u8, "attend",
        "the mask is {}: wanted bool, true where a query may look (an additive one is a bias)", name(given.dtype()));
  Tensor mask = broadcast("mask", given, p.n).detach();
  if (mask.dim(3) != p.n.keys) mask = mask.expand({mask.dim(0), mask.dim(1), mask.dim(2), p.n.keys});
  if (p.n.keys > 1 && mask.strides()[3] != 1) mask = mask.packed().clone();
  p.visible.set_mask(
      {static_cast<const uint8_t*>(std::as_const(mask).raw()), stride(mask, 0), stride(mask, 1), stride(mask, 2)});
  return mask;
}

void add_bias(Pipeline& p, const Tensor& given) {
  check(given.dtype() == p.q.dtype() || given.dtype() == p.number, "attend", "the bias is {}, q is {}",
        name(given.dtype()), name(p.q.dtype()));
  Tensor bias = to(broadcast("bias", given, p.n), p.number);
  if (bias.dim(3) != p.n.keys) bias = bias + Tensor::zeros({p.n.keys}, bias.dtype());
  p.biases.push_back({bias, false});
}

struct Prepared {
  Pipeline pipeline;
  Tensor mask;  // kept alive
};

void check_options(const AttendOptions& o) {
  check(o.dropout >= 0 && o.dropout < 1, "attend", "a dropout of {} is outside of [0, 1)", o.dropout);
  check(std::isfinite(o.soft_cap) && o.soft_cap >= 0, "attend",
        "a soft cap of {}: wanted a positive number, or 0 for none", o.soft_cap);
}

// Some spans are made for the softmax that follows them.
void check_normalizer(const Pipeline& p, const AttendOptions& o) {
  check(!p.row_normalizer || !p.focus.centre.defined(), "attend",
        "the span {} and the normaliser {} do not combine: its weights fall off around a centre after a softmax",
        p.focus.of, room_of(o.normalizer).name());
  check(!p.row_normalizer || !p.relative.keys.defined(), "attend",
        "the position {} and the normaliser {} do not combine: its vectors are added as a row streams by",
        p.relative.keys.defined() ? room_of(o.position)->name() : "", room_of(o.normalizer).name());
  if (p.renormalized.empty()) return;
  check(p.is_softmax(), "attend",
        "the span {} and the normaliser {} do not combine: its weights are those of a softmax", p.renormalized,
        room_of(o.normalizer).name());
  check(o.soft_cap == 0, "attend", "the span {} and a soft cap of {} do not combine: the cap would bend the span",
        p.renormalized, o.soft_cap);
}

Prepared prepare(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options) {
  check_options(options);
  Prepared made;
  Pipeline& p = made.pipeline;
  p.n = sizes_of(q, k, v);
  p.q = p.query = four(q), p.k = four(k), p.v = four(v);
  p.number = number_of(q.dtype());
  p.visible = Visible(p.n.queries, p.n.keys);
  if (options.key_lengths.defined()) lengths(options.key_lengths).room->prepare(p);
  p.lengths = key_lengths(options);
  if (const PositionRoom* position = room_of(options.position)) position->prepare(p);
  room_of(options.scores).prepare(p);
  if (const SpanRoom* span = room_of(options.span)) span->prepare(p);
  if (options.mask.defined()) made.mask = restrict_mask(p, options.mask);
  if (options.bias.defined()) add_bias(p, options.bias);
  room_of(options.normalizer).prepare(p);
  check_widths(p.q, p.k);
  p.n.width = p.q.dim(3);
  check_normalizer(p, options);
  return made;
}

// ---- from tensors to pointers -----------------------------------------------------------------------------

Tensor with_rows(const Tensor& x) {
  const Tensor y = x.detach();
  return y.dim(3) <= 1 || y.strides()[3] == 1 ? y : y.packed();
}
template <class T>
Rows<const T> rows(const Tensor& x) {
  return {std::as_const(x).data<T>(), stride(x, 0), stride(x, 1), stride(x, 2)};
}
template <class T>
Rows<T> mutable_rows(Tensor& x) {
  return {x.data<T>(), stride(x, 0), stride(x, 1), stride(x, 2)};
}
// (H or 1, S+T−1): that of i and j at j − i + T − 1.
template <class T>
Rows<const T> bias_rows(const Bias& bias, const Sizes& n) {
  if (!bias.by_distance) return rows<T>(bias.values);
  const Tensor& x = bias.values;
  return {std::as_const(x).data<T>() + n.queries - 1, 0, x.dim(0) == 1 ? 0 : x.strides()[0], -1};
}

RelativeTerm off_the_tape(const RelativeTerm& r) {
  if (!r.keys.defined()) return {};
  const auto rows = [](const Tensor& x) { return x.dim(-1) <= 1 || x.strides().back() == 1 ? x : x.packed(); };
  return {with_rows(r.queries), rows(r.keys.detach()), r.values.defined() ? rows(r.values.detach()) : Tensor(), r.first,
          r.scale};
}
// (distances, D), or (H, distances, D)
template <class T>
ByDistance<T> table(const Tensor& x, int64_t first) {
  if (!x.defined()) return {};
  const Rows<const T> rows{x.data<T>(), 0, x.rank() == 3 ? x.strides()[0] : 0, x.strides()[x.rank() - 2]};
  return {rows, first, x.dim(-2), x.dim(-1)};
}
template <class T>
Relative<T> relative(const RelativeTerm& r) {
  if (!r.keys.defined()) return {};
  return {rows<T>(r.queries), r.scale, table<T>(r.keys, r.first), table<T>(r.values, r.first)};
}

// All that backward needs, off the tape.
struct Saved {
  Sizes n;
  Tensor q, k, v, mask, out, log_sum_exp, weights;
  double scale, soft_cap;
  std::vector<Bias> biases;
  Visible visible;
  Streaming normalizer;
  Dropout dropout;
  Tensor features;
  Focus focus;
  std::optional<RowNormalizer> row_normalizer;
  Tensor statistics;  // (B,H,T,4) as f64: RowStatistics, of a whole-row normaliser
  RelativeTerm relative;
  bool draws = false;  // the row normaliser does

  const RowStatistics* row_statistics() const {
    return reinterpret_cast<const RowStatistics*>(std::as_const(statistics).data<double>());
  }
  template <class T>
  Problem<T> problem() const {
    using C = Number<T>;
    Problem<T> p{n, rows<T>(q), rows<T>(k), rows<T>(v), scale, {}, soft_cap, normalizer, visible, dropout, {}, {}};
    if constexpr (kEveryForm<T>) p.relative = attention::relative<T>(relative);
    for (const Bias& bias : biases) p.biases.push_back(bias_rows<C>(bias, n));
    if constexpr (kEveryForm<T>)
      if (features.defined()) p.features = {features.data<T>(), 0, stride(features, 0), 0};
    if (focus.centre.defined()) p.centres = {std::as_const(focus.centre).data<C>(), focus.sigma};
    return p;
  }
};

bool has_log_sum_exp(const Saved& saved) { return !saved.row_normalizer && saved.normalizer == Streaming::softmax; }

std::vector<Tensor> inputs_of(const Pipeline& p) {
  std::vector<Tensor> inputs = {p.q, p.k, p.v};
  for (const Bias& bias : p.biases) inputs.push_back(bias.values);
  if (p.features.defined()) inputs.push_back(p.features);
  if (p.focus.centre.defined()) inputs.push_back(p.focus.centre);
  for (const Tensor* x : {&p.relative.queries, &p.relative.keys, &p.relative.values})
    if (x->defined()) inputs.push_back(*x);
  return inputs;
}

// Where a bias's gradient is gathered. What is small has a place for each batch and head, which are summed later; a
// dense one is shared as the bias itself is.
struct BiasGradient {
  Tensor values;
  bool shared = false;
};
BiasGradient bias_gradient(const Bias& bias, const Sizes& n) {
  const Dtype dtype = bias.values.dtype();
  if (bias.by_distance) return {Tensor::zeros({n.batch, n.heads, bias.values.dim(1)}, dtype)};
  if (bias.values.dim(2) == 1) return {Tensor::zeros({n.batch, n.heads, 1, n.keys}, dtype)};
  const bool shared = bias.values.dim(0) < n.batch || bias.values.dim(1) < n.heads;
  return {Tensor::zeros(bias.values.shape(), dtype), shared};
}

// Where the gradients of the relative term are gathered; of a table a copy for each batch and head, which are summed
// later.
struct RelativeGradients {
  Tensor queries, keys, values;

  RelativeGradients(const Saved& saved, int first_input, const Gradients& d) {
    const RelativeTerm& r = saved.relative;
    const auto of_table = [&](const Tensor& x) {
      return Tensor::zeros({saved.n.batch, saved.n.heads, x.dim(-2), x.dim(-1)}, x.dtype());
    };
    if (!r.keys.defined()) return;
    if (d.needs(first_input)) queries = Tensor::zeros(r.queries.shape(), r.queries.dtype());
    if (d.needs(first_input + 1)) keys = of_table(r.keys);
    if (r.values.defined() && d.needs(first_input + 2)) values = of_table(r.values);
  }
  template <class T>
  void hand_to(Outgoing<T>& outgoing) {
    if (queries.defined()) outgoing.drelative_queries = mutable_rows<T>(queries);
    if (keys.defined()) outgoing.drelative_keys = mutable_rows<T>(keys);
    if (values.defined()) outgoing.drelative_values = mutable_rows<T>(values);
  }
  void add(int first_input, Gradients& d) const {
    for (const Tensor* x : {&queries, &keys, &values}) {
      if (x->defined()) d.add(first_input, *x);
      ++first_input;
    }
  }
};

template <class T>
void backward_of(const Saved& saved, const Incoming<T>& in, const Outgoing<Number<T>>& outgoing) {
  if constexpr (kEveryForm<T>)
    if (saved.row_normalizer)
      return backward_rows(saved.problem<T>(), saved.row_normalizer->pieces(T{}), saved.row_statistics(), in, outgoing);
  backward(saved.problem<T>(), in, outgoing);
}

template <class T>
void gradients(const Saved& saved, const Incoming<T>& in, Gradients& d) {
  using C = Number<T>;
  const Dtype stored = saved.q.dtype(), dtype = number_of(stored);
  Tensor dq = Tensor::zeros(saved.q.shape(), dtype), dk = Tensor::zeros(saved.k.shape(), dtype),
         dv = Tensor::zeros(saved.v.shape(), dtype);
  Outgoing<C> outgoing{mutable_rows<C>(dq), mutable_rows<C>(dk), mutable_rows<C>(dv), {}};
  std::vector<BiasGradient> dbiases(saved.biases.size());
  for (size_t i = 0; i < dbiases.size(); ++i) {
    outgoing.dbiases.emplace_back();
    if (!d.needs(3 + static_cast<int>(i))) continue;
    dbiases[i] = bias_gradient(saved.biases[i], saved.n);
    Tensor& x = dbiases[i].values;
    outgoing.shared_biases |= dbiases[i].shared;
    outgoing.dbiases[i] = saved.biases[i].by_distance
                              ? Rows<C>{x.data<C>() + saved.n.queries - 1, x.strides()[0], x.strides()[1], -1}
                              : mutable_rows<C>(x);
  }
  Tensor dfeatures;
  if (saved.features.defined()) {
    dfeatures = Tensor::zeros({kMostChunks * saved.n.batch, saved.n.heads, saved.n.width}, dtype);
    outgoing.dfeatures = {dfeatures.data<C>(), saved.n.heads * saved.n.width, saved.n.width, 0};
  }
  Tensor dcentre;
  if (saved.focus.centre.defined()) {
    dcentre = Tensor::zeros(saved.focus.centre.shape(), dtype);
    outgoing.dcentres = dcentre.data<C>();
  }
  // The inputs that come after q, k and v, in the order of inputs_of.
  const int first_bias = 3, features = first_bias + static_cast<int>(dbiases.size()),
            centre = features + (dfeatures.defined() ? 1 : 0), first_relative = centre + (dcentre.defined() ? 1 : 0);
  RelativeGradients drelative(saved, first_relative, d);
  drelative.hand_to(outgoing);
  backward_of<T>(saved, in, outgoing);
  d.add(0, dq.to(stored)), d.add(1, dk.to(stored)), d.add(2, dv.to(stored));
  for (size_t i = 0; i < dbiases.size(); ++i)
    if (dbiases[i].values.defined()) d.add(first_bias + static_cast<int>(i), dbiases[i].values);
  if (dfeatures.defined()) d.add(features, dfeatures);
  if (dcentre.defined()) d.add(centre, dcentre);
  drelative.add(first_relative, d);
}

// What arrives at out, log_sum_exp and weights; of what was drawn, at out, log_probability, entropy and weights.
template <class T>
void gradients(const Saved& saved, std::span<const Tensor> arrived, Gradients& d) {
  using C = Number<T>;
  if (saved.draws) {
    Saved with = saved;
    with.statistics = with_arrived(saved.statistics, arrived[1], arrived[2]), with.draws = false;
    const Tensor none = Tensor::zeros(arrived[1].shape(), arrived[1].dtype());
    std::vector<Tensor> rest = {arrived[0], none};
    if (saved.weights.defined()) rest.push_back(arrived[3]);
    return gradients<T>(with, std::span<const Tensor>(rest), d);
  }
  const Tensor dout = with_rows(arrived[0]);
  const Tensor dweights = saved.weights.defined() ? arrived[2].packed() : Tensor();
  Tensor row_terms = arrived[1].to(number_of(saved.q.dtype())).packed();
  if (dweights.defined()) row_terms = row_terms - sum(saved.weights * dweights, -1);
  Incoming<T> in{rows<T>(saved.out), rows<T>(dout), nullptr, std::as_const(row_terms).data<C>(), {}};
  if (has_log_sum_exp(saved)) in.log_sum_exp = saved.log_sum_exp.data<C>();
  if (dweights.defined()) in.dweights = rows<C>(dweights);
  gradients<T>(saved, in, d);
}

Chosen chosen(const AttendOptions::Part& part, const Sizes& n) {
  const auto all = [](std::vector<int64_t> some, int64_t count, const char* what) {
    for (const int64_t x : some)
      check(x >= 0 && x < count, "attend", "weights_of asks for {} {} of {}", what, x, count);
    if (!some.empty()) return some;
    some.resize(static_cast<size_t>(count));
    std::iota(some.begin(), some.end(), 0);
    return some;
  };
  return {all(part.heads, n.heads, "head"), all(part.queries, n.queries, "query")};
}

template <class T>
Tensor weights_of(const Saved& saved, const Chosen& which) {
  Tensor w({saved.n.batch, static_cast<int64_t>(which.heads.size()), static_cast<int64_t>(which.queries.size()),
            saved.n.keys},
           saved.q.dtype());
  if (saved.row_normalizer)
    weights_of_rows(saved.problem<T>(), saved.row_normalizer->pieces(T{}), saved.row_statistics(), which, w.data<T>());
  else
    weights(saved.problem<T>(), has_log_sum_exp(saved) ? std::as_const(saved.log_sum_exp).data<T>() : nullptr, which,
            w.data<T>());
  return w;
}

template <class T>
void forward_of(Saved& saved) {
  const Rows<T> out = mutable_rows<T>(saved.out);
  if (!saved.row_normalizer) return forward(saved.problem<T>(), {out, saved.log_sum_exp.data<Number<T>>()});
  if constexpr (kEveryForm<T>) {
    saved.statistics = Tensor({saved.n.batch, saved.n.heads, saved.n.queries, 4}, Dtype::f64);
    static_assert(sizeof(RowStatistics) == 4 * sizeof(double));
    forward_rows(saved.problem<T>(), saved.row_normalizer->pieces(T{}), out,
                 reinterpret_cast<RowStatistics*>(saved.statistics.data<double>()));
  }
}

Dropout dropout_of(const AttendOptions& options, const Sizes& n) {
  if (options.dropout == 0) return {};
  const int64_t calls = n.rows() * kernels::dropout_positions(n.keys);
  const Random here = (options.random ? *options.random : random()).take(static_cast<uint64_t>(calls));
  return {options.dropout, {here.seed, here.stream, here.position}};
}

Random draws_from(const AttendOptions& options, const Sizes& n) {
  return (options.random ? *options.random : random()).take(static_cast<uint64_t>(n.batch * n.heads * n.queries));
}

// The forward pass, and what backward will want of it.
template <class T>
Saved computed(const Prepared& made, const AttendOptions& options) {
  const Pipeline& p = made.pipeline;
  const Sizes& n = p.n;
  Saved saved{n,
              with_rows(p.q),
              with_rows(p.k),
              with_rows(p.v),
              made.mask,
              Tensor({n.batch, n.heads, n.queries, n.value_width}, p.q.dtype()),
              Tensor({n.batch, n.heads, n.queries}, p.number),
              {},
              p.scale,
              options.soft_cap,
              {},
              p.visible,
              p.normalizer,
              dropout_of(options, n),
              p.features.defined() ? p.features.detach().packed() : Tensor(),
              p.focus,
              p.row_normalizer,
              {},
              off_the_tape(p.relative)};
  if (p.focus.centre.defined()) saved.focus.centre = p.focus.centre.packed().detach();
  if (p.draws) saved.row_normalizer = p.draws(draws_from(options, n)), saved.draws = true;
  for (const Bias& bias : p.biases)
    saved.biases.push_back(
        {bias.by_distance ? bias.values.packed().detach() : with_rows(bias.values), bias.by_distance});
  forward_of<T>(saved);
  return saved;
}

template <class T>
Attended run(const Prepared& made, const AttendOptions& options) {
  const Pipeline& p = made.pipeline;
  Saved saved = computed<T>(made, options);
  const bool all = options.weights_of.heads.empty() && options.weights_of.queries.empty();
  Tensor part;
  if constexpr (kEveryForm<T>)
    if (options.return_weights) (all ? saved.weights : part) = weights_of<T>(saved, chosen(options.weights_of, p.n));
  if (!has_log_sum_exp(saved)) saved.log_sum_exp = Tensor::zeros(saved.log_sum_exp.shape(), p.number);
  std::vector<Tensor> outputs = {saved.out, saved.log_sum_exp};
  const Draws draws = saved.draws ? draws_of(saved.statistics, p.number) : Draws();
  if (saved.draws) outputs = {saved.out, draws.log_probability, draws.entropy};
  if (saved.weights.defined()) outputs.push_back(saved.weights);
  saved.out = saved.out.detach(), saved.log_sum_exp = saved.log_sum_exp.detach();
  if (saved.weights.defined()) saved.weights = saved.weights.detach();
  const std::vector<Tensor> inputs = inputs_of(p);
  outputs = record_all("attend", outputs, inputs,
                       [saved](std::span<const Tensor> arrived, Gradients& d) { gradients<T>(saved, arrived, d); });
  Attended y{outputs[0], saved.weights.defined() ? outputs.back() : part,
             has_log_sum_exp(saved) ? outputs[1] : Tensor()};
  if (saved.draws) y.drawn = draws.keys, y.log_probability = outputs[1], y.entropy = outputs[2];
  room_of(options.normalizer).finish(y, options.weights_of);
  return y;
}

// ---- guided attention -------------------------------------------------------------------------------------

// Where the alignment lies, as (B,H,T,S) by strides.
Tensor alignment_for(const Tensor& given, const Sizes& n, Dtype dtype) {
  check(given.dtype() == dtype, "guided_loss", "the alignment is {}, q is {}", name(given.dtype()), name(dtype));
  const Tensor x = broadcast("alignment", given, n).detach();
  check(x.dim(3) == n.keys, "guided_loss", "the alignment has shape {}, wanted {} keys in its rows", given.shape(),
        n.keys);
  return n.keys > 1 && x.strides()[3] != 1 ? x.packed() : x;
}

template <class T>
Tensor guided_run(const Prepared& made, const AttendOptions& options, const Tensor& alignment, GuideKind kind) {
  const Saved saved = computed<T>(made, options);
  const Shape shape = saved.log_sum_exp.shape();
  Tensor losses(shape, saved.q.dtype()), terms(shape, saved.q.dtype());
  Guide<T> guide{rows<T>(alignment), kind};
  guided(saved.problem<T>(), std::as_const(saved.log_sum_exp).template data<T>(), guide, losses.data<T>(),
         terms.data<T>());
  const Tensor given = greater(abs(sum(alignment, -1)), 0).expand(shape);  // rows of zeros do not count
  const Tensor counts = given.to(saved.q.dtype());
  const double count = std::max(1.0, sum(counts).item());
  const Tensor loss = sum(losses * counts) / count;
  const std::vector<Tensor> inputs = inputs_of(made.pipeline);
  return record("guided_loss", loss, std::span<const Tensor>(inputs), [=](const Tensor& dy, Gradients& d) {
    const Tensor factors = counts * (dy.item() / count), row_terms = terms * factors;
    Incoming<T> in{rows<T>(saved.out),
                   rows<T>(saved.out),
                   saved.log_sum_exp.data<T>(),
                   std::as_const(row_terms).template data<T>(),
                   {}};
    in.guide = guide;
    in.guide.factors = factors.data<T>();
    gradients<T>(saved, in, d);
  });
}

// ---- bf16 ------------------------------------------------------------------------------------------------------

// Why a call on bf16 is computed in f32; empty: its products are those of bf16.
std::string why_f32(const AttendOptions& o) {
  if (!kernels::multiplies_pairs()) return "this processor, with the instruction set in use, does not multiply bf16";
  if (o.return_weights) return "weights are asked for";
  if (room_of(o.scores).computes_with_tensors()) return fmt::format("the scores are {}", room_of(o.scores).name());
  if (const auto* position = room_of(o.position); position && position->computes_with_tensors())
    return fmt::format("the position is {}", position->name());
  if (const auto* span = room_of(o.span); span && span->computes_with_tensors())
    return fmt::format("the span is {}", span->name());
  if (room_of(o.normalizer).computes_with_tensors())
    return fmt::format("the normaliser is {}", room_of(o.normalizer).name());
  return {};
}
bool by_way_of_f32(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options) {
  const bool all = q.dtype() == Dtype::bf16 && k.dtype() == Dtype::bf16 && v.dtype() == Dtype::bf16;
  return all && !why_f32(options).empty();
}
AttendOptions with_f32(const AttendOptions& options) {
  AttendOptions changed = options;
  if (options.bias.defined() && options.bias.dtype() == Dtype::bf16) changed.bias = to(options.bias, Dtype::f32);
  return changed;
}

Tensor fewer(const Tensor& x, int rank) {
  Tensor y = x;
  while (y.defined() && y.rank() > rank) y = squeeze(y, 0);
  return y;
}

}  // namespace
}  // namespace attention

Attended attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options) {
  if (Watcher* watcher = options.watch.watcher) {
    AttendOptions alone = options;
    alone.watch = {};
    return watcher->attend(options.watch.place, q, k, v, alone);
  }
  if (attention::by_way_of_f32(q, k, v, options)) {
    Attended y = attend(to(q, Dtype::f32), to(k, Dtype::f32), to(v, Dtype::f32), attention::with_f32(options));
    y.out = to(y.out, Dtype::bf16);
    return y;
  }
  const attention::Prepared made = attention::prepare(q, k, v, options);
  const Attended y = attention::dispatch_stored(
      q.dtype(), "attend", [&](auto zero) { return attention::run<decltype(zero)>(made, options); });
  const auto of_rows = [&](const Tensor& x) { return attention::fewer(x, q.rank() - 1); };
  return {attention::fewer(y.out, q.rank()),
          attention::fewer(y.weights, q.rank()),
          of_rows(y.log_sum_exp),
          of_rows(y.drawn),
          of_rows(y.log_probability),
          of_rows(y.entropy)};
}

// The weighted sum is of values without width: only the row statistics are computed.
Tensor guided_loss(const Tensor& q, const Tensor& k, const Tensor& alignment, const AttendOptions& options,
                   Guide guide) {
  check(k.rank() >= 2, "guided_loss", "k has shape {}, wanted 2 to 4 dimensions", k.shape());
  if (q.dtype() == Dtype::bf16 && k.dtype() == Dtype::bf16)
    return guided_loss(to(q, Dtype::f32), to(k, Dtype::f32), alignment.to(Dtype::f32), attention::with_f32(options),
                       guide);
  Shape none = k.shape();
  none[k.rank() - 1] = 0;
  AttendOptions without = options;
  without.dropout = 0;  // a loss of the weights before dropout
  const attention::Prepared made = attention::prepare(q, k, Tensor::zeros(none, k.dtype()), without);
  check(made.pipeline.is_softmax(), "guided_loss", "the normaliser {} with a guided loss: wanted softmax",
        attention::room_of(options.normalizer).name());
  check(!made.pipeline.focus.centre.defined(), "guided_loss",
        "the span {} and a guided loss do not combine: its weights are no softmax's", made.pipeline.focus.of);
  const Tensor aligned = attention::alignment_for(alignment, made.pipeline.n, q.dtype());
  const auto kind =
      guide == Guide::cross_entropy ? attention::GuideKind::cross_entropy : attention::GuideKind::squared_error;
  return dispatch_floating(q.dtype(), "guided_loss", [&](auto zero) {
    return attention::guided_run<decltype(zero)>(made, without, aligned, kind);
  });
}

namespace attention {
namespace {

// Bytes from the first element of x to its last.
double span_of(const Tensor& x) {
  int64_t last = 0;
  for (int dim = 0; dim < x.rank(); ++dim) last += (x.dim(dim) - 1) * std::abs(x.strides()[dim]);
  return x.numel() == 0 ? 0 : static_cast<double>((last + 1) * static_cast<int64_t>(size_of(x.dtype())));
}

// What a forward pass takes for tensors: what the slots prepared, out, what is kept of each row, weights.
double tensor_bytes(const Pipeline& p, const AttendOptions& options, const std::vector<Tensor>& given) {
  const Sizes& n = p.n;
  const double rows = static_cast<double>(n.batch * n.heads * n.queries), number = size_of(p.number);
  double bytes = rows * (static_cast<double>(n.value_width) * static_cast<double>(size_of(p.q.dtype())) + number);
  if (p.row_normalizer) bytes += rows * sizeof(RowStatistics);
  if (options.return_weights) {
    const Chosen which = chosen(options.weights_of, n);
    bytes += static_cast<double>(n.batch * std::ssize(which.heads) * std::ssize(which.queries) * n.keys) * number;
  }
  for (const Tensor& x : inputs_of(p)) {
    const bool is_given = std::any_of(given.begin(), given.end(), [&](const Tensor& y) {
      return y.defined() && std::as_const(x).raw() == std::as_const(y).raw();
    });
    if (!is_given) bytes += span_of(x);
  }
  return bytes;
}

// Keys and values in the order in which the engine reads them, beside the tensors: of a group, in each thread that has
// one. Few queries read them as they are.
double packed_bytes(const Pipeline& p) {
  const Sizes& n = p.n;
  if (!p.row_normalizer && n.queries <= kFewQueries && p.q.dtype() != Dtype::bf16) return 0;
  const int64_t keys = (n.keys + kPanel - 1) / kPanel * kPanel,
                width = n.width + (p.row_normalizer ? 0 : n.value_width);
  const bool each = worth_threads(n) && n.batch * n.groups >= 4 * threads();
  return static_cast<double>(keys * width * static_cast<int64_t>(size_of(p.q.dtype())) * (each ? threads() : 1));
}

}  // namespace
}  // namespace attention

// The same preparation and the same questions as for attend itself, without the arithmetic.
std::string describe(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options) {
  NoGrad off;
  if (attention::by_way_of_f32(q, k, v, options))
    return "bf16 by way of f32, since " + attention::why_f32(options) + ": " +
           describe(q.to(Dtype::f32), k.to(Dtype::f32), v.to(Dtype::f32), attention::with_f32(options));
  const attention::Prepared made = attention::prepare(q, k, v, options);
  const attention::Pipeline& p = made.pipeline;
  const attention::Sizes& n = p.n;
  const char* path = p.row_normalizer ? "the row-block engine, a block of queries against all keys"
                     : n.queries <= attention::kFewQueries
                         ? "the streaming engine for few queries, keys read as they are"
                         : "the streaming engine, tiles of scores in the first caches";
  const double share = attention::computed_share(p.visible, n.batch, n.heads);
  return fmt::format(
      "{} in {}: {:.1f} % of {} x {} scores are computed, for {} heads; {:.3g} MB of tensors and {:.3g} MB of packed "
      "keys and values, no array of {} x {}{}",
      path, name(q.dtype()), 100 * share, n.queries, n.keys, n.batch * n.heads,
      attention::tensor_bytes(p, options, {q, k, v, options.bias}) / 1e6, attention::packed_bytes(p) / 1e6, n.queries,
      n.keys, options.return_weights ? " but the weights that were asked for" : "");
}

}  // namespace heed
