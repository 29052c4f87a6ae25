// The steps of a tokeniser, in the order of their work: normaliser, pre-tokeniser, model (text/models/model.h),
// post-processor; and the decoder. Each step keeps its settings as JSON, which is how it is written again.
#pragma once

#include <heed/text.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/object.h"
#include "text/section.h"

namespace heed::tokenize {

struct Step {
  Json settings;
  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  virtual ~Step() = default;
};

// Changes the text.
struct Normalizer : Step {
  virtual void apply(Aligned& text) const = 0;
};

// Cuts the text into pieces that no token crosses.
struct PreTokenizer : Step {
  virtual void apply(Section& section) const = 0;
};

// Adds the tokens that a model wants around a text or a pair of texts. `second` is null for a single text.
struct PostProcessor : Step {
  virtual std::vector<Token> apply(std::string_view text, std::string_view second_text, std::vector<Token> first,
                                   std::vector<Token>* second, bool add_special) const = 0;
};

// Turns tokens into parts of text, which are joined without anything between them.
struct Decoder : Step {
  virtual void apply(std::vector<std::string>& tokens) const = 0;
};

// Error(format) for a type that is not supported, naming it.
std::unique_ptr<Normalizer> make_normalizer(const Object& object);
std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Object& object);
std::unique_ptr<PostProcessor> make_post_processor(const Object& object);
std::unique_ptr<Decoder> make_decoder(const Object& object);

// Steps of a Sequence, one after the other.
template <class Step>
std::vector<std::unique_ptr<Step>> make_list(const Object& object, const char* key,
                                             std::unique_ptr<Step> (*make)(const Object&)) {
  std::vector<std::unique_ptr<Step>> steps;
  object.each(key, [&](const Object& each) { steps.push_back(make(each)); });
  return steps;
}

}  // namespace heed::tokenize
