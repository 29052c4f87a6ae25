// What there is to say of a mechanism, from its row: for the terminal, for docs/mechanisms/, as JSON.
#pragma once

#include <string>

#include "attention/mechanisms.h"
#include "explain/picture.h"

namespace heed::explain {

enum class Language { english, chinese };

// Every mechanism: name, year, formula, cost, purpose, in 80 columns.
std::string mechanism_table(Language language);
// One of them: paper, formula, worked example, picture, cost, trap, code.
std::string mechanism_text(const attention::Mechanism& row, Language language, Ink ink);

std::string mechanism_table_json(Language language);
std::string mechanism_json(const attention::Mechanism& row, Language language);

// Writes a page a mechanism and language, and an index a language, into a folder that exists.
void write_mechanism_pages(const std::string& folder);

}  // namespace heed::explain
