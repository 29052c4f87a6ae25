#include "tasks/convert.h"

#include <heed/base.h>
#include <heed/io.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/check.h"
#include "models/hugging_face/hugging_face.h"
#include "nn/uninitialized.h"
#include "tasks/language_model.h"
#include "tasks/marian_tokens.h"
#include "tasks/run_folder.h"
#include "tasks/translation.h"

namespace heed {
namespace {

namespace fs = std::filesystem;
using hugging_face::Checkpoint;

// ---- tokenisers ---------------------------------------------------------------------------------------------------

constexpr std::array kOfLanguage = {"tokenizer"};
constexpr std::array kOfTranslation = {"source", "target"};
std::span<const char* const> tokenizers_of(const std::string& task, const std::string& folder) {
  const bool one = task == "lm" || vocabularies_in(folder) == VocabularyKind::joint;
  return one ? std::span<const char* const>(kOfLanguage) : kOfTranslation;
}

void copy_tokenizers(const std::string& task, const std::string& from, const std::string& to) {
  for (const std::string name : tokenizers_of(task, from)) {
    if (!has_tokenizer(from, name))
      throw Error(ErrorKind::data, from, fmt::format("holds neither {0}.json nor {0}.model", name),
                  "texts are cut into numbers by one of them");
    save_tokenizer(load_tokenizer(from, name), to, name);
  }
}

// What a translator's folder needs for MarianTokenizer, where its tokenisers can be said so; else as a run has them.
void export_tokenizers(const std::string& task, const std::string& run, int64_t longest, const std::string& folder) {
  if (task != "translate") return copy_tokenizers(task, run, folder);
  const Tokenizers both = Tokenizers::load(run);
  is_sentence_piece(both) ? write_marian_tokenizers(both, longest, folder) : both.save(folder);
}
void import_tokenizers(const std::string& task, const std::string& folder, const std::string& run) {
  if (task == "translate" && has_marian_tokenizers(folder)) return read_marian_tokenizers(folder).save(run);
  copy_tokenizers(task, folder, run);
}

// ---- ends -----------------------------------------------------------------------------------------------------------

Ends ends_of_run(const std::string& folder, const std::string& task) {
  return ends_in(folder, load_tokenizer(folder, tokenizers_of(task, folder).back()));
}

void say_ends(Json& config, const Ends& ends, bool with_source) {
  const auto say = [&](const char* name, const Json& value) {
    if (!config.contains(name)) config[name] = value;
  };
  say("bos_token_id", ends.begin), say("eos_token_id", ends.end), say("pad_token_id", 0);
  if (with_source) say("decoder_start_token_id", ends.begin), say("forced_eos_token_id", ends.end);
}

Json ends_said(const std::string& where, const Json& config) {
  const auto number = [&](const char* name) {
    Json id = config.value(name, Json());
    if (id.is_array() && !id.empty()) id = id[0];  // several ends: the first
    check_format(id.is_number_integer(), where, "config.json names no {}", name);
    return id;
  };
  const bool starts = config.contains("decoder_start_token_id") && !config["decoder_start_token_id"].is_null();
  return {{"begin", number(starts ? "decoder_start_token_id" : "bos_token_id")}, {"end", number("eos_token_id")}};
}

// ---- weights ------------------------------------------------------------------------------------------------------

// One file, or several that an index lists.
TensorFile load_weights_in(const std::string& folder) {
  const std::string index = folder + "/model.safetensors.index.json";
  if (!fs::exists(index)) return load_safetensors(RunPaths{folder}.weights());
  const Json map = read_json(index).value("weight_map", Json());
  check_format(map.is_object(), index, "holds no weight_map");
  std::set<std::string> files;
  for (const auto& [name, file] : map.items()) {
    check_format(file.is_string() && file.get<std::string>().find('/') == std::string::npos, index,
                 "{} is in no file of the folder", name);
    files.insert(file.get<std::string>());
  }
  TensorFile all;
  for (const std::string& file : files) {
    TensorFile part = load_safetensors(fmt::format("{}/{}", folder, file));
    std::move(part.tensors.begin(), part.tensors.end(), std::back_inserter(all.tensors));
  }
  return all;
}

}  // namespace

bool is_run(const std::string& folder) { return fs::exists(RunPaths{folder}.about()); }

void export_run(const std::string& run, const std::string& folder) {
  const Json about = about_run(run);
  check(!is_run(folder), folder, "is a run: take another folder");
  const std::string task = about["task"];
  check(task == "lm" || task == "translate", run, "is a run of the task {}: Hugging Face has no layout for its model",
        task);
  const ModelConfiguration configuration = read_configuration(run);
  const initialize::Skip scope;
  const auto model = make_model(configuration.name, configuration.fields);
  load_model_weights(run, model->weights());
  Checkpoint written = hugging_face::written(*model, about.value(kOrigin, Json()));
  say_ends(written.config, ends_of_run(run, task), model->has_source());
  make_folder(folder);
  export_tokenizers(task, run, written.config.value("max_position_embeddings", int64_t{512}), folder);
  save_safetensors(RunPaths{folder}.weights(), written.weights);
  write_json(RunPaths{folder}.config(), written.config);
}

void import_run(const std::string& folder, const std::string& run) {
  check(!is_run(run), run, "is a run already: take another folder");
  const Json config = read_json(RunPaths{folder}.config());
  const auto model = hugging_face::read(folder, {config, load_weights_in(folder)});
  const std::string task = model->has_source() ? "translate" : "lm";
  const Json ends = ends_said(folder, config);
  make_folder(run);
  import_tokenizers(task, folder, run);
  write_configuration(run, model->name(), model->configuration());
  save_model_weights(run, model->weights());
  write_about(run, {{"task", task},
                    {"model", model->name()},
                    {"options", Json::object()},
                    {"data", {{"read_from", folder}}},
                    {kEnds, ends},
                    {kOrigin, config}});
}

}  // namespace heed
