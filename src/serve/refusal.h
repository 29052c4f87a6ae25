// What went wrong, as a client is told: a status and a sentence, in the shape that OpenAI's clients know.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "serve/message.h"

namespace heed::serve {

struct Refusal : std::runtime_error {
  Refusal(int status, const std::string& message) : std::runtime_error(message), status(status) {}
  int status;
};

inline constexpr const char* kClientGone = "the client has gone";
inline constexpr const char* kEnding = "the server ends";
inline constexpr const char* kTooLong = "it took longer than a request may take";
inline constexpr const char* kNoMemory = "there is not the memory for this request";

// Sees to it that there is memory for what comes next, and gives up what is kept for later where that is needed; false:
// there is none.
bool recover_memory();

std::string error_json(int status, const std::string& message);
Response error_response(int status, const std::string& message);  // busy ones say when to come again
Response error_response(const std::exception_ptr& error);         // 400 is the client's fault, 500 and 503 ours

}  // namespace heed::serve
