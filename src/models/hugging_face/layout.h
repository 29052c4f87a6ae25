// A layout of Hugging Face's: what its config.json calls the fields of a model of ours, and its file the weights. One
// table serves both directions.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace heed::hugging_face {

using Json = nlohmann::json;
using Fields = std::map<std::string, Json>;  // of a configuration of ours

// An entry of config.json beside a field of ours; each may be beside several.
struct Entry {
  enum class Kind {
    same,     // they hold the same value
    choice,   // of these names, ours and theirs
    ours,     // ours has to be this value: theirs has no such choice
    theirs,   // the other way round
    unasked,  // ours may be anything, and is this value where theirs is read
  };
  struct Names {
    const char *ours, *theirs;
  };
  Kind kind;
  std::string ours, theirs;  // theirs: a path, "rope_parameters/rope_theta"
  Json value = {};  // of the last three kinds; of others what theirs means where it is missing, null: it must be there
  std::vector<Names> names = {};
};
Entry same(const char* ours, const char* theirs, Json missing = {});
Entry choice(const char* ours, const char* theirs, std::vector<Entry::Names> names, Json missing = {});
Entry ours(const char* field, Json value);
Entry theirs(const char* entry, Json value);
Entry unasked(const char* field, Json value);

// A tensor of theirs and the weights of ours that it holds, one behind the other. A star in a name is the number of a
// layer.
struct Held {
  enum class As {
    rows,     // as ours: a row for each output
    columns,  // a column for each output
    one_row,  // a vector as the only row of a matrix
  };
  std::vector<std::string> ours;
  std::string theirs;
  As as = As::rows;
};
// With its weight and bias.
std::vector<Held> layer(const std::vector<std::string>& ours, const std::string& theirs,
                        Held::As weight = Held::As::rows);
std::vector<Held> operator+(std::vector<Held> a, const std::vector<Held>& b);

struct Layout {
  const char *model_type, *architecture;  // "gpt2", "GPT2LMHeadModel"
  const char* model;                      // of ours
  std::vector<Entry> entries;
  std::vector<Held> (*tensors)(
      const Fields& fields);         // all that there may be; of a model there are those of its weights
  std::vector<const char*> derived;  // tensors that some files hold besides and that follow from others
  // Entries whose names, or whose meaning where they are missing, hang on others: as the table has them, and back.
  void (*complete)(Json& config);
  void (*restore)(Json& config) = [](Json&) {};
};

// A room each.
Layout gpt2();
Layout llama();
Layout marian();

}  // namespace heed::hugging_face
