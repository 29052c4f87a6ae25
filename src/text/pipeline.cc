#include "text/pipeline.h"

#include "text/byte_level.h"
#include "text/characters.h"

namespace heed::tokenize {

class Pipeline::Lent {
 public:
  explicit Lent(const Pipeline& from) : from_(from) {
    const std::lock_guard lock(from.mutex_);
    if (from.scratch_.empty()) return;
    scratch_ = std::move(from.scratch_.back());
    from.scratch_.pop_back();
  }
  ~Lent() {
    const std::lock_guard lock(from_.mutex_);
    from_.scratch_.push_back(std::move(scratch_));
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  Scratch& operator*() { return *scratch_; }

 private:
  const Pipeline& from_;
  std::unique_ptr<Scratch> scratch_ = std::make_unique<Scratch>();
};

namespace {

constexpr const char* kHead[] = {"version", "truncation", "padding"};

template <class Step>
std::unique_ptr<Step> optional_step(const Object& object, const char* key,
                                    std::unique_ptr<Step> (*make)(const Object&)) {
  return object.has(key) ? make(object.object(key)) : nullptr;
}
template <class Step>
std::string optional_json(const std::unique_ptr<Step>& step) {
  return step ? step->settings.dump() : "null";
}

// The input with U+FFFD for what is no UTF-8.
Aligned aligned_input(std::string_view bytes) {
  Aligned input(std::string(bytes), 0);
  if (valid_utf8(bytes)) return input;
  Rewrite rewrite(input);
  size_t kept = 0;
  for (const auto& [begin, end] : repaired(bytes).broken) {
    rewrite.keep(kept, begin);
    rewrite.put("\xef\xbf\xbd", begin, end);
    kept = end;
  }
  rewrite.keep(kept, bytes.size());
  return rewrite.done();
}

}  // namespace

Pipeline::Pipeline(const Json& json, const std::string& where) {
  const Object object(json, where);
  for (const char* key : kHead)
    if (object.has(key)) head_[key] = json[key];
  normalizer_ = optional_step(object, "normalizer", &make_normalizer);
  pre_tokenizer_ = optional_step(object, "pre_tokenizer", &make_pre_tokenizer);
  model_ = make_model(object.object("model"));
  post_processor_ = optional_step(object, "post_processor", &make_post_processor);
  decoder_ = optional_step(object, "decoder", &make_decoder);
  size_ = model_->vocabulary.size();
  if (object.has("added_tokens")) read_added_tokens(object);
  keeps_bytes_ = can_keep_bytes();
  if (!post_processor_) return;
  std::vector<Token> none;
  for (const Token& token : post_processor_->apply("", "", {}, &none, true))
    check_format(token.id < size_, object.place_of("post_processor"), "adds the id {}, but there are {} tokens",
                 token.id, size_);
}

void Pipeline::read_added_tokens(const Object& object) {
  std::vector<AddedToken> tokens;
  object.each("added_tokens", [&](const Object& each) {
    AddedToken token = read_added_token(each);
    const auto id = model_->vocabulary.id_of(token.content);
    const bool other = model_->vocabulary.has(token.id) && model_->vocabulary.token_of(token.id) != token.content;
    each.require((!id || *id == token.id) && !other, "'{}' has the id {}, which the model's vocabulary gives otherwise",
                 shortened(printable(token.content), 40), token.id);
    size_ = std::max(size_, token.id + 1);
    tokens.push_back(std::move(token));
  });
  added_ = AddedTokens(std::move(tokens), normalizer_.get());
}

// Where nothing looks at characters, bytes that are no UTF-8 can stay what they are.
bool Pipeline::can_keep_bytes() const {
  if (normalizer_ || !pre_tokenizer_ || !model_->takes_bytes()) return false;
  const Json& cut = pre_tokenizer_->settings;
  for (const AddedToken& token : added_.list())
    if (token.single_word || token.left || token.right) return false;
  return cut["type"] == "ByteLevel" && cut.value("use_regex", true) == false &&
         cut.value("add_prefix_space", true) == false;
}

std::vector<Section> Pipeline::sections(std::string_view text) const {
  Aligned input = keeps_bytes_ ? Aligned(std::string(text), 0) : aligned_input(text);
  std::vector<Section> sections = added_.sections(std::move(input), normalizer_.get());
  for (Section& section : sections) {
    if (section.token >= 0) continue;
    if (pre_tokenizer_) pre_tokenizer_->apply(section);
    if (!model_->takes_bytes()) write_mapped_bytes(section);
  }
  return sections;
}

void Pipeline::each_piece(std::string_view text, const std::function<void(std::string_view)>& body) const {
  for (const Section& section : sections(text))
    for (const Span piece : section.pieces)
      if (section.token < 0) body(section.piece(piece));
}

void Pipeline::add_tokens(Section& section, Random* random, Scratch& scratch, std::vector<Token>& tokens) const {
  const auto add = [&](int32_t id, bool special, Span from) {
    tokens.push_back({.id = id, .special = special, .begin = from.begin, .end = from.end});
  };
  if (section.token >= 0)
    return add(section.token, added_.find(section.token)->special, section.text.origin(0, section.text.text().size()));
  std::vector<Symbol> symbols;
  for (const Span piece : section.pieces) {
    symbols.clear();
    apply_model(*model_, section.piece(piece), section.bytes_mapped, random, scratch, symbols);
    for (const Symbol& symbol : symbols)
      add(symbol.id, false, section.text.origin(piece.begin + symbol.begin, piece.begin + symbol.end));
  }
}

std::vector<Token> Pipeline::encode_one(std::string_view text, const EncodeOptions& options) const {
  Lent scratch(*this);
  std::vector<Token> tokens;
  for (Section& section : sections(text)) add_tokens(section, options.random, *scratch, tokens);
  return tokens;
}

std::vector<Token> Pipeline::encode(std::string_view text, const std::string_view* second,
                                    const EncodeOptions& options) const {
  std::vector<Token> first_tokens = encode_one(text, options), second_tokens;
  if (second) second_tokens = encode_one(*second, options);
  if (post_processor_)
    return post_processor_->apply(text, second ? *second : text, std::move(first_tokens),
                                  second ? &second_tokens : nullptr, options.add_special);
  for (Token& token : second_tokens) token.segment = 1, first_tokens.push_back(token);
  return first_tokens;
}

std::string Pipeline::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::vector<std::string> tokens;
  for (const int32_t id : ids) {
    if (skip_special && is_special(id)) continue;
    std::string token = token_of(id);
    if (!token.empty()) tokens.push_back(std::move(token));
  }
  if (decoder_) decoder_->apply(tokens);
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) text += (i > 0 && !decoder_ ? " " : "") + tokens[i];
  return text;
}

