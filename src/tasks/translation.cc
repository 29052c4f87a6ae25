#include "tasks/translation.h"

#include "base/check.h"
#include "tasks/run_folder.h"
#include "train/sealed.h"

namespace heed {

std::vector<int32_t> TranslationModel::source_ids(std::string_view text) const {
  std::vector<int32_t> ids = source.ids(text, {.add_special = false});
  if (static_cast<int64_t>(ids.size()) >= longest) ids.resize(static_cast<size_t>(longest) - 1);
  ids.push_back(ends_of(source).end);
  return ids;
}

void TranslationModel::save(const std::string& folder) const {
  save_tokenizer(source, folder, "source");
  save_tokenizer(target, folder, "target");
  write_configuration(folder, model->name(), model->configuration());
}

TranslationModel TranslationModel::load(const std::string& folder) {
  const ModelConfiguration configuration = read_configuration(folder);
  TranslationModel run{make_model(configuration.name, configuration.fields), load_tokenizer(folder, "source"),
                       load_tokenizer(folder, "target")};
  if (const auto longest = configuration.fields.find("longest"); longest != configuration.fields.end())
    read_field("longest", longest->second, run.longest);
  load_model_weights(folder, run.model->weights());
  return run;
}

}  // namespace heed
