// Why did it say that? What `heed explain` shows of a run of each task.
#pragma once

#include "tasks/classification.h"
#include "tasks/language_model.h"
#include "tasks/trained_run.h"
#include "tasks/translate.h"

namespace heed {

explain::Seen explained(const TranslationModel& run, const std::string& text, const ExplainOptions& options);
explain::Seen explained(const ClassificationModel& run, const std::string& text, const ExplainOptions& options);
explain::Seen explained(const LanguageModel& run, const std::string& text, const ExplainOptions& options);

// Why does each row say what it says? Of several labels that hold a question each; `path`: where the rows stand.
std::vector<Question> questions_of(const TranslationModel& run, const Pairs& pairs);
std::vector<Question> questions_of(const ClassificationModel& run, const TwoColumns& rows, const std::string& path);
std::vector<Question> questions_of(const LanguageModel& run, const std::vector<std::string>& texts);

}  // namespace heed
