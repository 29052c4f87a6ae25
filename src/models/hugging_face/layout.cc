#include "models/hugging_face/layout.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/check.h"
#include "models/field_values.h"
#include "models/hugging_face/hugging_face.h"
#include "nn/uninitialized.h"
#include "tensor/shape_format.h"

namespace heed::hugging_face {

Entry same(const char* ours, const char* theirs, Json missing) {
  return {Entry::Kind::same, ours, theirs, std::move(missing)};
}
Entry choice(const char* ours, const char* theirs, std::vector<Entry::Names> names, Json missing) {
  return {Entry::Kind::choice, ours, theirs, std::move(missing), std::move(names)};
}
Entry ours(const char* field, Json value) { return {Entry::Kind::ours, field, "", std::move(value)}; }
Entry theirs(const char* entry, Json value) { return {Entry::Kind::theirs, "", entry, std::move(value)}; }
Entry unasked(const char* field, Json value) { return {Entry::Kind::unasked, field, "", std::move(value)}; }

std::vector<Held> layer(const std::vector<std::string>& ours, const std::string& theirs, Held::As weight) {
  std::vector<Held> both = {{{}, theirs + ".weight", weight}, {{}, theirs + ".bias"}};
  for (const std::string& name : ours) both[0].ours.push_back(name + ".weight"), both[1].ours.push_back(name + ".bias");
  return both;
}
std::vector<Held> operator+(std::vector<Held> a, const std::vector<Held>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

namespace {

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {gpt2(), llama(), marian()};
  return all;
}

// ---- entries ------------------------------------------------------------------------------------------------------

Json::json_pointer path(const Entry& entry) { return Json::json_pointer("/" + entry.theirs); }

// What a field or entry is said to be, and what it would have to be.
struct Misfit {
  std::string name;
  Json is, wanted;
};
std::string text(const std::vector<Misfit>& misfits) {
  std::vector<std::string> texts;
  for (const Misfit& m : misfits)
    texts.push_back(fmt::format("{} is {}, wanted {}", m.name, value_text(m.is), value_text(m.wanted)));
  return fmt::format("{}", fmt::join(texts, "; "));
}

// Ours of theirs: the value of a choice that is named so; the first of names for the other way round.
Json named(const Entry& entry, const char* Entry::Names::*from, const char* Entry::Names::*to, const Json& value,
           const std::string& name) {
  std::vector<std::string> all;
  for (const Entry::Names& names : entry.names) {
    if (value == names.*from) return names.*to;
    all.emplace_back(names.*from);
  }
  fail(ErrorKind::data, name, "got {}, wanted {}", value_text(value), fmt::join(all, ", "));
}

Json said(const Json& config, const Entry& entry) {
  const Json& value = config.contains(path(entry)) ? config.at(path(entry)) : entry.value;
  check_format(!value.is_null(), "config.json", "{} is missing", entry.theirs);
  return value;
}

// How wide heads are that share the width.
int64_t share_of_head(const Fields& fields) {
  return fields.at("width").get<int64_t>() / std::max<int64_t>(1, fields.at("heads").get<int64_t>());
}

Fields fields_of(const Layout& layout, Json config) {
  layout.complete(config);
  Fields fields;
  std::vector<Misfit> misfits;
  const auto set = [&](const Entry& entry, const Json& value) {
    const auto [at, is_new] = fields.emplace(entry.ours, value);
    if (!is_new && at->second != value) misfits.push_back({entry.theirs, value, at->second});
  };
  for (const Entry& entry : layout.entries) switch (entry.kind) {
      case Entry::Kind::same: set(entry, said(config, entry)); break;
      case Entry::Kind::choice:
        set(entry, named(entry, &Entry::Names::theirs, &Entry::Names::ours, said(config, entry), entry.theirs));
        break;
      case Entry::Kind::theirs:
        if (said(config, entry) != entry.value) misfits.push_back({entry.theirs, said(config, entry), entry.value});
        break;
      case Entry::Kind::ours:
      case Entry::Kind::unasked: set(entry, entry.value);
    }
  if (!misfits.empty()) fail(ErrorKind::data, "config.json", "heed's {} cannot: {}", layout.model, text(misfits));
  return fields;
}

// With every default that hangs on other fields said.
Fields fields_of(const AnyModel& model) {
  Fields fields;
  for (const auto& [name, value] : model.configuration()) fields[name] = field_value(value);
  const auto otherwise = [&](const char* name, const Json& value) {
    if (fields.contains(name) && fields[name] == 0) fields[name] = value;
  };
  otherwise("groups", fields["heads"]), otherwise("inner", 4 * fields["width"].get<int64_t>());
  otherwise("decoder_layers", fields["layers"]), otherwise("head_width", share_of_head(fields));
  return fields;
}

// What speaks against writing these fields so.
std::vector<Misfit> misfits_of(const Layout& layout, const Fields& fields) {
  std::vector<Misfit> misfits;
  std::map<std::string, const Entry*> said;
  for (const Entry& entry : layout.entries) {
    const Json is = entry.ours.empty() ? Json() : fields.at(entry.ours);
    if (entry.kind == Entry::Kind::ours && is != entry.value) misfits.push_back({entry.ours, is, entry.value});
    if (entry.kind == Entry::Kind::same) {
      const auto [at, is_new] = said.emplace(entry.theirs, &entry);
      if (const Json& before = fields.at(at->second->ours); !is_new && before != is)
        misfits.push_back({entry.ours, is, before});
    }
    const auto of_ours = [&](const Entry::Names& names) { return is == names.ours; };
    if (entry.kind == Entry::Kind::choice && std::none_of(entry.names.begin(), entry.names.end(), of_ours))
      misfits.push_back({entry.ours, is, entry.names[0].ours});
  }
  const auto says_width = [](const Entry& entry) { return entry.ours == "head_width"; };
  if (std::none_of(layout.entries.begin(), layout.entries.end(), says_width))
    if (const Json& is = fields.at("head_width"), share = share_of_head(fields); is != share)
      misfits.push_back({"head_width", is, share});
  return misfits;
}

std::vector<const Layout*> layouts_of(const AnyModel& model) {
  std::vector<const Layout*> found;
  for (const Layout& layout : layouts())
    if (layout.model == model.name()) found.push_back(&layout);
  check(!found.empty(), model.name(), "Hugging Face has no layout for this model");
  return found;
}

const Layout& fitting(const std::vector<const Layout*>& layouts, const Fields& fields) {
  std::vector<std::string> reasons;
  for (const Layout* layout : layouts) {
    const std::vector<Misfit> misfits = misfits_of(*layout, fields);
    if (misfits.empty()) return *layout;
    reasons.push_back(fmt::format("for {} {}", layout->architecture, text(misfits)));
  }
  fail(ErrorKind::usage, layouts[0]->model, "it does not fit: {}", fmt::join(reasons, "; "));
}

const Layout& layout_of(const std::string& where, const Json& config) {
  const std::string type = value_text(config.value("model_type", Json("nothing")));
  std::vector<std::string> all;
  for (const Layout& layout : layouts()) {
    if (layout.model_type == type) return layout;
    all.emplace_back(layout.model_type);
  }
  fail(ErrorKind::data, where, "is of the type {}, wanted {}", type, fmt::join(all, ", "));
}

// A field as theirs has it; what is a real number there is written as one.
Json theirs_of(const Entry& entry, const Json& field) {
  if (entry.kind == Entry::Kind::choice)
    return named(entry, &Entry::Names::ours, &Entry::Names::theirs, field, entry.ours);
  return entry.value.is_number_float() ? Json(field.get<double>()) : field;
}

// What it was read from stays wherever it still says the same.
Json config_of(const Layout& layout, const Fields& fields, const Json& before) {
  const bool again = before.is_object() && before.value("model_type", "") == layout.model_type;
  Json config = again ? before : Json::object();
  const Fields was = again ? fields_of(layout, before) : Fields();
  config["model_type"] = layout.model_type, config["architectures"] = {layout.architecture};
  if (!again) config["dtype"] = "float32";
  for (const Entry& entry : layout.entries) {
    if (entry.theirs.empty() || (again && entry.ours.empty())) continue;
    if (again && was.at(entry.ours) == fields.at(entry.ours)) continue;
    config[path(entry)] = entry.ours.empty() ? entry.value : theirs_of(entry, fields.at(entry.ours));
  }
  layout.restore(config);
  return config;
}

// ---- tensors ------------------------------------------------------------------------------------------------------

std::string numbered(std::string name, int64_t layer) {
  const size_t star = name.find('*');
  return star == std::string::npos ? name : name.replace(star, 1, std::to_string(layer));
}

using Weights = std::map<std::string, Tensor>;
Weights weights_of(SequenceModel& model) {
  Weights weights;
  for (const auto& [name, tensor] : model.weights()) weights[name] = tensor;
  return weights;
}

// Calls each(name of theirs, weights of ours, as) for all that the model has; these must be all of it.
using Each = std::function<void(const std::string&, const std::vector<Tensor>&, Held::As)>;
void for_each_tensor(const Layout& layout, SequenceModel& model, const Each& each) {
  Weights weights = weights_of(model);
  for (const Held& held : layout.tensors(fields_of(model)))
    for (int64_t n = 0; weights.contains(numbered(held.ours[0], n)); ++n) {
      std::vector<Tensor> ours;
      for (const std::string& name : held.ours) {
        ours.push_back(weights.at(numbered(name, n)));
        weights.erase(numbered(name, n));
      }
      each(numbered(held.theirs, n), ours, held.as);
    }
  check(weights.empty(), layout.architecture, "it has no room for the weight {}",
        weights.empty() ? "" : weights.begin()->first);
}

Tensor laid(const Tensor& rows, Held::As as) {
  switch (as) {
    case Held::As::rows: return rows;
    case Held::As::columns: return transpose(rows, 0, 1).clone();
    case Held::As::one_row: return unsqueeze(rows, 0);
  }
  return rows;
}
Tensor rows_of(const Tensor& tensor, Held::As as) {
  if (as == Held::As::rows || tensor.rank() != 2) return tensor;
  return as == Held::As::columns ? transpose(tensor, 0, 1) : tensor[0];
}

void fill(const std::string& where, const std::string& name, const Tensor& rows, const std::vector<Tensor>& ours) {
  const Shape wanted = concat(ours, 0).shape();
  check_format(rows.shape() == wanted, where, "tensor {} holds rows {}, the configuration wants {}", name, rows.shape(),
               wanted);
  int64_t begin = 0;
  for (Tensor tensor : ours) {
    tensor.copy_from(rows.slice(0, begin, begin + tensor.dim(0)).to(Dtype::f32));
    begin += tensor.dim(0);
  }
}

// Tensors by name, each to be taken once. Files of the model without its last layer leave out the first part of names.
class Taking {
 public:
  Taking(std::string where, const TensorFile& file) : where_(std::move(where)) {
    for (const auto& [name, tensor] : file.tensors) left_[name] = tensor;
  }
  Tensor take(const std::string& name) {
    auto at = left_.find(name);
    if (at == left_.end()) at = left_.find(name.substr(name.find('.') + 1));
    check_format(at != left_.end(), where_, "tensor {} is missing", name);
    Tensor tensor = at->second;
    left_.erase(at);
    return tensor;
  }
  void leave(const std::string& name) { left_.erase(name), left_.erase(name.substr(name.find('.') + 1)); }
  void check_all_taken(const char* architecture) const {
    check_format(left_.empty(), where_, "tensor {} is none of {}'s", left_.empty() ? "" : left_.begin()->first,
                 architecture);
  }

 private:
  std::string where_;
  Weights left_;
};

}  // namespace

Checkpoint written(SequenceModel& model, const Json& before) {
  const NoGrad scope;
  const std::vector<const Layout*> candidates = layouts_of(model);
  const Fields fields = fields_of(model);
  const Layout& layout = fitting(candidates, fields);
  Checkpoint checkpoint{config_of(layout, fields, before), {.tensors = {}, .metadata = {{"format", "pt"}}}};
  for_each_tensor(layout, model, [&](const std::string& name, const std::vector<Tensor>& ours, Held::As as) {
    checkpoint.weights.tensors.emplace_back(name, laid(ours.size() == 1 ? ours[0] : concat(ours, 0), as));
  });
  return checkpoint;
}

std::unique_ptr<SequenceModel> read(const std::string& where, const Checkpoint& checkpoint) {
  const NoGrad scope;
  const initialize::Skip not_drawn;
  const Layout& layout = layout_of(where, checkpoint.config);
  Fields fields = fields_of(layout, checkpoint.config);
  if (fields.contains("head_width") && fields["head_width"] == share_of_head(fields)) fields.erase("head_width");
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : fields) texts[name] = value_text(value);
  std::unique_ptr<SequenceModel> model = make_model(layout.model, texts);
  Taking from(where, checkpoint.weights);
  for_each_tensor(layout, *model, [&](const std::string& name, const std::vector<Tensor>& ours, Held::As as) {
    fill(where, name, rows_of(from.take(name), as), ours);
  });
  for (const char* name : layout.derived)
    for (int64_t n = 0; n < fields.at("layers"); ++n) from.leave(numbered(name, n));
  from.check_all_taken(layout.architecture);
  return model;
}

}  // namespace heed::hugging_face