std::optional<int32_t> Pipeline::id_of(std::string_view token) const {
  if (const AddedToken* added = added_.find(token)) return added->id;
  return model_->vocabulary.id_of(token);
}

std::string Pipeline::token_of(int32_t id) const {
  if (const AddedToken* added = added_.find(id)) return added_.shown(*added);
  return model_->vocabulary.has(id) ? model_->vocabulary.token_of(id) : "";
}

bool Pipeline::is_special(int32_t id) const {
  const AddedToken* added = added_.find(id);
  return added != nullptr && added->special;
}

std::string Pipeline::to_bytes() const {
  const auto head = [&](const char* key, const char* otherwise) {
    return head_.contains(key) ? head_[key].dump() : otherwise;
  };
  Json added = Json::array();
  for (const AddedToken& token : added_.list()) added.push_back(json_of(token));
  return fmt::format(
      R"({{"version":{},"truncation":{},"padding":{},"added_tokens":{},"normalizer":{},"pre_tokenizer":{},)"
      R"("post_processor":{},"decoder":{},"model":{}}})",
      head("version", R"("1.0")"), head("truncation", "null"), head("padding", "null"), added.dump(),
      optional_json(normalizer_), optional_json(pre_tokenizer_), optional_json(post_processor_),
      optional_json(decoder_), model_->json());
}

}  // namespace heed::tokenize
