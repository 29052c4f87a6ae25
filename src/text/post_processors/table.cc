// What models want around a text: [CLS] and [SEP], <s> and </s>, or any template; and ByteLevel, which takes the
// spaces out of the places of tokens.
#include "text/characters.h"
#include "text/steps.h"

namespace heed::tokenize {
namespace {

using Tokens = std::vector<Token>;

void append(Tokens& out, const Tokens& tokens, int32_t segment) {
  for (Token token : tokens) token.segment = segment, out.push_back(token);
}
void append_special(Tokens& out, int32_t id, int32_t segment) { out.push_back({id, segment, true, 0, 0}); }

// The spaces at the ends of a token are not part of its place; the tokens stay.
void trim(std::string_view text, Tokens& tokens) {
  for (Token& token : tokens) {
    const auto is_space = [&](int64_t i) { return text[static_cast<size_t>(i)] == ' '; };
    while (token.begin < token.end && is_space(token.begin)) ++token.begin;
    while (token.begin < token.end && is_space(token.end - 1)) --token.end;
  }
}

int32_t special_id(const Object& object, const char* key) {
  const Json& pair = object.list(key);
  object.require(
      pair.size() == 2 && pair[0].is_string() && pair[1].is_number_unsigned() && pair[1].get<uint64_t>() < INT32_MAX,
      "'{}' is no pair of a token and its id", key);
  return pair[1].get<int32_t>();
}

// [CLS] a [SEP] b [SEP]; RoBERTa: <s> a </s></s> b </s>, all in the first segment, places without spaces.
struct Bert : PostProcessor {
  int32_t begin = 0, end = 0;
  bool roberta = false, trims = false;
  Tokens apply(std::string_view text, std::string_view second_text, Tokens first, Tokens* second,
               bool add_special) const override {
    if (trims) trim(text, first);
    if (trims && second) trim(second_text, *second);
    Tokens out;
    const int32_t other = roberta ? 0 : 1;
    if (add_special) append_special(out, begin, 0);
    append(out, first, 0);
    if (add_special) append_special(out, end, 0);
    if (second == nullptr) return out;
    if (add_special && roberta) append_special(out, end, 0);
    append(out, *second, other);
    if (add_special) append_special(out, end, other);
    return out;
  }
};

struct ByteLevel : PostProcessor {
  bool trims = true;
  Tokens apply(std::string_view text, std::string_view second_text, Tokens first, Tokens* second, bool) const override {
    if (trims) trim(text, first);
    if (second == nullptr) return first;
    if (trims) trim(second_text, *second);
    append(first, *second, 1);
    return first;
  }
};

// "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", as the JSON spells it out.
struct Template : PostProcessor {
  struct Part {
    enum { first, second, special } what = special;
    int32_t segment = 0;
    std::vector<int32_t> ids;
  };
  std::vector<Part> single, pair;

  Tokens apply(std::string_view, std::string_view, Tokens first, Tokens* second, bool add_special) const override {
    Tokens out;
    for (const Part& part : second ? pair : single) {
      if (part.what == Part::first) append(out, first, part.segment);
      if (part.what == Part::second && second) append(out, *second, part.segment);
      for (const int32_t id : part.ids)
        if (add_special) append_special(out, id, part.segment);
    }
    return out;
  }
};

struct PostProcessorSequence : PostProcessor {
  std::vector<std::unique_ptr<PostProcessor>> steps;  // all but the last only change places
  Tokens apply(std::string_view text, std::string_view second_text, Tokens first, Tokens* second,
               bool add_special) const override {
    for (size_t i = 0; i + 1 < steps.size(); ++i) {
      first = steps[i]->apply(text, text, std::move(first), nullptr, false);
      if (second) *second = steps[i]->apply(second_text, second_text, std::move(*second), nullptr, false);
    }
    return steps.back()->apply(text, second_text, std::move(first), second, add_special);
  }
};

std::unique_ptr<PostProcessor> make_bert(const Object& object) {
  auto bert = std::make_unique<Bert>();
  bert->begin = special_id(object, "cls"), bert->end = special_id(object, "sep");
  return bert;
}

std::unique_ptr<PostProcessor> make_roberta(const Object& object) {
  auto roberta = std::make_unique<Bert>();
  roberta->begin = special_id(object, "cls"), roberta->end = special_id(object, "sep");
  roberta->roberta = true, roberta->trims = object.flag("trim_offsets", true);
  return roberta;
}

std::unique_ptr<PostProcessor> make_byte_level(const Object& object) {
  auto byte_level = std::make_unique<ByteLevel>();
  byte_level->trims = object.flag("trim_offsets", true);
  return byte_level;
}

std::vector<int32_t> ids_of_special(const Object& object, const std::string& name) {
  const Object all = object.object("special_tokens");
  all.require(all.has(name.c_str()), "'{}' is in the template but not among these", shortened(printable(name), 40));
  std::vector<int32_t> ids;
  for (const Json& id : all.object(name.c_str()).list("ids")) {
    all.require(id.is_number_unsigned() && id.get<uint64_t>() < INT32_MAX, "an id is {}", shortened(id.dump(), 40));
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

std::vector<Template::Part> parts_of(const Object& object, const char* key) {
  std::vector<Template::Part> parts;
  object.each(key, [&](const Object& each) {
    const bool special = each.has("SpecialToken");
    const Object part = each.object(special ? "SpecialToken" : "Sequence");
    Template::Part made;
    made.segment = part.has("type_id") ? static_cast<int32_t>(part.integer("type_id", 0, 1000)) : 0;
    const std::string id = part.text("id");
    if (special)
      made.ids = ids_of_special(object, id);
    else
      part.require(id == "A" || id == "B", "the sequence is '{}', wanted A or B", shortened(printable(id), 40));
    made.what = special ? Template::Part::special : id == "A" ? Template::Part::first : Template::Part::second;
    parts.push_back(std::move(made));
  });
  return parts;
}

std::unique_ptr<PostProcessor> make_template(const Object& object) {
  auto made = std::make_unique<Template>();
  made->single = parts_of(object, "single"), made->pair = parts_of(object, "pair");
  return made;
}

std::unique_ptr<PostProcessor> make_sequence(const Object& object) {
  auto sequence = std::make_unique<PostProcessorSequence>();
  sequence->steps = make_list(object, "processors", &make_post_processor);
  object.require(!sequence->steps.empty(), "has no processors");
  for (size_t i = 0; i + 1 < sequence->steps.size(); ++i)
    object.require(dynamic_cast<ByteLevel*>(sequence->steps[i].get()) != nullptr,
                   "only ByteLevel may stand before another processor");
  return sequence;
}

constexpr Maker<PostProcessor> kPostProcessors[] = {
    {"BertProcessing", make_bert},         {"RobertaProcessing", make_roberta}, {"ByteLevel", make_byte_level},
    {"TemplateProcessing", make_template}, {"Sequence", make_sequence},
};

}  // namespace

std::unique_ptr<PostProcessor> make_post_processor(const Object& object) {
  return make_step(kPostProcessors, "post-processor", object);
}

}  // namespace heed::tokenize
