// Why did it say that? What `heed explain` shows of a run of each task.
#pragma once

#include "tasks/classification.h"
#include "tasks/language_model.h"
#include "tasks/trained_run.h"
#include "tasks/translation.h"

namespace heed {

explain::Seen explained(const TranslationModel& run, const std::string& text, const ExplainOptions& options);
explain::Seen explained(const ClassificationModel& run, const std::string& text, const ExplainOptions& options);
explain::Seen explained(const LanguageModel& run, const std::string& text, const ExplainOptions& options);

}  // namespace heed
