// The models of tokenizer.json: pieces to tokens. A model is shared by threads; what it writes to is a Scratch.
#pragma once

#include <vector>

#include "text/steps.h"
#include "text/vocabulary.h"

namespace heed {
class Random;
}

namespace heed::tokenize {

// A token and the bytes of the piece that it stands for.
struct Symbol {
  int32_t id = 0;
  uint32_t begin = 0, end = 0;
};

// What a thread keeps from piece to piece: the tokens of pieces seen before, and buffers.
struct Scratch {
  struct Seen {
    uint32_t begin = 0, end = 0;  // of symbols
  };
  TextMap<Seen> seen;
  std::vector<Symbol> symbols;
  std::vector<char> buffer;
};

struct Model : Step {
  Vocabulary vocabulary;

  // Adds the piece's tokens. With `random`, a model that can leaves out merges by chance.
  virtual void apply(std::string_view piece, Random* random, std::vector<Symbol>& tokens) const = 0;
  // Can it take each byte for its character of byte-level BPE? Then apply_bytes() is called in place of apply().
  virtual bool takes_bytes() const { return false; }
  virtual void apply_bytes(std::string_view piece, Random* random, std::vector<Symbol>& tokens) const {
    apply(piece, random, tokens);
  }
  // Are pieces worth remembering?
  virtual bool remembers() const { return true; }
  // The JSON of the model with its vocabulary and merges; settings hold the rest.
  virtual std::string json() const = 0;
};

std::unique_ptr<Model> make_model(const Object& object);

// The tokens of a piece, looked up among those seen before.
void apply_model(const Model& model, std::string_view piece, bool bytes, Random* random, Scratch& scratch,
                 std::vector<Symbol>& tokens);

// For json(): "{SETTINGS,"vocab":{…}" of which the caller closes the brace.
std::string settings_json(const Json& settings);
std::string vocabulary_json(const Vocabulary& vocabulary);
std::string json_text(std::string_view text);
void read_vocabulary(const Object& object, Vocabulary& vocabulary);

std::unique_ptr<Model> make_word_level(const Object&);
std::unique_ptr<Model> make_word_piece(const Object&);
std::unique_ptr<Model> make_bpe(const Object&);
std::unique_ptr<Model> make_unigram(const Object&);

}  // namespace heed::tokenize
