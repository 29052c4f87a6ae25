// Texts put in: for what a pattern finds, and before everything.
#include "text/characters.h"
#include "text/normalizers/table.h"
#include "text/pattern.h"

namespace heed::tokenize {
namespace {

struct Replace : Normalizer {
  Pattern pattern;
  std::string content;
  void apply(Aligned& aligned) const override {
    const Parts parts = pattern.parts(aligned.text());
    if (parts.empty() || (parts.size() == 1 && !parts[0].found)) return;
    Rewrite rewrite(aligned);
    for (const Part& part : parts) {
      if (part.found)
        rewrite.put(content, part.begin, part.end);
      else
        rewrite.keep(part.begin, part.end);
    }
    aligned = rewrite.done();
  }
};

struct Prepend : Normalizer {
  std::string what;
  void apply(Aligned& aligned) const override {
    if (aligned.empty()) return;
    Rewrite rewrite(aligned);
    rewrite.insert(what, 0);
    rewrite.keep(0, aligned.text().size());
    aligned = rewrite.done();
  }
};

}  // namespace

std::unique_ptr<Normalizer> make_replace(const Object& object) {
  auto replace = std::make_unique<Replace>();
  replace->pattern = Pattern::of(object, "pattern"), replace->content = object.text("content");
  return replace;
}

std::unique_ptr<Normalizer> make_prepend(const Object& object) {
  auto prepend = std::make_unique<Prepend>();
  prepend->what = object.text("prepend");
  return prepend;
}

}  // namespace heed::tokenize
