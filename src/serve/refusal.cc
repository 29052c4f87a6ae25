#include "serve/refusal.h"

#include <heed/base.h>

#include <new>
#include <nlohmann/json.hpp>

#include "base/memory_reserve.h"

namespace heed::serve {
namespace {

const char* type_of(int status) {
  if (status == 401 || status == 403) return "authentication_error";
  if (status == 429 || status == 503) return "overloaded_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::data:
    case ErrorKind::format: return 400;
    case ErrorKind::numeric: return 500;
    case ErrorKind::system: break;
  }
  return 503;
}

}  // namespace

bool recover_memory() {
  if (refill_memory_reserve()) return true;
  release_memory();
  return refill_memory_reserve();
}

std::string error_json(int status, const std::string& message) {
  const nlohmann::json error = {
      {"error", {{"message", message}, {"type", type_of(status)}, {"param", nullptr}, {"code", status}}}};
  return error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Response error_response(int status, const std::string& message) {
  Response response{status, "application/json", error_json(status, message)};
  if (status == 429 || status == 503) response.headers.push_back({"Retry-After", "1"});
  if (status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

Response error_response(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Refusal& refusal) {
    return error_response(refusal.status, refusal.what());
  } catch (const Error& known) {
    return error_response(status_of(known.kind()), known.what());
  } catch (const std::bad_alloc&) {
    return error_response(503, kNoMemory);
  } catch (const std::exception& other) {
    return error_response(500, other.what());
  }
}

}  // namespace heed::serve
