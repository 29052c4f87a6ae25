#include "cli/attend.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <heed/attention.h>
#include <heed/autograd.h>

#include <memory>

#include "attention/mechanisms.h"
#include "attention/slots.h"
#include "base/check.h"
#include "cli/verbs.h"
#include "tensor/unicode.h"

namespace heed::cli {
namespace {

using attention::LearnedTensors;
using attention::Mechanism;
using attention::Sizes;

// The tensors of a file that a call has a use for, in the dtype of the call.
class Given {
 public:
  Given(const TensorFile& file, std::optional<Dtype> dtype) {
    for (const auto& [name, tensor] : file.tensors)
      tensors_[name] = (dtype && is_floating(tensor.dtype()) ? tensor.to(*dtype) : tensor).detach();
  }
  const Tensor& wanted(const std::string& name, const std::string& by) {
    if (!tensors_.contains(name))
      fail(ErrorKind::usage, "attend", "{} wants a tensor '{}', which the file lacks; it holds {}", by, name, held());
    return take(name);
  }
  Tensor optional(const std::string& name) { return tensors_.contains(name) ? take(name) : Tensor(); }
  void check_all_used(const std::string& taken) const {
    for (const auto& [name, tensor] : tensors_)
      check(used_.contains(name), "attend", "nothing takes the file's tensor '{}'; taken are {}", printable(name),
            taken);
  }

