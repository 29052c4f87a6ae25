// The decoders of tokenizer.json: tokens to the parts of a text.
#include "text/byte_level.h"
#include "text/characters.h"
#include "text/pattern.h"
#include "text/steps.h"

namespace heed::tokenize {
namespace {

using Tokens = std::vector<std::string>;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  if (what.empty()) return;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

std::string joined(const Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

// Bytes that are no UTF-8 stay as they are: whoever decodes decides.
struct ByteLevel : Decoder {
  void apply(Tokens& tokens) const override {
    for (std::string& token : tokens)
      if (auto bytes = bytes_of_token(token)) token = std::move(*bytes);
    tokens = {joined(tokens)};
  }
};

// ##ing joins the word before; with cleanup, English signs lose the space before them.
struct WordPiece : Decoder {
  std::string prefix = "##";
  bool cleans = true;
  void apply(Tokens& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0 && token.starts_with(prefix))
        token.erase(0, prefix.size());
      else if (i > 0)
        token.insert(token.begin(), ' ');
      if (cleans) clean(token);
    }
  }

 private:
  static void clean(std::string& text) {
    constexpr std::pair<std::string_view, std::string_view> kChanges[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : kChanges) replace_all(text, from, to);
  }
};

struct Metaspace : Decoder {
  std::string mark = "\u2581";
  bool drops_first = true;  // the mark was put before the text
  void apply(Tokens& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) replace_all(tokens[i], mark, i == 0 && drops_first ? "" : " ");
  }
};

struct Bpe : Decoder {
  std::string suffix = "</w>";
  void apply(Tokens& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) replace_all(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
  }
};

std::optional<char> byte_of(std::string_view token) {  // <0xE4>
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  int value = 0;
  for (const char digit : token.substr(3, 2)) {
    const char low = static_cast<char>(digit | 0x20);
    if (!(digit >= '0' && digit <= '9') && !(low >= 'a' && low <= 'f')) return std::nullopt;
    value = value * 16 + (digit <= '9' ? digit - '0' : low - 'a' + 10);
  }
  return static_cast<char>(value);
}

// Byte tokens beside each other are a text; where they are no UTF-8, U+FFFD for each of them.
struct ByteFallback : Decoder {
  void apply(Tokens& tokens) const override {
    Tokens out;
    std::string bytes;
    const auto flush = [&] {
      if (valid_utf8(bytes)) {
        if (!bytes.empty()) out.push_back(bytes);
      } else {
        out.insert(out.end(), bytes.size(), "\xef\xbf\xbd");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes += *byte;
        continue;
      }
      flush();
      out.push_back(std::move(token));
    }
    flush();
    tokens = std::move(out);
  }
};

struct Fuse : Decoder {
  void apply(Tokens& tokens) const override { tokens = {joined(tokens)}; }
};

struct Strip : Decoder {
  std::string content;
  int64_t left = 0, right = 0;
  void apply(Tokens& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (int64_t i = 0; i < left && rest.starts_with(content); ++i) rest.remove_prefix(content.size());
      for (int64_t i = 0; i < right && rest.ends_with(content); ++i) rest.remove_suffix(content.size());
      token = std::string(rest);
    }
  }
};

struct Replace : Decoder {
  Pattern pattern;
  std::string content;
  void apply(Tokens& tokens) const override {
    for (std::string& token : tokens) {
      std::string now;
      for (const Part& part : pattern.parts(token))
        now += part.found ? content : token.substr(part.begin, part.end - part.begin);
      token = std::move(now);
    }
  }
};

struct DecoderSequence : Decoder {
  std::vector<std::unique_ptr<Decoder>> steps;
  void apply(Tokens& tokens) const override {
    for (const auto& step : steps) {
      for (std::string& token : tokens)  // what ByteLevel leaves may be no UTF-8, which the others take for granted
        if (!valid_utf8(token)) token = valid_text(token);
      step->apply(tokens);
    }
  }
};

std::unique_ptr<Decoder> make_byte_level(const Object&) { return std::make_unique<ByteLevel>(); }
std::unique_ptr<Decoder> make_byte_fallback(const Object&) { return std::make_unique<ByteFallback>(); }
std::unique_ptr<Decoder> make_fuse(const Object&) { return std::make_unique<Fuse>(); }

std::unique_ptr<Decoder> make_word_piece(const Object& object) {
  auto decoder = std::make_unique<WordPiece>();
  decoder->prefix = object.text("prefix", "##"), decoder->cleans = object.flag("cleanup", true);
  return decoder;
}

std::unique_ptr<Decoder> make_metaspace(const Object& object) {
  auto decoder = std::make_unique<Metaspace>();
  decoder->mark.clear();
  append_character(decoder->mark, object.has("replacement") ? object.character("replacement") : 0x2581);
  decoder->drops_first =
      object.text("prepend_scheme", object.flag("add_prefix_space", true) ? "always" : "never") != "never";
  return decoder;
}

std::unique_ptr<Decoder> make_bpe(const Object& object) {
  auto decoder = std::make_unique<Bpe>();
  decoder->suffix = object.text("suffix", "</w>");
  return decoder;
}

std::unique_ptr<Decoder> make_strip(const Object& object) {
  auto decoder = std::make_unique<Strip>();
  append_character(decoder->content, object.character("content"));
  decoder->left = object.integer("start", 0, INT32_MAX), decoder->right = object.integer("stop", 0, INT32_MAX);
  return decoder;
}

std::unique_ptr<Decoder> make_replace(const Object& object) {
  auto decoder = std::make_unique<Replace>();
  decoder->pattern = Pattern::of(object, "pattern"), decoder->content = object.text("content");
  return decoder;
}

std::unique_ptr<Decoder> make_sequence(const Object& object) {
  auto sequence = std::make_unique<DecoderSequence>();
  sequence->steps = make_list(object, "decoders", &make_decoder);
  return sequence;
}

constexpr Maker<Decoder> kDecoders[] = {
    {"ByteLevel", make_byte_level},
    {"WordPiece", make_word_piece},
    {"Metaspace", make_metaspace},
    {"BPEDecoder", make_bpe},
    {"Fuse", make_fuse},
    {"Strip", make_strip},
    {"ByteFallback", make_byte_fallback},
    {"Replace", make_replace},
    {"Sequence", make_sequence},
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(const Object& object) { return make_step(kDecoders, "decoder", object); }

}  // namespace heed::tokenize
