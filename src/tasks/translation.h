// A model that translates, with its tokenisers: what a run of the task translate holds.
#pragma once

#include <heed/models.h>
#include <heed/text.h>

#include <memory>
#include <string>
#include <vector>

#include "tasks/tokens.h"

namespace heed {

struct TranslationModel {
  std::unique_ptr<SequenceModel> model;
  Tokenizer source, target;
  int64_t longest = 256;  // tokens of either side

  std::vector<int32_t> source_ids(std::string_view text) const;  // with the end
  void save(const std::string& folder) const;                    // all but the weights
  static TranslationModel load(const std::string& folder);       // with the weights
};

}  // namespace heed