 private:
  std::string held() const {
    std::vector<std::string> names;
    for (const auto& each : tensors_) names.push_back(printable(each.first));
    return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
  }
  const Tensor& take(const std::string& name) { return *(used_[name] = &tensors_.at(name)); }
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, const Tensor*> used_;
};

// ---- which mechanism -------------------------------------------------------------------------------------

// The row of the mechanism, and those of which a slot is borrowed.
struct Rows {
  const Mechanism& base;
  const Mechanism *position = nullptr, *normalizer = nullptr;
  std::vector<const Mechanism*> all() const {
    std::vector<const Mechanism*> rows = {&base};
    for (const Mechanism* row : {position, normalizer})
      if (row) rows.push_back(row);
    return rows;
  }
};

bool is_default_normalizer(const std::string& name) { return name == attention::room_of(Normalizer{}).name(); }

Rows rows_of(const AttendCall& call) {
  Rows rows{attention::mechanism(call.mechanism)};
  if (!call.position.empty()) rows.position = &attention::mechanism(call.position);
  if (!call.normalizer.empty() && !is_default_normalizer(call.normalizer))
    rows.normalizer = &attention::mechanism(call.normalizer);
  return rows;
}

LearnedTensors learned_of(const Rows& rows, Given& given, Dtype dtype) {
  LearnedTensors learned;
  for (const Mechanism* row : rows.all())
    for (const attention::Learned& each : row->learned) {
      const Tensor& x = learned[each.name] = given.wanted(each.name, row->name);
      check(x.dtype() == dtype, "attend", "the file's tensor '{}', which {} learns, is {}, q is {}", each.name,
            row->name, name(x.dtype()), name(dtype));
    }
  return learned;
}

// What the row makes of those of the tensors that it learns.
AttendOptions options_of(const Mechanism& row, const LearnedTensors& learned, const Sizes& n) {
  LearnedTensors its;
  for (const attention::Learned& each : row.learned) its[each.name] = learned.at(each.name);
  return row.options(its, n);
}

Position borrowed_position(const Mechanism& row, const LearnedTensors& learned, const Sizes& n) {
  Position position = options_of(row, learned, n).position;
  check(position.room != nullptr, "attend", "--position {}: {} is a mechanism, but no position", row.name, row.name);
  return position;
}

Normalizer borrowed_normalizer(const Mechanism& row, const LearnedTensors& learned, const Sizes& n) {
  Normalizer normalizer = options_of(row, learned, n).normalizer;
  check(normalizer.room != nullptr, "attend", "--normalizer {}: {} is a mechanism, but no normaliser", row.name,
        row.name);
  return normalizer;
}

// A scale belongs to scores that have one and have not learned it.
Scores scaled(const Mechanism& row, const Scores& own, double scale) {
  const bool fits = row.learned.empty() && attention::room_of(own).name() == attention::room_of(Scores{}).name();
  check(fits, "attend", "--scale does not go with {}, whose scores are {}", row.name, attention::room_of(own).name());
  return scaled_dot(scale);
}

AttendOptions options_of(const AttendCall& call, const Rows& rows, const LearnedTensors& learned, const Sizes& n) {
  AttendOptions options = options_of(rows.base, learned, n);
  if (call.scale) options.scores = scaled(rows.base, options.scores, *call.scale);
  if (rows.position) options.position = borrowed_position(*rows.position, learned, n);
  if (rows.normalizer) options.normalizer = borrowed_normalizer(*rows.normalizer, learned, n);
  if (is_default_normalizer(call.normalizer)) options.normalizer = softmax();
  if (call.causal) options.span = options.span & causal();
  if (call.window) options.span = options.span & window(call.window->at(0), call.window->at(1));
  options.dropout = static_cast<float>(call.dropout);
  if (call.soft_cap != 0) options.soft_cap = call.soft_cap;
  options.return_weights = call.weights;
  return options;
}

// ---- gradients -------------------------------------------------------------------------------------------

using Named = std::vector<std::pair<std::string, Tensor>>;

// sum(dout·out) + loss, of which either may be absent.
Tensor to_differentiate(const Tensor& out, const Tensor& dout, const Tensor& loss) {
  if (!dout.defined()) return loss;
  check(dout.shape() == out.shape() && dout.dtype() == out.dtype(), "attend",
        "dout is {} of shape {}, out is {} of shape {}", name(dout.dtype()), dout.shape().text(), name(out.dtype()),
        out.shape().text());
  const Dtype number = out.dtype() == Dtype::bf16 ? Dtype::f32 : out.dtype();
  const Tensor through_out = sum(to(dout, number) * to(out, number));
  return loss.defined() ? through_out + to(loss, number) : through_out;
}

void add_gradients(TensorFile& out, const Tensor& of, const Named& inputs) {
  std::vector<Tensor> tensors;
  for (const auto& [name, tensor] : inputs) tensors.push_back(tensor);
  const std::vector<Tensor> found = gradients(of, tensors);
  for (size_t i = 0; i < inputs.size(); ++i) out.tensors.emplace_back(inputs[i].first, found[i]);
}

// What there is a number of for each row.
void add_rows(TensorFile& out, const Attended& got) {
  const std::pair<const char*, const Tensor&> rows[] = {{"log_sum_exp", got.log_sum_exp},
                                                        {"drawn", got.drawn},
                                                        {"log_probability", got.log_probability},
                                                        {"entropy", got.entropy}};
  for (const auto& [name, tensor] : rows)
    if (tensor.defined()) out.tensors.emplace_back(name, tensor);
}

std::string taken_by(const Rows& rows) {
  std::vector<std::string> names = {"q", "k", "v"};
  for (const Mechanism* row : rows.all())
    for (const attention::Learned& each : row->learned) names.emplace_back(each.name);
  for (const char* name : {"mask", "bias", "key_lengths", "dout", "alignment"}) names.emplace_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

TensorFile attend_file(const TensorFile& in, const AttendCall& call) {
  const Rows rows = rows_of(call);
  Given given(in, call.dtype);
  Tensor q = given.wanted("q", "attend"), k = given.wanted("k", "attend"), v = given.wanted("v", "attend");
  LearnedTensors learned = learned_of(rows, given, q.dtype());
  Tensor bias = given.optional("bias");
  const Tensor mask = given.optional("mask"), lengths = given.optional("key_lengths"), dout = given.optional("dout");
  const Tensor alignment = given.optional("alignment");
  given.check_all_used(taken_by(rows));
  check(alignment.defined() || !call.guide, "attend", "--guide wants a tensor 'alignment', which the file lacks");
  Named inputs = {{"dq", q}, {"dk", k}};
  if (dout.defined()) inputs.emplace_back("dv", v);
  for (const auto& [name, tensor] : learned) inputs.emplace_back("d_" + name, tensor);
  if (bias.defined()) inputs.emplace_back("dbias", bias);
  if (dout.defined() || alignment.defined())
    for (auto& [name, tensor] : inputs) tensor.requires_grad(true);
  AttendOptions options = options_of(call, rows, learned, attention::sizes_of(q, k, v));
  Random random{call.seed, 0, 0};
  options.mask = mask, options.bias = bias, options.key_lengths = lengths, options.random = &random;
  const Attended got = attend(q, k, v, options);
  TensorFile out{.tensors = {{"out", got.out}}};
  if (call.weights) out.tensors.emplace_back("weights", got.weights);
  if (call.weights) add_rows(out, got);
  Tensor loss;
  if (alignment.defined()) {
    loss = guided_loss(q, k, alignment, options, call.guide.value_or(Guide::cross_entropy));
    out.tensors.emplace_back("guided_loss", loss);
  }
  if (dout.defined() || loss.defined()) add_gradients(out, to_differentiate(got.out, dout, loss), inputs);
  return out;
}

void add_flags(CLI::App& verb, AttendCall& call) {
  const std::map<std::string, Dtype> dtypes = {{"f32", Dtype::f32}, {"f64", Dtype::f64}, {"bf16", Dtype::bf16}};
  const std::map<std::string, Guide> guides = {{"cross-entropy", Guide::cross_entropy},
                                               {"squared-error", Guide::squared_error}};
  verb.add_option("NAME", call.mechanism, "one of heed mechanisms")->required();
  verb.add_flag("--weights", call.weights, "write weights, log_sum_exp and what was drawn too");
  verb.add_flag("--causal", call.causal, "nobody looks into the future");
  verb.add_option("--window", call.window, "LEFT,RIGHT: so many keys on either side")->delimiter(',')->expected(2);
  verb.add_option("--scale", call.scale, "in place of 1/sqrt(D)");
  verb.add_option("--normalizer", call.normalizer, "softmax, or that of another mechanism");
  verb.add_option("--position", call.position, "that of another mechanism");
  verb.add_option("--dropout", call.dropout, "share of the weights that is dropped");
  verb.add_option("--seed", call.seed, "of dropout and of what sampled draws");
  verb.add_option("--softcap", call.soft_cap, "c: scores become c tanh(s/c)");
  verb.add_option("--guide", call.guide, "cross-entropy (the default) or squared-error, between weights and alignment")
      ->transform(CLI::Transformer(guides))
      ->option_text("cross-entropy|squared-error");
  verb.add_option("--dtype", call.dtype, "f32, f64 or bf16; else as the file has it")
      ->transform(CLI::Transformer(dtypes))
      ->option_text("f32|f64|bf16");
}

void add_attend(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("attend", "a mechanism on the tensors q, k, v of a file, with gradients");
  struct Options {
    AttendCall call;
    std::string in, out;
  };
  const auto o = std::make_shared<Options>();
  add_flags(*verb, o->call);
  verb->add_option("FILE", o->in,
                   "safetensors: q, k, v, what the mechanism learns; also mask, bias, key_lengths; dout: gradients of "
                   "sum(dout out) too; alignment (B,H,T,S): guided_loss and its gradients too")
      ->required();
  verb->add_option("-o,--out", o->out, "the safetensors file to write")->required();
  verb->callback([o] { save_safetensors(o->out, attend_file(load_safetensors(o->in), o->call)); });
}

}  // namespace heed::cli
